"""Letters on the command line: listed, read, sent again; on a real local server with its mail server."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from starter.mail_sink import times_received
from store.tables import NoticeRow
from tests.starter.conftest import APPLICANT, OPERATOR, REVIEWER, Enterprise, enterprise_in
from tests.starter.livebase import Livebase, Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the path's own tests run on both databases."""

FIELDS = {
    "case_number", "letter", "kind", "recipient", "subject", "state", "attempts", "written_at", "next_try_at",
    "delivered_at", "error",
}  # fmt: skip


@pytest.fixture(scope="module")
def withdrawn(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The number of a closed case whose two letters have arrived."""
    enterprise: Enterprise = enterprise_in(tmp_path_factory.mktemp("withdrawn"))
    number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    dev.ok("withdraw", number, "--reason", "搬迁", *APPLICANT)
    when(dev, number, lambda letters: {letter["state"] for letter in letters} == {"delivered"})
    return number


def when(dev: Running, number: str, wanted: Any) -> list[dict[str, Any]]:
    """The case's letters once they are as wanted."""
    until = time.monotonic() + 30
    while not wanted(letters := dev.ok("notices", "list", number)):
        assert time.monotonic() < until, letters
    return list(letters)


def set_state(dev: Running, number: str, letter: str, state: str, error: str) -> None:
    """As the delivery would leave a letter that is refused."""
    sequence, place = letter.split(".")
    key = {"case_number": number, "sequence": int(sequence), "place": int(place)}
    dev.change(update(NoticeRow).filter_by(**key).values(state=state, error=error, delivered_at=None))


def mail(dev: Running) -> Path:
    return Path(dev.state["mail_folder"])


def test_dev_tells_where_letters_are(dev: Running) -> None:
    told = dev.ok("dev", "--detach")
    assert told["mail_folder"] == str(dev.folder / "mail")
    assert told["mail_address"].startswith("127.0.0.1:")
    assert set(told) >= {"pid", "address", "namespace", "web_url", "web_hint", "started_at", "data_dir"}
    table = dev("dev", "--detach").out
    assert f"{told['mail_folder']} (SMTP {told['mail_address']})" in table
    check = next(check for check in dev.ok("doctor") if check["check"] == "mail server")
    assert (check["ok"], check["what"]) == (True, told["mail_address"])


def test_letters_are_listed_with_their_delivery_and_read(dev: Running, withdrawn: str) -> None:
    letters = dev.ok("notices", "list", withdrawn)
    assert [set(letter) for letter in letters] == [FIELDS, FIELDS]
    assert [(letter["kind"], letter["recipient"], letter["attempts"]) for letter in letters] == [
        ("application_received", "applicant", 1),
        ("application_withdrawn", "applicant", 1),
    ]
    table, chinese, text, shown = dev.each(
        ("notices", "list", withdrawn),
        ("notices", "list", withdrawn, "--lang", "zh"),
        ("notices", "show", withdrawn, letters[1]["letter"]),
        ("notices", "show", withdrawn, letters[1]["letter"], "-o", "json"),
    )
    assert "delivered" in table.out and "已送达" in chinese.out
    assert "原因:搬迁" in text.out and withdrawn in text.out
    assert shown.json["body"] in Path(shown.json["file"]).read_text("utf-8")
    assert Path(shown.json["file"]) == mail(dev) / f"{withdrawn}.{letters[1]['letter']}.eml"


def test_without_a_base_what_has_not_arrived_is_listed(dev: Running, withdrawn: str, applied: str) -> None:
    letter = when(dev, applied, lambda letters: letters[0]["state"] == "delivered")[0]["letter"]
    set_state(dev, applied, letter, "undeliverable", "550 no such user")
    everything, stuck, arrived = dev.each(
        ("notices", "list", "-o", "json"),
        ("notices", "list", "--state", "undeliverable", "-o", "json"),
        ("notices", "list", withdrawn, "--state", "failed"),
    )
    assert (applied, "550 no such user") in {(each["case_number"], each["error"]) for each in everything.json}
    assert withdrawn not in {each["case_number"] for each in everything.json}
    assert {each["state"] for each in stuck.json} == {"undeliverable"}
    assert arrived.code == 0 and arrived.out == "" and "No such letters" in arrived.err


def test_what_could_not_be_delivered_is_sent_again_once_however_often_it_is_asked_for(
    dev: Running, applied: str
) -> None:
    letter = when(dev, applied, lambda letters: letters[0]["state"] == "delivered")[0]["letter"]
    set_state(dev, applied, letter, "undeliverable", "550 no such user")
    resend = ("notices", "resend", applied, *OPERATOR)
    with dev.unchanged():
        assert dev.ok(*resend, "--dry-run")["dry_run"] is True
    first = dev.ok(*resend, "--request-id", f"again-{applied}")
    assert (first["case_number"], first["stage"], first["repeated"]) == (applied, "review", False)
    again = when(dev, applied, lambda letters: letters[0]["state"] == "delivered")[0]
    assert (again["attempts"], again["error"]) == (2, "")
    assert times_received(mail(dev) / f"{applied}.{letter}.eml") == 2, (
        "it had arrived in truth: one file, which says so"
    )
    assert dev.ok(*resend, "--request-id", f"again-{applied}")["repeated"] is True
    assert dev.ok("timeline", applied)[-1]["event"] == "letters_resent"
    refused = dev(*resend, "-o", "json")
    assert (refused.code, refused.error["kind"]) == (5, "nothing_to_resend")


def test_a_letter_of_a_closed_case_is_sent_again(dev: Running, withdrawn: str) -> None:
    letter = dev.ok("notices", "list", withdrawn)[0]["letter"]
    answer = dev.ok("notices", "resend", withdrawn, "--letter", letter, *OPERATOR)
    assert (answer["stage"], answer["standing"]) == ("closed", "withdrawn")
    when(dev, withdrawn, lambda letters: letters[0]["attempts"] == 2 and letters[0]["state"] == "delivered")
    assert times_received(mail(dev) / f"{withdrawn}.{letter}.r1.eml") == 1


def test_who_may_not_and_what_is_not_there(dev: Running, withdrawn: str, livebase: Livebase) -> None:
    done = dev.each(
        ("notices", "list", withdrawn, *APPLICANT, "-o", "json"),
        ("notices", "resend", withdrawn, *REVIEWER, "-o", "json"),
        ("notices", "resend", withdrawn, *APPLICANT, "-o", "json"),
        ("notices", "resend", withdrawn, "-o", "json"),
        ("notices", "resend", withdrawn, "--letter", "first", *OPERATOR, "-o", "json"),
        ("notices", "resend", withdrawn, "--letter", "99.0", *OPERATOR, "-o", "json"),
        ("notices", "resend", "LB-2020-000001", *OPERATOR, "-o", "json"),
        ("notices", "show", withdrawn, "99.0", "-o", "json"),
        ("notices", "list", "--state", "lost", "-o", "json"),
    )
    assert [each.code for each in done] == [4, 4, 4, 2, 2, 3, 3, 3, 2]
    assert all(each.error["hint"] for each in done)
    assert livebase("notices", "list").code == 6
    assert json.loads(dev("notices", "list", withdrawn, "-o", "json", "--as", "auditor:he").out)
