"""`livebase login` and `livebase actors`: keys and roles, and commands that are signed (decision 33)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from store.signatures import key_id
from tests.starter.conftest import APPLICANT, OPERATOR, enterprise_in
from tests.starter.livebase import Livebase, Running

ONLY_ON = "sqlite"

ADMIN = ("--as", "operator:zheng")


def made(livebase: Livebase, file: Path, name: str) -> dict[str, str]:
    """A key made by `login`; what it printed."""
    done = livebase("login", name, "-o", "json", env={"LIVEBASE_LOGIN": str(file)})
    assert done.code == 0, done.err
    return dict(done.json)


def test_a_key_is_made_once_and_kept_for_its_owner(livebase: Livebase, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "li.json"
    view = made(livebase, file, " 李 ")
    assert view["name"] == "李" and view["key_id"] == key_id(view["public_key"])
    assert oct(file.stat().st_mode & 0o777) == "0o600" and oct(file.parent.stat().st_mode & 0o777) == "0o700"
    kept = file.read_bytes()
    assert made(livebase, file, "李") == view and file.read_bytes() == kept
    env = {"LIVEBASE_LOGIN": str(file)}
    shown = livebase("login", env=env)
    assert (
        shown.code == 0
        and "livebase actors add 李 --key" in shown.err
        and json.loads(kept)["key"]["d"] not in (shown.out + shown.err)
    )
    assert livebase("login", "wang", env=env).code == 2, "another person's needs another file"
    assert livebase("login", env={"LIVEBASE_LOGIN": str(tmp_path / "none.json")}).code == 2


@pytest.mark.parametrize("name", ["", " ", "a:b", "x" * 101, "a\tb"])
def test_a_name_that_is_none_makes_no_key(livebase: Livebase, tmp_path: Path, name: str) -> None:
    file = tmp_path / "key.json"
    assert livebase("login", name, env={"LIVEBASE_LOGIN": str(file)}).code == 2
    assert not file.exists()


def test_a_key_others_may_read_signs_nothing(livebase: Livebase, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    made(livebase, file, "li")
    os.chmod(file, 0o644)
    done = livebase("login", env={"LIVEBASE_LOGIN": str(file)})
    assert done.code == 2 and f"chmod 600 {file}" in done.err
    for text in ("", "[]", '{"name": "li"}', '{"name": "li", "key": {"kty": "OKP"}}'):
        file.write_text(text, "utf-8")
        os.chmod(file, 0o600)
        assert livebase("login", env={"LIVEBASE_LOGIN": str(file)}).code == 2


def test_people_keys_and_roles(dev: Running, tmp_path: Path) -> None:
    key = made(dev, tmp_path / "li.json", "actor-li")
    public, named = key["public_key"], key["key_id"]
    dev.ok("apply", enterprise_in(tmp_path / "one").file, *APPLICANT, "--request-id", f"applied-{public}")
    add = ("actors", "add", "actor-li", "--key", public, "--role", "reviewer")
    foreseen = dev.ok(*add, *ADMIN, "--dry-run")
    assert [one["what"] for one in foreseen["changes"]] == ["key_added", "role_granted"]
    assert "actor-li" not in {one["name"] for one in dev.ok("actors", "list")}
    answer = dev.ok(*add, *ADMIN, "--request-id", "actors-1")
    assert (answer["name"], answer["keys"], answer["roles"]) == ("actor-li", [named], ["reviewer"])
    assert dev.ok(*add, *ADMIN, "--request-id", "actors-1") == {**answer, "repeated": True}
    refused = [
        ((*add, *ADMIN), 5, "actor_known"),
        ((*add, "--further", *ADMIN), 5, "key_taken"),
        (("actors", "grant", "actor-nobody", "finance", *ADMIN), 3, "not_found"),
        (("actors", "grant", "zheng", "finance", *ADMIN), 4, "second_person_required"),
        (("actors", "grant", "actor-li", "administrator", *ADMIN), 5, "roles_conflict"),
        (("actors", "grant", "actor-li", "reviewer", *ADMIN), 5, "actor_unchanged"),
        (("actors", "grant", "actor-li", "finance", "--as", "finance:qian"), 4, "role_not_allowed"),
        (("actors", "grant", "actor-li", "finance", *ADMIN, "--request-id", "actors-1"), 8, "request_id_reused"),
        (
            ("actors", "grant", "actor-li", "finance", *ADMIN, "--request-id", f"applied-{public}"),
            8,
            "request_id_reused",
        ),
    ]
    for words, code, kind in refused:
        done = dev(*words, "-o", "json")
        assert (done.code, done.error["kind"]) == (code, kind), words
    for words in (
        ("actors", "grant", "actor-li", "king", *ADMIN),
        ("actors", "add", "actor-x", "--key", "ed25519:x", *ADMIN),
        ("actors", "add", "a:b", "--key", public, *ADMIN),
    ):
        assert dev(*words).code == 2, words
    assert dev.ok("actors", "grant", "actor-li", "certifier", *ADMIN)["roles"] == ["certifier", "reviewer"]
    assert dev("actors", "list", *APPLICANT).code == 4
    shown = dev("actors", "list", "--lang", "zh")
    assert "actor-li" in shown.out and "审核员" in shown.out and named in shown.out
    gone = dev.ok("actors", "revoke", "actor-li", *ADMIN)
    assert (gone["keys"], gone["roles"]) == ([], [])


def test_a_command_is_signed_by_who_has_the_key(dev: Running, tmp_path: Path) -> None:
    key = made(dev, tmp_path / "key.json", "actor-hong")
    env = {"LIVEBASE_LOGIN": str(tmp_path / "key.json")}
    add = ("actors", "add", "actor-hong", "--key", key["public_key"])
    dev.ok(*add, "--role", "operator", *ADMIN)
    number = dev.ok("apply", enterprise_in(tmp_path / "one").file, *APPLICANT)["case_number"]
    note = ("note", "add", number, "--text")
    for text, who in (("by role", "operator"), ("by name", "operator:actor-hong")):
        done = dev(*note, text, "--as", who, "-o", "json", env=env)
        assert done.code == 0, done.err
    dev.ok(*note, "as typed", *OPERATOR)
    entries = dev.ok("timeline", number)
    made_by = [(entry["actor"], entry["detail"].get("signed")) for entry in entries]
    assert made_by[0] == ("applicant:wang", None) and made_by[-1][1] is None, "on the local server alone"
    assert [actor for actor, signed in made_by if signed] == ["operator:actor-hong"] * 2
    assert "signed" not in dev("timeline", number).out
    done = dev(*note, "in another role", "--as", "finance", "-o", "json", env=env)
    assert (done.code, done.error["kind"]) == (4, "role_not_granted")
    dev.ok("actors", "revoke", "actor-hong", *ADMIN)
    done = dev(*note, "no more", "--as", "operator", "-o", "json", env=env)
    assert (done.code, done.error["kind"]) == (4, "signature_invalid")
    assert dev(*note, "nobody", "--as", "operator").code == 2, "without a login a name is needed"
    assert len(dev.ok("timeline", number)) == len(entries)


def test_a_login_nobody_knows_is_no_hindrance_on_the_local_server(dev: Running, tmp_path: Path) -> None:
    made(dev, tmp_path / "key.json", "wang")
    applied = ("apply", enterprise_in(tmp_path / "one").file, *APPLICANT, "-o", "json")
    done = dev(*applied, env={"LIVEBASE_LOGIN": str(tmp_path / "key.json")})
    assert done.code == 0, done.err
    assert dev.ok("timeline", done.json["case_number"])[0]["detail"]["signed"] is not None
