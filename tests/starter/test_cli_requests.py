"""Request ids: a repeat is harmless, whoever sends it, whenever, and even with the server gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.starter.conftest import APPLICANT, FINANCE, PAYER, REVIEWER, Enterprise, enterprise_in
from tests.starter.livebase import Livebase, Running

ONLY_ON = "postgresql"
"""tests/path/test_requests.py sends the same requests on both."""


class Withdrawn:
    """A case that was applied for, supplemented and withdrawn, each under a request id of its own."""

    def __init__(self, dev: Running, enterprise: Enterprise) -> None:
        self.enterprise = enterprise
        self.words: dict[str, tuple[str | Path, ...]] = {}
        self.first: dict[str, dict[str, Any]] = {}
        code = enterprise.code
        item = ("--item", "A4.area: a newer floor plan")
        self._send(dev, "apply", "apply", enterprise.file, *APPLICANT)
        self._send(dev, "request", "review", "request", code, "--revision", "1", *item, *REVIEWER)
        self._send(dev, "supplement", "supplement", code, enterprise.supplement(), *APPLICANT)
        self._send(dev, "withdraw", "withdraw", code, "--reason", "we move elsewhere", *APPLICANT)

    def _send(self, dev: Running, name: str, *words: str | Path) -> None:
        self.words[name] = (*words, "--request-id", f"{self.enterprise.code}-{name}", "-o", "json")
        self.first[name] = dev.ok(*self.words[name])


@pytest.fixture(scope="module")
def withdrawn(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> Withdrawn:
    return Withdrawn(dev, enterprise_in(tmp_path_factory.mktemp("requests")))


@pytest.fixture(scope="module")
def alone(dev: Running, withdrawn: Withdrawn, tmp_path_factory: pytest.TempPathFactory) -> Livebase:
    """The records as they are then, with no server anywhere."""
    return dev.copy_of_the_records(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def open_case(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The number of a case in review, which the tests that need one share."""
    enterprise = enterprise_in(tmp_path_factory.mktemp("open"))
    number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    return number


def test_an_id_that_was_given_is_the_answer_s(withdrawn: Withdrawn) -> None:
    assert {name: answer["request_id"] for name, answer in withdrawn.first.items()} == {
        name: f"{withdrawn.enterprise.code}-{name}" for name in withdrawn.words
    }


def test_a_repeat_is_done_with_the_first_answer_after_the_case_has_closed(dev: Running, withdrawn: Withdrawn) -> None:
    with dev.unchanged():
        repeats = dev.each(*withdrawn.words.values())
    assert [done.code for done in repeats] == [0] * len(repeats)
    assert [done.json for done in repeats] == [{**first, "repeated": True} for first in withdrawn.first.values()]


def test_a_repeat_is_done_with_the_first_answer_with_no_server_at_all(withdrawn: Withdrawn, alone: Livebase) -> None:
    names = ("apply", "withdraw")
    repeats = alone.each(*(withdrawn.words[name] for name in names))
    assert [done.json for done in repeats] == [{**withdrawn.first[name], "repeated": True} for name in names]


def test_a_repeat_may_name_the_base_another_way_and_is_not_announced_again(dev: Running, withdrawn: Withdrawn) -> None:
    number, id = withdrawn.first["apply"]["case_number"], withdrawn.first["withdraw"]["request_id"]
    done = dev("withdraw", number, "--reason", "we move elsewhere", *APPLICANT, "--request-id", id)
    assert done.code == 0
    assert "done before" in done.out
    assert "request id" not in done.err


def test_an_id_with_other_parameters_or_for_another_command_is_a_conflict(
    dev: Running, withdrawn: Withdrawn, alone: Livebase, enterprise: Enterprise
) -> None:
    code, id = withdrawn.enterprise.code, withdrawn.first["withdraw"]["request_id"]
    words: list[tuple[str | Path, ...]] = [
        ("withdraw", code, "--reason", "another reason", *APPLICANT),
        ("review", "take", code, *REVIEWER),
        ("apply", enterprise.file, *APPLICANT),
    ]
    with dev.unchanged():
        done = dev.each(*((*one, "--request-id", id, "-o", "json") for one in words))
    assert [(one.code, one.error["kind"]) for one in done] == [(8, "request_id_reused")] * len(words)
    assert alone(*words[0], "--request-id", id).code == 6, "only what is done is answered without a server"


def test_a_generated_id_is_printed_before_anything_is_sent(dev: Running, open_case: str) -> None:
    with dev.freeze_worker():
        waiting = dev.start("review", "take", open_case, *REVIEWER, "-o", "json")
        assert waiting.stderr is not None
        announced = waiting.stderr.readline().strip()
        assert waiting.poll() is None
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    name, id = announced.split(": ")
    assert name == "request id"
    assert f'"request_id": "{id}"' in out


def test_the_same_request_sent_twice_at_once_is_one_effect(dev: Running, open_case: str) -> None:
    paid = ("deposit", "receive", open_case, "--amount", "70000", "--reference", f"{open_case}-twice", "--payer", PAYER)
    both = dev.each(*[(*paid, *FINANCE, "--request-id", f"{open_case}-twice", "-o", "json")] * 2)
    assert [done.code for done in both] == [0, 0]
    one, other = (done.json for done in both)
    assert {**one, "repeated": None} == {**other, "repeated": None}
    assert len(dev.ok("deposit", "show", open_case)["entries"]) == 1
    events = [entry["event"] for entry in dev.ok("timeline", open_case)]
    assert events.count("deposit_received") == 1


def test_a_refused_request_may_be_sent_again_under_its_id(dev: Running, open_case: str) -> None:
    again = ("--request-id", f"{open_case}-again", *REVIEWER)
    assert dev("review", "approve", open_case, "--revision", "2", *again).code == 8
    assert dev.ok("review", "approve", open_case, "--revision", "1", *again)["repeated"] is False


def test_an_id_that_can_t_be_kept_is_wrong_usage(livebase: Livebase) -> None:
    take = ("review", "take", "LB-2026-000001", *REVIEWER, "-o", "json", "--request-id")
    done = livebase.each((*take, "x" * 201), (*take, "a\nb"), (*take, "a\u202eb"))
    assert [(one.code, one.error["kind"]) for one in done] == [(2, "usage")] * len(done)


def test_an_empty_id_is_wrong_usage_and_no_id_made_up_instead(livebase: Livebase) -> None:
    """A script whose variable is empty would repeat itself unharmed by accident only."""
    done = livebase("review", "take", "LB-2026-000001", *REVIEWER, "--request-id", "", "-o", "json")
    assert (done.code, done.error["kind"]) == (2, "usage")
