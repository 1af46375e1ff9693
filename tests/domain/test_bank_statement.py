"""A bank's statement: read whole, every problem told, and each line's base found (design/files.md)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.bank_statement import COLUMNS, InvalidStatement, StatementLine, read_statement
from domain.case import Case
from domain.placing import (
    NOBODYS,
    SEVERAL_NAMED,
    SEVERAL_PAYERS,
    UNKNOWN_NAMED,
    Placed,
    is_due,
    named_in,
    payers,
    place,
    refund_in,
)
from tests.domain import cases, deductions

LATEST = date(2026, 12, 1)
HEADER = ",".join(COLUMNS)
CODE = "91330782MA2K7P3R1U"
OTHER = "91330782MA2000001K"


def read(*lines: str, header: str = HEADER, going_out: bool = False) -> tuple[StatementLine, ...]:
    return read_statement("\n".join([header, *lines]) + "\n", latest=LATEST, going_out=going_out)


def paths(*lines: str, header: str = HEADER) -> set[str]:
    with pytest.raises(InvalidStatement) as info:
        read(*lines, header=header)
    return {problem.path for problem in info.value.problems}


class TestReading:
    def test_amounts_dates_and_references_are_exact(self) -> None:
        (line,) = read(f" B 1 ,2026-11-30T20:00:00Z,100000.01,cny,义乌,{CODE}")
        assert (line.reference, line.paid_on, line.amount) == ("B1", LATEST, 10_000_001)

    def test_any_order_either_delimiter_quotes_and_blank_lines(self) -> None:
        given = read(
            '"备注;有分号";CNY;0.5;义乌;2026-11-01;B1', "", header="note;currency;amount;payer;paid_at;reference"
        )
        assert [(one.line, one.amount, one.note) for one in given] == [(2, 50, "备注;有分号")]

    @pytest.mark.parametrize("amount", ["0", "0.00", "-1", "+1", "1.234", "1e5", "1,000.00", "１", "", "9" * 20, "NaN"])
    def test_an_amount_that_is_none(self, amount: str) -> None:
        assert paths(f'B1,2026-11-01,"{amount}",CNY,p,') == {"line 2.amount"}

    @pytest.mark.parametrize("day", ["2026-12-02", "2026-02-30", "gestern", "", "0001-01-01", "9999-12-31"])
    def test_a_date_that_is_none_or_to_come(self, day: str) -> None:
        assert paths(f"B1,{day},1,CNY,p,") == {"line 2.paid_at"}

    def test_every_problem_of_every_line_at_once(self) -> None:
        wrong = (",x,0,USD,,\u202e", "B1,2026-11-01,1,CNY,p", "B2,2026-11-01,1,CNY,p,", "Ｂ 2,2026-11-02,2,CNY,q,")
        assert paths(*wrong) == {
            "line 2.reference", "line 2.paid_at", "line 2.amount", "line 2.currency", "line 2.payer", "line 2.note",
            "line 3", "line 5.reference",
        }  # fmt: skip

    def test_another_header(self) -> None:
        assert paths(header="reference,paid_at,amount,currency,payer,payer,remark") == {
            "header.note", "header.payer", "header[6]",
        }  # fmt: skip
        assert paths() == {""}

    def test_what_went_out_is_only_for_a_comparison(self) -> None:
        assert paths("B1,2026-11-01,-5,CNY,p,") == {"line 2.amount"}
        given = read("B1,2026-11-01,5,CNY,p,", "B1,2026-11-02,-5,CNY,p,", going_out=True)
        assert [one.amount for one in given] == [500, -500]


def known(case: Case, **names: str) -> dict[str, Case]:
    return {case.case_number: case, case.credit_code: case}


def another(case: Case, number: str, code: str = OTHER, payer: str = "别家公司") -> Case:
    return case.model_copy(update={"case_number": number, "credit_code": code, "payer_names": (payer,)})


OWN = cases.in_deposit()
SECOND = another(cases.in_deposit(), "LB-2026-000002")
EARLIER = another(cases.in_deposit(), "LB-2025-000009", CODE, cases.payer())
KNOWN = known(OWN) | known(SECOND) | {EARLIER.case_number: EARLIER}


@pytest.mark.parametrize(
    ("note", "payer", "placed"),
    [
        (f"保证金{CODE}", "谁也不是", Placed(OWN.case_number)),
        ("９１３３０７８２ma2k7p3r1u", "谁也不是", Placed(OWN.case_number)),
        ("lb-2026-000001 保证金", "谁也不是", Placed(OWN.case_number)),
        (f"{CODE} 案件LB-2025-000009", "x", Placed(EARLIER.case_number)),
        (f"{CODE} / {OTHER}", cases.payer(), Placed(None, SEVERAL_NAMED)),
        ("LB-2026-000001 LB-2026-000002", "x", Placed(None, SEVERAL_NAMED)),
        ("LBC-2026-000001", "x", Placed(None, NOBODYS)),
        ("", cases.payer(), Placed(OWN.case_number)),
        ("保证金", f" {cases.payer()} ", Placed(OWN.case_number)),
        ("LB-2026-000777", cases.payer(), Placed(OWN.case_number)),
        ("LB-2026-000777", "x", Placed(None, UNKNOWN_NAMED)),
        ("91330782MA2K7P3R1V", "x", Placed(None, NOBODYS)),
        ("", "x", Placed(None, NOBODYS)),
    ],
)
def test_whose_a_line_is(note: str, payer: str, placed: Placed) -> None:
    line = StatementLine(line=2, reference="B1", paid_on=LATEST, amount=1, payer=payer, note=note)
    assert place(line.note, line.payer, KNOWN, payers([OWN, SECOND])) == placed


def test_a_payer_of_two_bases_is_nobody_s() -> None:
    line = StatementLine(line=2, reference="B1", paid_on=LATEST, amount=1, payer="别家公司")
    twice = payers([SECOND, another(OWN, "LB-2026-000003")])
    assert place(line.note, line.payer, {}, twice) == Placed(None, SEVERAL_PAYERS)


def test_what_a_note_names() -> None:
    assert named_in("9133 0782 MA2K 7P3R 1U") == (CODE,)
    assert named_in("X91330782MA2K7P3R1U") == ()


def test_a_deposit_is_due_before_the_certification_and_in_a_top_up() -> None:
    due = {"deposit": cases.in_deposit(), "top-up": deductions.short(), "suspended": deductions.suspended()}
    assert all(is_due(case.model_dump()["tasks"]) for case in due.values())
    for case in (cases.in_review(), cases.in_certifying(), cases.in_valid()):
        assert not is_due(case.model_dump()["tasks"])


def test_a_refund_of_ours_that_comes_back_names_no_case_to_pay_into() -> None:
    note = "退汇 LB-2026-000001-12-R1"
    assert named_in(note) == () and refund_in(note) == ("LB-2026-000001-12-R1", "LB-2026-000001")
    assert named_in("LB-2026-000001-12") == ("LB-2026-000001",) and refund_in("LB-2026-000001") is None
