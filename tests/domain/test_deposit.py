"""The deposit's rules as tables (requirement A3, decisions 14 and 15, design/cli.md Deposit)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain import deposit
from domain.commands import ReceiveDeposit
from domain.records import Payment
from domain.refusals import Refusal, RefusalKind
from domain.stages import Role, Stage
from tests.domain import cases

DUE = date(2026, 4, 1)


def test_the_due_date_is_thirty_days_after_the_approval_and_the_grace_five_working_days_more() -> None:
    case = cases.in_deposit()
    assert case.deposit_due_on == DUE
    lapse = next(planned for planned in case.plan if planned.event == "lapse_deposit")
    # 04-02, 04-03, (04-04 to 04-06 Qingming), 04-07, 04-08, 04-09
    assert lapse.at == cases.midnight(date(2026, 4, 10))
    assert case.due_at == cases.midnight(date(2026, 4, 2))


@pytest.mark.parametrize(
    ("amount", "credited", "unmatched", "stage"),
    [
        (9_999_999, 9_999_999, 0, Stage.DEPOSIT),
        (10_000_000, 10_000_000, 0, Stage.CERTIFYING),
        (10_000_001, 10_000_000, 1, Stage.CERTIFYING),
        (20_000_000, 10_000_000, 10_000_000, Stage.CERTIFYING),
    ],
)
def test_only_the_full_sum_passes_and_the_rest_is_unmatched(
    amount: int, credited: int, unmatched: int, stage: Stage
) -> None:
    case = cases.paid(cases.in_deposit(), amount).case
    assert (case.deposit.received, case.deposit.unmatched, case.stage) == (credited, unmatched, stage)
    assert ("unmatched_money" in {task.kind for task in case.tasks}) is bool(unmatched)


def test_parts_add_up() -> None:
    first = cases.paid(cases.in_deposit(), 4_000_000).case
    assert (first.stage, first.deposit.missing) == (Stage.DEPOSIT, 6_000_000)
    second = cases.paid(first, 6_000_000, reference="B2").case
    assert (second.stage, second.awaiting) == (Stage.CERTIFYING, Role.CERTIFIER)


@pytest.mark.parametrize(
    ("paid_on", "credited"),
    [
        (date(2026, 3, 1), False),
        (date(2026, 3, 2), True),
        (DUE, True),
        (DUE + timedelta(days=1), False),
    ],
)
def test_the_value_date_decides_what_is_credited(paid_on: date, credited: bool) -> None:
    reported = cases.midnight(date(2026, 4, 9))
    case = cases.paid(cases.in_deposit(), 10_000_000, reported, paid_on=paid_on).case
    assert (case.deposit.received > 0) is credited
    assert case.deposit.received + case.deposit.unmatched == 10_000_000


def test_a_value_date_after_today_is_invalid() -> None:
    with pytest.raises(Refusal) as info:
        cases.paid(cases.in_deposit(), 1, paid_on=date(2026, 3, 3))
    assert info.value.kind is RefusalKind.INVALID_VALUE


@pytest.mark.parametrize(
    ("name", "credited"),
    [
        ("{payer}", True),
        (" {payer} ", True),
        ("{payer}有限", False),
        ("somebody else", False),
    ],
)
def test_the_payer_is_compared_normalised(name: str, credited: bool) -> None:
    case = cases.paid(cases.in_deposit(), 100, payer=name.format(payer=cases.payer())).case
    assert (case.deposit.received == 100) is credited


def test_full_width_and_case_do_not_make_another_payer() -> None:
    assert deposit.normalised_payer("ABC(义乌) 公司") == deposit.normalised_payer("abc(义乌)公司")


@pytest.mark.parametrize("stage", ["certifying", "publishing", "valid", "settling"])
def test_money_that_fits_nowhere_is_unmatched_never_dropped(stage: str) -> None:
    case = cases.STAGES[stage]()
    after = cases.paid(case, 500, case.opened_at + timedelta(days=400), reference="B9", paid_on=date(2026, 3, 2))
    assert after.case.deposit.unmatched == 500
    assert after.case.stage is case.stage
    assert after.event == "payment_unmatched"


@pytest.mark.parametrize("stage", ["review", "supplement"])
def test_money_before_the_approval_counts(stage: str) -> None:
    case = cases.paid(cases.STAGES[stage](), 10_000_000).case
    assert case.deposit.missing == 0
    assert case.stage == stage


@pytest.mark.parametrize(
    ("changes", "known_case", "repeat"),
    [
        ({}, "LB-2026-000001", True),
        ({"paid_on": date(2026, 3, 2)}, "LB-2026-000001", True),
        ({"amount": 101}, "LB-2026-000001", False),
        ({"payer": "other"}, "LB-2026-000001", False),
        ({"paid_on": date(2026, 3, 1)}, "LB-2026-000001", False),
        ({}, "LB-2026-000002", False),
    ],
)
def test_a_reference_is_counted_once(changes: dict[str, object], known_case: str, repeat: bool) -> None:
    known = Payment("B1", 100, cases.payer(), date(2026, 3, 2), 100, 0)
    fields: dict[str, object] = {"amount": 100, "reference": "B1", "payer": cases.payer(), **changes}
    command = cases.command(ReceiveDeposit, cases.FINANCE, **fields)
    case = cases.in_deposit()

    def receive() -> object:
        names = cases.submission().application.payer_names
        return deposit.receive(case, command, names, known, known_case, cases.setting(cases.OPENED))

    if repeat:
        assert getattr(receive(), "case").deposit == case.deposit  # noqa: B009
    else:
        with pytest.raises(Refusal) as info:
            receive()
        assert info.value.kind is RefusalKind.REFERENCE_REUSED
