"""`livebase deposit import` and what follows: lines on record once, and money of no case (decision 15)."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.starter.conftest import APPLICANT, FINANCE, PAYER, REVIEWER, Cases, enterprise_in
from tests.starter.livebase import Done, Livebase, Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the reports and the path go the same way on SQLite."""

HEADER = "reference,paid_at,amount,currency,payer,note"
SECOND = ("--as", "finance:tang")
REASON = ("--reason", "付款人来函说明")
ROW = {
    "line", "reference", "amount", "payer", "paid_on", "outcome", "case_number", "credited", "unmatched", "why",
    "kind", "message", "request_id",
}  # fmt: skip
_files = itertools.count(1)


def statement(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / f"statement-{next(_files)}.csv"
    file.write_text("\r\n".join([header, *lines]) + "\r\n", "utf-8-sig")
    return file


def imported(dev: Livebase, file: Path, *more: str) -> Done:
    return dev("deposit", "import", file, *FINANCE, "-o", "json", *more)


def outcomes(done: Done) -> list[str]:
    return [row["outcome"] for row in done.json["rows"]]


class Scene:
    """Two bases whose deposit is due, and today by their clocks."""

    def __init__(self, dev: Running, folder: Path) -> None:
        self.dev, self.folder = dev, folder
        self.enterprises = [enterprise_in(folder / name) for name in ("one", "other")]
        answers = [dev.ok("apply", one.file, *APPLICANT) for one in self.enterprises]
        self.one, self.other = (answer["case_number"] for answer in answers)
        self.today = date.fromisoformat(answers[0]["accepted_at"][:10])
        for number in (self.one, self.other):
            dev.ok("review", "approve", number, "--revision", "1", *REVIEWER)

    def file(self, *lines: str, header: str = HEADER) -> Path:
        return statement(self.folder, *(line.replace("TODAY", str(self.today)) for line in lines), header=header)

    def sums(self, number: str) -> tuple[int, int]:
        shown = self.dev.ok("deposit", "show", number)
        return shown["received"]["fen"], shown["unmatched"]["fen"]

    def waiting(self) -> dict[str, Any]:
        return {row["reference"]: row for row in self.dev.ok("deposit", "unmatched")}


@pytest.fixture
def scene(dev: Running, tmp_path: Path) -> Scene:
    return Scene(dev, tmp_path)


def test_each_line_goes_where_it_belongs_and_again_it_is_only_repeated(scene: Scene) -> None:
    dev, one, other = scene.dev, scene.one, scene.other
    code = scene.enterprises[0].code
    file = scene.file(
        f"{one}-1;TODAY;40000.00;CNY;{PAYER};保证金 {code}",
        f"{one}-2;TODAY;60000.01;CNY;{PAYER};{one}",
        f"{other}-1;TODAY;5.00;CNY;谁也不认识的公司;{other}",
        f"{other}-2;TODAY;7.00;CNY;谁也不认识的公司;货款",
        header=HEADER.replace(",", ";"),
    )
    with dev.unchanged():
        foreseen = imported(dev, file, "--dry-run")
    assert (foreseen.code, outcomes(foreseen)) == (0, ["recorded", "recorded", "unmatched", "unplaced"])
    assert foreseen.json["rows"][1]["unmatched"] == {"fen": 1}

    done = imported(dev, file)
    assert done.code == 0, done.err
    assert outcomes(done) == ["recorded", "recorded", "unmatched", "unplaced"]
    assert all(set(row) == ROW for row in done.json["rows"])
    assert [row["case_number"] for row in done.json["rows"]] == [one, one, other, None]
    assert done.json["rows"][2]["why"] == "from another payer"
    assert done.json["totals"]["recorded"] == {"lines": 2, "amount": {"fen": 10_000_001}}
    assert dev.ok("show", one)["stage"] == "certifying"
    assert (scene.sums(one), scene.sums(other)) == ((10_000_000, 1), (0, 500))
    waiting = scene.waiting()[f"{other}-2"]
    assert (waiting["case_number"], waiting["amount"], waiting["note"]) == (None, {"fen": 700}, "货款")

    with dev.unchanged():
        again = imported(dev, file)
    assert (again.code, outcomes(again)) == (0, ["repeated"] * 4)
    assert scene.sums(one) == (10_000_000, 1)


def test_one_bad_line_stops_no_other_and_the_worst_code_is_told(scene: Scene, cases: Cases) -> None:
    dev, one = scene.dev, scene.one
    first = scene.file(f"{one}-1,TODAY,1.00,CNY,{PAYER},{one}")
    assert imported(dev, first).code == 0
    mixed = scene.file(
        f"{one}-1,TODAY,1.01,CNY,{PAYER},{one}",
        f"{one}-2,TODAY,2.00,CNY,{PAYER},{one}",
        f"{one}-3,TODAY,3.00,CNY,{PAYER},{cases.withdrawn}",
    )
    for _ in range(2):
        done = imported(dev, mixed)
        assert done.code == 8, done.err
        assert done.json["rows"][0]["kind"] == "reference_reused"
    assert outcomes(done) == ["refused", "repeated", "repeated"]
    assert done.json["rows"][2]["why"] == "the case has ended (withdrawn)"
    assert scene.sums(one) == (300, 0)


def test_a_bad_file_tells_all_its_problems_and_nothing_happens(scene: Scene, livebase: Livebase) -> None:
    one, tomorrow = scene.one, scene.today + timedelta(days=1)
    bad = scene.file(
        f"{one}-1,TODAY,1.00,CNY,{PAYER},{one}",
        f"{one}-1,TODAY,2.00,CNY,{PAYER},{one}",
        f"{one}-2,{tomorrow + timedelta(days=99)},0,USD,,",
        f"{one}-3,TODAY,-1.00,CNY,{PAYER},{one}",
    )
    paths = {
        "line 3.reference", "line 4.paid_at", "line 4.amount", "line 4.currency", "line 4.payer", "line 5.amount",
    }  # fmt: skip
    late = scene.file(f"{one}-1,TODAY,1.00,CNY,{PAYER},{one}", f"{one}-2,{tomorrow},1.00,CNY,{PAYER},{one}")
    with scene.dev.unchanged():
        for office in (livebase, scene.dev):
            done = imported(office, bad)
            assert (done.code, done.error["kind"]) == (2, "invalid_file")
            problems = {problem["path"] for problem in done.error["problems"]}
            assert problems - {"line 4.paid_at"} == paths - {"line 4.paid_at"}
        later = imported(scene.dev, late)
        assert (later.code, [one["path"] for one in later.error["problems"]]) == (2, ["line 3.paid_at"])
        good = scene.file(f"{one}-1,TODAY,1.00,CNY,{PAYER},{one}")
        assert scene.dev("deposit", "import", good, *REVIEWER, "-o", "json").code == 4
        assert imported(livebase, good).code == 6


def test_money_of_no_case_is_returned_by_two_people(scene: Scene) -> None:
    dev, reference = scene.dev, f"{scene.one}-stray"
    imported(dev, scene.file(f"{reference},TODAY,7.00,CNY,谁也不认识的公司,"))
    give_back = ("deposit", "unmatched", "return", reference, *REASON)
    assert dev(*give_back, *FINANCE).code == 2, "the reference has to be typed"
    assert dev(*give_back, "--yes", *REVIEWER, "-o", "json").code == 4
    foreseen = dev.ok(*give_back, *FINANCE, "--dry-run")
    assert (foreseen["dry_run"], foreseen["case_number"], foreseen["amount"]) == (True, None, {"fen": 700})
    once = ("--request-id", f"{reference}-r", "--yes", *FINANCE)
    proposed = dev.ok(*give_back, *once)
    assert (proposed["case_number"], proposed["awaiting"], proposed["repeated"]) == (None, "finance", False)
    assert dev.ok(*give_back, *once) == proposed | {"repeated": True}
    other = dev("deposit", "unmatched", "return", reference, "--reason", "again", "--yes", *FINANCE, "-o", "json")
    assert (other.code, other.error["kind"]) == (5, "proposal_pending")
    id = proposed["proposal"]
    assert id in [row["id"] for row in dev.ok("approvals", *SECOND)]
    assert id not in [row["id"] for row in dev.ok("approvals", *FINANCE)], "nobody approves their own"
    seen = dev.ok("approvals", "show", id)
    assert (seen["parameters"]["amount"], seen["outcome"], seen["changed"]) == (700, None, False)
    assert reference in dev("approvals", "show", id).out
    assert dev("approvals", "approve", id, *FINANCE, "-o", "json").code == 4
    assert dev("approvals", "approve", id, "--content", "0" * 64, *SECOND, "-o", "json").code == 8
    assert dev.ok("approvals", "approve", id, "--content", seen["content"], *SECOND)["awaiting"] == "nobody"
    assert reference not in scene.waiting()
    assert dev(*give_back, "--yes", *FINANCE, "-o", "json").code == 5
    assert dev("approvals", "approve", f"{id}9", *SECOND, "-o", "json").code == 3
    assert dev("approvals", "deny", id, *REASON, *SECOND, "-o", "json").code == 8, "it is decided"


def test_money_of_no_case_is_counted_for_a_case(scene: Scene) -> None:
    dev, one, other = scene.dev, scene.one, scene.other
    reference = f"{one}-stray"
    imported(dev, scene.file(f"{reference},TODAY,100000.00,CNY,谁也不认识的公司,"))
    assert "deposit unmatched" in dev("inbox", *FINANCE).err
    foreseen = dev.ok("deposit", "unmatched", "assign", reference, other, *REASON, *FINANCE, "--dry-run")
    assert foreseen["stage"] == "certifying"
    assert dev.ok("deposit", "unmatched", "assign", reference, other, *REASON, *FINANCE)["stage"] == "certifying"
    assert reference not in scene.waiting()
    assert dev("deposit", "unmatched", "assign", reference, one, *REASON, *FINANCE, "-o", "json").code == 5
    assert dev("deposit", "unmatched", "assign", f"{one}-never", one, *REASON, *FINANCE, "-o", "json").code == 5


def test_a_payment_on_the_wrong_base_is_moved(scene: Scene) -> None:
    dev, one, other = scene.dev, scene.one, scene.other
    imported(dev, scene.file(f"{one}-1,TODAY,100000.00,CNY,谁也不认识的公司,{one}"))
    assert (scene.sums(one), scene.waiting()[f"{one}-1"]["case_number"]) == ((0, 10_000_000), one)
    assert dev.ok("deposit", "unmatched", "assign", f"{one}-1", other, *REASON, *FINANCE)["case_number"] == other
    assert (scene.sums(one), scene.sums(other)) == ((0, 0), (10_000_000, 0))
    kinds = [line["kind"] for line in dev.ok("deposit", "show", one)["entries"]]
    assert kinds == ["unmatched", "moved_away"]


def test_a_payment_recorded_wrongly_is_taken_back_by_two_and_reported_anew(scene: Scene) -> None:
    dev, one = scene.dev, scene.one
    paid = ("deposit", "receive", one, "--reference", f"{one}-1", "--payer", PAYER, *FINANCE)
    assert dev.ok(*paid, "--amount", "100000.00")["stage"] == "certifying"
    reverse = ("deposit", "reverse", one, "--reference", f"{one}-1", "--reason", "录错金额", "--yes")
    assert dev(*reverse, *REVIEWER, "-o", "json").code == 4
    dev.ok(*reverse, *FINANCE)
    assert scene.sums(one) == (10_000_000, 0), "proposed, nothing has moved"
    (waiting,) = [row for row in dev.ok("approvals", *SECOND) if row["case_number"] == one]
    assert dev("approvals", "approve", waiting["id"], *FINANCE, "-o", "json").code == 4
    assert dev.ok("approvals", "approve", waiting["id"], *SECOND)["stage"] == "deposit"
    assert scene.sums(one) == (0, 0)
    reported = dev(*paid, "--amount", "10000.00", "-o", "json")
    assert (reported.code, reported.error["kind"]) == (8, "reference_reused")
    dev.ok(*paid, "--amount", "10000.00", "--correction")
    assert scene.sums(one) == (1_000_000, 0)
    assert [line["kind"] for line in dev.ok("deposit", "show", one)["entries"]] == ["received", "reversed", "received"]
    again = dev(*reverse[:4], f"{one}-9", *reverse[5:], *FINANCE, "-o", "json")
    assert (again.code, again.error["kind"]) == (5, "nothing_to_take_back")


def test_a_statement_is_reconciled_with_our_book(scene: Scene) -> None:
    """Days long before all others of this office, so that nobody else's money is among them."""
    dev, one = scene.dev, scene.one
    first, last = date(2019, 1, 1) + timedelta(days=int(one[-6:])), date(2019, 1, 1) + timedelta(days=int(one[-6:]))
    good = [f"{one}-1,{first},1.00,CNY,{PAYER},{one}", f"{one}-2,{last},2.00,CNY,谁也不认识的公司,"]
    file = scene.file(*good)
    assert outcomes(imported(dev, file)) == ["unmatched", "unplaced"]
    same = dev("deposit", "reconcile", file, *FINANCE, "-o", "json")
    assert (same.code, same.json["differences"]) == (0, []), same.err
    assert (same.json["from"], same.json["outgoing_compared"]) == (str(first), False)
    assert dev("deposit", "reconcile", file).code == 0, "to read, nobody need be named"
    other = scene.file(f"{one}-2,{last},2.50,CNY,谁也不认识的公司,", f"{one}-9,{first},-7.00,CNY,{PAYER},")
    done = dev("deposit", "reconcile", other, *FINANCE, "-o", "json")
    assert done.code == 1
    found = [(row["kind"], row["reference"], row["fields"]) for row in done.json["differences"]]
    assert found == [
        ("differs", f"{one}-2", ["amount"]), ("missing_with_us", f"{one}-9", []), ("missing_at_bank", f"{one}-1", []),
    ]  # fmt: skip
    assert done.json["differences"][0]["bank"]["amount"] == {"fen": 250}
    table = dev("deposit", "reconcile", other, *FINANCE)
    assert table.code == 1 and f"{one}-9" in table.out
    assert dev("deposit", "reconcile", other, *APPLICANT).code == 4


def test_the_report_of_deposits_has_every_base_and_the_total(scene: Scene) -> None:
    dev, one, day = scene.dev, scene.one, str(scene.today)
    imported(dev, scene.file(f"{one}-1,TODAY,100000.05,CNY,{PAYER},{one}"))
    rows = dev.ok("report", "deposits", "--from", day, "--to", day)
    (own,) = [row for row in rows if row["case_number"] == one]
    assert (own["received"], own["credited"]) == ({"fen": 10_000_005}, {"fen": 10_000_000})
    assert (own["held"], own["unmatched"]) == ({"fen": 10_000_000}, {"fen": 5})
    assert rows[-1]["kind"] == "total" and rows[-1]["received"]["fen"] >= 10_000_005
    assert dev("report", "deposits", "--from", day).code == 2
    assert "100,000.00" in dev("report", "deposits", "--from", day, "--to", day).out
