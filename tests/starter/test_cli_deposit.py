"""Money: it adds up, it is counted once, and it is never dropped."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.starter.conftest import ANSWER, APPLICANT, FINANCE, PAYER, Cases, enterprise_in
from tests.starter.livebase import Done, Livebase, Running

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""


def paid(base: str, amount: str, reference: str, payer: str = PAYER, *more: str) -> tuple[str, ...]:
    words = ("--amount", amount, "--reference", reference, "--payer", payer, *more)
    return ("deposit", "receive", base, *words, *FINANCE, "-o", "json")


class Paid:
    """A case in review to which all kinds of payments came, and what each was answered."""

    def __init__(self, dev: Running, folder: Path) -> None:
        applied = dev.ok("apply", enterprise_in(folder).file, *APPLICANT)
        self.number, opened = applied["case_number"], date.fromisoformat(applied["accepted_at"][:10])
        first = {
            "part": paid(self.number, "40000.00", f"{self.number}-1"),
            "before": paid(self.number, "1", f"{self.number}-2", PAYER, "--paid-at", str(opened - timedelta(days=1))),
            "stranger": paid(self.number, "100000", f"{self.number}-3", "王建国"),
            "tomorrow": paid(self.number, "7", f"{self.number}-4", PAYER, "--paid-at", str(opened + timedelta(days=2))),
        }
        then = {
            "reported again": paid(self.number, "40000", f"{self.number}-1", f" {PAYER} "),
            "under the first's reference": paid(self.number, "40000.01", f"{self.number}-1"),
            "rest and more": paid(self.number, "60000.01", f"{self.number}-5"),
        }
        self.done: dict[str, Done] = {}
        for payments in (first, then):
            self.done |= dict(zip(payments, dev.each(*payments.values()), strict=True))
        self.done["one too many"] = dev(*paid(self.number, "5", f"{self.number}-6"))
        self.view: dict[str, Any] = dev.ok("deposit", "show", self.number)


@pytest.fixture(scope="module")
def payments(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> Paid:
    return Paid(dev, tmp_path_factory.mktemp("deposit") / "enterprise")


def entry(payments: Paid, place: int) -> list[tuple[str, int]]:
    lines = [line for line in payments.view["entries"] if line["reference"] == f"{payments.number}-{place}"]
    return sorted((line["kind"], line["amount"]["fen"]) for line in lines)


def test_parts_add_up_and_what_is_over_is_unmatched(payments: Paid) -> None:
    assert entry(payments, 1) == [("received", 4_000_000)]
    assert entry(payments, 5) == [("received", 6_000_000), ("unmatched", 1)]
    assert entry(payments, 6) == [("unmatched", 500)]
    sums = {name: payments.view[name]["fen"] for name in ("required", "received", "held")}
    assert sums == {"required": 10_000_000, "received": 10_000_000, "held": 10_000_000}


def test_unmatched_stands_apart_from_what_is_held(payments: Paid) -> None:
    assert payments.view["unmatched"] == {"fen": 1 + 500 + 100 + 10_000_000}


def test_whatever_is_recorded_is_done(payments: Paid) -> None:
    recorded = ("part", "before", "stranger", "rest and more", "one too many")
    assert {name: payments.done[name].code for name in recorded} == dict.fromkeys(recorded, 0)
    for name in recorded:
        answer = payments.done[name].json
        assert set(answer) == ANSWER
        assert answer["stage"] == "review", "money before the approval counts, and decides nothing"


def test_money_from_before_the_application_or_of_another_payer_is_unmatched(payments: Paid) -> None:
    assert entry(payments, 2) == [("unmatched", 100)]
    assert entry(payments, 3) == [("unmatched", 10_000_000)]


def test_a_reference_reported_again_with_the_same_content_is_a_repeat(payments: Paid) -> None:
    """However it is written: 40000 is 40000.00, and spaces around a name don't count."""
    assert payments.done["reported again"].code == 0
    assert entry(payments, 1) == [("received", 4_000_000)]


def test_a_reference_with_other_content_is_a_conflict(payments: Paid) -> None:
    done = payments.done["under the first's reference"]
    assert (done.code, done.error["kind"]) == (8, "reference_reused")


def test_a_value_date_after_the_case_s_today_is_wrong(payments: Paid) -> None:
    done = payments.done["tomorrow"]
    assert (done.code, done.error["kind"]) == (2, "invalid_value")
    assert entry(payments, 4) == []


def test_money_for_an_ended_and_for_a_closed_case_is_recorded_as_unmatched(
    dev: Running, payments: Paid, cases: Cases
) -> None:
    """A rejected case is settling for its appeal window; a withdrawn one without money is closed."""
    both = {cases.rejected: "settling", cases.withdrawn: "closed"}
    paid_late = dev.each(*(paid(number, "100000", f"{number}-late") for number in both))
    views = dev.each(*(("deposit", "show", number, "-o", "json") for number in both))
    for (number, stage), done, shown in zip(both.items(), paid_late, views, strict=True):
        assert done.code == 0, done.err
        assert done.json["stage"] == stage
        assert (shown.json["held"]["fen"], shown.json["unmatched"]["fen"]) == (0, 10_000_000)
        entries = [(line["kind"], line["reference"]) for line in shown.json["entries"]]
        assert entries == [("unmatched", f"{number}-late")]


AMOUNTS = ["0.00", "-1", "1.234", "1e5", "１００", "9" * 20]


def test_an_amount_that_is_none_is_wrong_usage(livebase: Livebase) -> None:
    done = livebase.each(*(paid("LB-2026-000001", amount, "R") for amount in AMOUNTS))
    assert [(one.code, one.error["kind"]) for one in done] == [(2, "usage")] * len(AMOUNTS)


def test_a_payment_without_a_proper_reference_payer_or_date_is_wrong_usage(livebase: Livebase) -> None:
    done = livebase.each(
        paid("LB-2026-000001", "1", " "),
        paid("LB-2026-000001", "1", "R", "P" * 201),
        paid("LB-2026-000001", "1", "R", "\u202e" + PAYER),
        paid("LB-2026-000001", "1", "R", PAYER, "--paid-at", "2026-02-30"),
    )
    assert [one.code for one in done] == [2] * len(done)


def test_all_that_is_wrong_with_another_account_is_told_at_once(livebase: Livebase) -> None:
    words = ("deposit", "refund", "LB-2026-000001", "--amount", "1", "--reason", "r", "--yes", *FINANCE, "-o", "json")
    for given, wrong in (
        (("--account", "12-34"), ["--account", "--account-name", "--evidence"]),
        (("--account-name", "某公司"), ["--account", "--evidence"]),
        (("--account", "6222 0202-0001 2345", "--account-name", "某公司"), ["--evidence"]),
    ):
        done = livebase(*words, *given)
        assert (done.code, [one["path"] for one in done.error["problems"]]) == (2, wrong)
        assert "6222020200012345" not in done.out + done.err
