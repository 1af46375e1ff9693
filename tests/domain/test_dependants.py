"""Who depends on a base, and what ends with its certification (E50; R5, R8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from domain import deciding
from domain.case import Case
from domain.commands import Command, DecideAppeal, Dissolve, Reinstate, Revoke, Surrender, Suspend
from domain.dependants import Authorised, Dependants, dependants, ended_at, in_force
from domain.records import Letter, Transition
from domain.shanghai import end_of_day
from domain.stages import Role
from tests.domain import cases
from tests.domain.test_appeal import JUDGE

NOW = cases.OPENED
DAY = timedelta(days=1)
LONG = Authorised("双十一专场", date(2028, 11, 11), NOW)
"""Given on the first day, for longer than the year lasts."""


def left(case: Case, kind: type[Command], who: Any) -> Case:
    return cases.done(case, cases.command(kind, who, reason="r"), NOW + DAY).case


ENDED: dict[str, Callable[[], Case]] = {
    "revoked": cases.revoked,
    "surrendered": lambda: left(cases.in_valid(), Surrender, cases.APPLICANT),
    "surrendered with a next term waiting": lambda: left(cases.renewed(), Surrender, cases.APPLICANT),
    "dissolved": lambda: left(cases.in_valid(), Dissolve, cases.OPERATOR),
    "invalid": lambda: cases.confirmed(cases.failing()).case,
    "expired": cases.expired,
    "expired through us": cases.delayed_by_us,
}


@pytest.mark.parametrize("how", ENDED)
def test_an_authorisation_ends_with_the_certification_however_it_ends_e50(how: str) -> None:
    case = ENDED[how]()
    assert case.ending is not None
    end = case.ending.legal_at
    instant = timedelta(microseconds=1)
    assert (ended_at(case, LONG, end), in_force(case, LONG, end)) == (end, False)
    assert ended_at(case, LONG, end - instant) is None and in_force(case, LONG, end - instant)


def test_it_ends_with_the_term_though_no_worker_was_there_e50() -> None:
    case = cases.in_valid()
    until = case.terms[0].until
    assert ended_at(case, LONG, until) == until and not in_force(case, LONG, until)


def test_its_own_last_day_comes_first_e50() -> None:
    short, case = Authorised("a", NOW.date(), NOW), cases.in_valid()
    end = end_of_day(short.until)
    assert in_force(case, short, end - timedelta(microseconds=1))
    assert ended_at(case, short, end) == ended_at(cases.expired(), short, end + 900 * DAY) == end


def test_set_aside_it_is_in_force_again_e50() -> None:
    case = cases.appealed()
    assert ended_at(case, LONG, NOW + DAY) == NOW
    decide = cases.command(DecideAppeal, JUDGE, outcome="set-aside", reason="已复核")

    class NoOther(cases.AllOnRecord):
        def live_case(self, _: str) -> None: ...

    on_record: Any = NoOther()
    back = deciding.decide(case, decide, cases.setting(NOW + 2 * DAY, 3), on_record).case
    assert ended_at(back, LONG, NOW + 2 * DAY) is None and in_force(back, LONG, NOW + 2 * DAY)


def test_renewed_without_a_gap_it_goes_on_after_a_gap_it_does_not_e50() -> None:
    case = cases.in_second_term()
    begun = case.terms[-1].from_ + DAY
    assert in_force(case, LONG, begun)
    assert ended_at(case, LONG, case.terms[-1].until) == case.terms[-1].until
    late = cases.renewal_approved(cases.renewal_late(), -3).case
    later = late.terms[-1].from_ + DAY
    assert ended_at(late, LONG, later) == late.terms[0].until and not in_force(late, LONG, later)
    given_since = Authorised("b", date(2028, 1, 1), late.terms[-1].from_)
    assert in_force(late, given_since, later)


def test_while_the_base_is_suspended_it_is_not_acted_on_and_not_ended_e50() -> None:
    case = cases.done(cases.in_valid(), cases.command(Suspend, cases.COMPLIANCE, reason="r"), NOW).case
    assert (ended_at(case, LONG, NOW + DAY), in_force(case, LONG, NOW + DAY)) == (None, False)
    assert in_force(left(case, Reinstate, cases.COMPLIANCE), LONG, NOW + 2 * DAY)


ACCOUNTS = (("LB-2026-000001-C1", ["anchor-1", "anchor-2"]), ("LB-2026-000001-C2", ["ａｎｃｈｏｒ-2", "shop-3"]))


class Named(cases.NothingOnRecord):
    def __init__(self, those: Dependants) -> None:
        self.those = those

    def dependants(self) -> Dependants:
        return self.those


def revoked_with(case: Case, those: Dependants) -> Transition:
    proposed = cases.done(case, cases.command(Revoke, cases.COMPLIANCE, reason="组织刷单"), NOW).case
    on_record: Any = Named(those)
    return deciding.decide(proposed, cases.approval(proposed), cases.setting(NOW + DAY, 2), on_record)


def told(transition: Transition) -> str:
    (note,) = [one for one in transition.records if isinstance(one, Letter) and one.recipient is Role.OPERATOR]
    return note.body


def test_a_revocation_names_to_the_operator_what_depends_on_the_base_e50() -> None:
    over = Authorised("春节专场", NOW.date(), NOW)
    those = dependants(cases.in_valid(), ACCOUNTS, (over, LONG))
    body = told(revoked_with(cases.in_valid(), those))
    assert "违规案件所涉账号:\n- anchor-1\n- ａｎｃｈｏｒ-2\n- shop-3\n随之终止的书面授权:" in body, "each once"
    assert "- 双十一专场(原至2028年11月11日)\n收回的权益:P1、P2、P3、P4、P5、P6\n" in body
    assert "春节专场" not in body, "it had ended before"
    assert "组织刷单" in body and "LBC-2026-000001" in body


def test_with_nothing_on_record_it_says_so_e50() -> None:
    body = told(revoked_with(cases.in_valid(), Dependants()))
    assert "违规案件所涉账号:\n- 无\n随之终止的书面授权:\n- 无\n收回的权益" in body


def test_a_suspended_base_and_one_whose_next_term_waits_are_told_alike_e50() -> None:
    for case in (cases.suspended(), cases.renewed()):
        assert "- 双十一专场" in told(revoked_with(case, Dependants(authorisations=(LONG,))))


def test_who_was_named_by_mistake_is_left_out_e50() -> None:
    case = cases.conduct_decided(cases.undecided(), "dismissed", NOW + 2 * DAY).case
    assert dependants(case, ACCOUNTS[:1], ()).accounts == ()
    assert dependants(cases.undecided(), ACCOUNTS[:1], ()).accounts == ("anchor-1", "anchor-2")


def test_the_accounts_are_in_the_letter_alone_e50() -> None:
    """R7: what the workflow carries, what is searched and shown there, and the record the base reads name nobody."""
    done = revoked_with(cases.in_valid(), dependants(cases.in_valid(), ACCOUNTS, ()))
    others = [one for one in done.records if not (isinstance(one, Letter) and one.recipient is Role.OPERATOR)]
    assert "anchor-1" not in f"{done.case.model_dump_json()} {done.detail} {others}"
    assert "anchor-1" in told(done)
