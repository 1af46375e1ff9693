"""Quarterly assessment: which quarters count, figures at their limits, objection, decision, confirmation (decision 22).

Edge cases E42 (missing is unknown, never a fail), E43 (corrected after an invalidation), E44 (certified in a quarter).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain import agenda, objection
from domain.assessing import AssessedBase, KnownBase, Line, OnRecord, assess, confirm, require_few_fails, waits
from domain.assessment import FiguresRecorded, News, ResultConfirmed, bars, fails_in_a_row, hear, unheard
from domain.case import Assessment, Case
from domain.commands import Actor, DecideAssessment, ObjectAssessment
from domain.figures import Figures, InvalidFigures, canonical, from_canonical, missed, read_figures
from domain.periods import Period, counting_term, ending_in
from domain.planning import Event
from domain.records import BenefitsWithdrawn, Letter, ListRevision, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import end_of_day, midnight
from domain.stages import Role, Stage, Standing
from domain.terms import Term
from store.reference import policy_book
from tests.domain import cases
from tests.domain import test_recounting as recounting

COMPLIANCE = Actor(role=Role.COMPLIANCE, name="zhou")
Q2 = "2026Q2"
"""The first whole quarter after 2026-03-02, on which `cases` certify."""
TOLD = end_of_day(date(2026, 6, 30)) + timedelta(days=5, hours=10)
"""2026-07-06, 10:00 in Shanghai, a Monday: the figures come on record."""
POLICY = policy_book().in_force(date(2026, 7, 1))


def at(text: str) -> datetime:
    """A Shanghai date's midnight, or with a time that time."""
    day, _, time = text.partition(" ")
    hours, _, minutes = time.partition(":")
    return midnight(date.fromisoformat(day)) + timedelta(hours=int(hours or 0), minutes=int(minutes or 0))


def figures(live: int = 20, active: int = 10, gmv: int = 100_000_000, **fields: Any) -> Figures:
    named = {"credit_code": "91330782MA2K7P3R1U", "period": Q2, "line": 2, **fields}
    return Figures(live_merchants=live, active_merchants=active, gmv=gmv, **named)


# Which quarters count (E44).


def term(begins: str, ordinal: int = 1) -> Term:
    return Term.first(at(begins), f"LBC-{ordinal}", "2026.1").model_copy(update={"ordinal": ordinal})


FIRST = term("2026-03-02 10:00")
RENEWED = (FIRST, FIRST.next("LBC-2", "2027.1"))
LATE = (FIRST, FIRST.late(at("2027-03-20 09:00"), "LBC-2", "2027.1"))

COUNTS: dict[str, tuple[Sequence[Term], str, int | None]] = {
    "certified in it": ((FIRST,), "2026Q1", None),
    "the first whole one": ((FIRST,), "2026Q2", 1),
    "the last whole one": ((FIRST,), "2026Q4", 1),
    "the term ends in it": ((FIRST,), "2027Q1", None),
    "before it": ((FIRST,), "2025Q4", None),
    "renewed in it without a gap": (RENEWED, "2027Q1", 2),
    "a renewal does not reset history": (RENEWED, "2026Q4", 1),
    "a gap in it": (LATE, "2027Q1", None),
    "after the gap": (LATE, "2027Q2", 2),
    "before the gap": (LATE, "2026Q4", 1),
    "certified at its first instant": ((term("2026-04-01"),), "2026Q2", 1),
    "certified a minute later": ((term("2026-04-01 00:01"),), "2026Q2", None),
    "the term ends with it": ((term("2026-12-31 10:00"),), "2027Q4", 1),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_quarter_counts_when_the_base_was_certified_throughout_e44(name: str) -> None:
    terms, period, ordinal = COUNTS[name]
    found = counting_term(terms, Period.parse(period))
    assert (found.ordinal if found else None) == ordinal


def test_the_quarters_of_a_term_are_those_that_end_in_it() -> None:
    assert [str(one) for one in ending_in((FIRST,))] == ["2026Q2", "2026Q3", "2026Q4"]
    assert [str(one) for one in ending_in(RENEWED)] == ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]
    assert [str(one) for one in ending_in(LATE)] == ["2027Q2", "2027Q3", "2027Q4"]


def test_a_quarter_is_its_days_in_shanghai() -> None:
    first = Period.parse("2027Q1")
    assert (first.first_day, first.last_day) == (date(2027, 1, 1), date(2027, 3, 31))
    assert (first.begins, first.ends) == (at("2027-01-01"), at("2027-04-01"))
    assert Period.parse("2026Q4").next == first < Period.parse("2027Q2")


@pytest.mark.parametrize("text", ["2027Q5", "2027Q0", "2027q1", "27Q1", "2027-Q1", "2027Q1 ", "", "1999Q1"])
def test_what_is_no_quarter(text: str) -> None:
    with pytest.raises(ValueError, match="2027Q1"):
        Period.parse(text)


# Figures.


@pytest.mark.parametrize(
    ("given", "below"),
    [
        (figures(), ()),  # each equal to its limit
        (figures(live=19, active=19), ("live_merchants",)),
        (figures(live=21, active=10), ("active_share",)),
        (figures(live=21, active=11), ()),
        (figures(gmv=99_999_999), ("gmv",)),
        (figures(live=0, active=0, gmv=0), ("live_merchants", "gmv")),
    ],
)
def test_a_figure_equal_to_its_limit_passes(given: Figures, below: tuple[str, ...]) -> None:
    assert missed(given, POLICY) == below


HEADER = "credit_code,period,live_merchants,active_merchants,gmv\n"


def test_figures_are_read_in_any_order_of_columns() -> None:
    text = "gmv,period,credit_code,active_merchants,live_merchants\n\n1000000.5,2026Q2, 91330782ma2k7p3r1u ,10,20\n"
    (row,) = read_figures(text)
    assert row == figures(gmv=100_000_050, line=3)
    assert from_canonical(canonical([row])) == (row,)


PROBLEMS = {
    "91330782MA2K7P3R1V,2026Q2,20,10,1": ["line 2.credit_code"],
    "91330782MA2K7P3R1U,2026Q5,x,-1,1.234": [
        "line 2.period", "line 2.live_merchants", "line 2.active_merchants", "line 2.gmv",
    ],
    "91330782MA2K7P3R1U,2026Q2,20,21,1": ["line 2.active_merchants"],
    "91330782MA2K7P3R1U,2026Q2,20,10,": ["line 2.gmv"],
    "91330782MA2K7P3R1U,2026Q2,20,10": ["line 2"],
    "91330782MA2K7P3R1U,2026Q2,20,10,1\n91330782MA2K7P3R1U,,20,10,1e6": ["line 3.period", "line 3.gmv"],
    '"91330782': ["line 2"],
    "": [""],
}  # fmt: skip


@pytest.mark.parametrize("lines", PROBLEMS)
def test_every_problem_of_every_line_is_told_at_once(lines: str) -> None:
    with pytest.raises(InvalidFigures) as info:
        read_figures(HEADER + lines)
    assert [problem.path for problem in info.value.problems] == PROBLEMS[lines]


def test_a_header_must_be_this_files() -> None:
    with pytest.raises(InvalidFigures) as info:
        read_figures("credit_code,period,period,gmv,other\n1,2,3,4,5\n")
    assert {problem.path for problem in info.value.problems} == {
        "header.live_merchants", "header.active_merchants", "header[4]", "header.period",
    }  # fmt: skip
    with pytest.raises(InvalidFigures):
        read_figures(HEADER.replace(",", ";") + "1;2;3;4;5\n")


# A batch.


def known(case: Case, now: datetime = TOLD, on_record: OnRecord | None = None) -> dict[str, list[KnownBase]]:
    return {case.credit_code: [KnownBase(case, now, on_record)]}


def one_line(bases: dict[str, list[KnownBase]], row: Figures) -> Line:
    (line,) = assess([row], bases, policy_book())
    return line


def test_a_line_is_recorded_corrected_or_unchanged() -> None:
    case = cases.in_valid()
    first = one_line(known(case), figures(gmv=5))
    assert (first.outcome, first.result, first.revision, first.missed) == ("recorded", "fail", 1, ("gmv",))
    before = OnRecord(1, figures(gmv=5).content)
    assert one_line(known(case, on_record=before), figures(gmv=5)).outcome == "unchanged"
    again = one_line(known(case, on_record=before), figures())
    assert (again.outcome, again.result, again.revision) == ("corrected", "pass", 2)


def test_a_line_that_is_for_nobody_says_why() -> None:
    case = cases.in_valid()
    assert one_line({}, figures()).outcome == "unknown_base"
    whys = {
        "the base was not certified throughout the quarter": [
            one_line(known(case), figures(period="2026Q1")),
            one_line(known(cases.in_review()), figures()),
        ],
        "the quarter is not over": [one_line(known(case, at("2026-07-01") - timedelta(seconds=1)), figures())],
        "the certification has ended": [one_line(known(cases.expired(), at("2027-04-01")), figures(period="2026Q4"))],
    }
    for why, lines in whys.items():
        assert [(line.outcome, line.why, line.result) for line in lines] == [("not_assessed", why, None)] * len(lines)
    assert one_line(known(case, at("2026-07-01")), figures()).outcome == "recorded"


def test_a_later_line_of_the_file_corrects_an_earlier_one() -> None:
    lines = assess([figures(gmv=1, line=2), figures(line=7)], known(cases.in_valid()), policy_book())
    assert [(line.line, line.outcome, line.result) for line in lines] == [
        (2, "not_assessed", None),
        (7, "recorded", "pass"),
    ]


def lines(failing: int, of: int, outcome: Any = "recorded") -> list[Line]:
    fields: dict[str, Any] = {"credit_code": "c", "period": Q2}
    return [
        Line(line=n, outcome=outcome if n < failing else "recorded", result="fail" if n < failing else "pass", **fields)
        for n in range(of)
    ]


@pytest.mark.parametrize(("failing", "of", "stops"), [(0, 0, False), (5, 100, False), (6, 100, True), (1, 19, True)])
def test_a_batch_stops_when_more_than_five_percent_fail(failing: int, of: int, stops: bool) -> None:
    """Exactly 5 % does not stop it."""
    if not stops:
        require_few_fails(lines(failing, of), POLICY, looked_at=False)
        return
    with pytest.raises(Refusal) as info:
        require_few_fails(lines(failing, of), POLICY, looked_at=False)
    assert info.value.kind is RefusalKind.MANY_FAILS
    assert len(info.value.problems) == failing
    require_few_fails(lines(failing, of), POLICY, looked_at=True)
    require_few_fails(lines(failing, of, "unchanged"), POLICY, looked_at=False)


# A case hears of it.


def news(row: Figures, revision: int = 1, when: datetime = TOLD, by: str = "sun") -> FiguresRecorded:
    below = missed(row, POLICY)
    return FiguresRecorded(row, revision, "fail" if below else "pass", below, by, when)


def heard(case: Case, *all_news: News) -> Case:
    for one in all_news:
        case = told(case, one).case
    return case


def told(case: Case, one: News) -> Transition:
    return hear(case, one, cases.setting(one.at, 2))


def of(case: Case, period: str = Q2) -> Assessment:
    found = case.assessment(period)
    assert found is not None
    return found


def tasks(case: Case) -> list[tuple[str, str | None]]:
    return [(task.kind, task.subject) for task in case.tasks]


def events(case: Case, period: str = Q2) -> list[str]:
    return [planned.event.value for planned in case.plan if planned.subject == period]


FAILING = figures(gmv=5)


def failing() -> Case:
    return heard(cases.in_valid(), news(FAILING))


def objected(case: Case, now: datetime, **fields: Any) -> Transition:
    command = cases.command(ObjectAssessment, cases.APPLICANT, statement="两家商户漏计", evidence=("0" * 64,), **fields)
    return objection.object_to(case, command, cases.setting(now, 2))


def decided(case: Case, outcome: str, by: Actor = COMPLIANCE) -> Transition:
    command = cases.command(DecideAssessment, by, period=Q2, outcome=outcome, reason="已核对台账")
    return objection.decide(case, command, cases.setting(TOLD + timedelta(days=2), 2))


def taken(case: Case, event: Event, period: str = Q2) -> Transition:
    planned = next(one for one in case.plan if one.event is event and one.subject == period)
    return agenda.take(case, planned, cases.setting(planned.at, 2))


def ripe() -> Case:
    """A fail whose time to object is over."""
    return taken(failing(), Event.END_OBJECTION).case


def confirmation(case: Case, when: datetime | None = None, by: str = "zhou") -> ResultConfirmed:
    until = of(case).objection_until
    return ResultConfirmed(Q2, of(case).revision, of(case).result, by, when or (until or TOLD) + timedelta(hours=10))  # type: ignore[arg-type]


def test_a_base_is_told_and_may_object_for_five_working_days() -> None:
    transition = told(cases.in_valid(), news(FAILING))
    assert of(transition.case).objection_until == at("2026-07-14")  # 07-07 … 07-13
    assert (of(transition.case).state, of(transition.case).result) == ("provisional", "fail")
    assert events(transition.case) == ["end_objection"], "no reminder of figures that have come"
    (note,) = (record for record in transition.records if isinstance(record, Letter))
    assert "人民币0.05元(标准:不低于1,000,000.00元)" in note.body and "2026年7月13日24时前提出" in note.body
    assert transition.case.standing(TOLD) is Standing.CERTIFIED


def test_the_window_to_object_ends_with_its_last_day() -> None:
    last = at("2026-07-14") - timedelta(seconds=1)
    after = objected(failing(), last).case
    assert (of(after).state, tasks(after), events(after)) == (
        "objected",
        [("decide_assessment", Q2)],
        ["escalate_assessment"],
    )
    with pytest.raises(Refusal) as info:
        objected(failing(), at("2026-07-14"))
    assert info.value.kind is RefusalKind.TOO_LATE
    with pytest.raises(Refusal) as info:
        objected(after, last)
    assert info.value.kind is RefusalKind.WRONG_STAGE


def test_nobody_objects_to_a_pass_or_to_another_quarter() -> None:
    passed = heard(cases.in_valid(), news(figures()))
    for case, fields in ((passed, {}), (failing(), {"period": "2026Q3"})):
        with pytest.raises(Refusal) as info:
            objected(case, TOLD, **fields)
        assert info.value.kind is RefusalKind.WRONG_STAGE


def test_an_objection_is_decided_by_somebody_who_did_not_import() -> None:
    case = objected(failing(), TOLD).case
    for name in ("sun", " SUN"):
        with pytest.raises(Refusal) as info:
            decided(case, "pass", Actor(role=Role.COMPLIANCE, name=name))
        assert info.value.kind is RefusalKind.SECOND_PERSON_REQUIRED
    passed = decided(case, "pass").case
    assert (of(passed).state, of(passed).result, tasks(passed), events(passed)) == ("confirmed", "pass", [], [])
    with pytest.raises(Refusal) as info:
        decided(passed, "fail")
    assert info.value.kind is RefusalKind.WRONG_STAGE


def test_who_decides_that_it_fails_does_not_confirm_it() -> None:
    case = decided(objected(failing(), TOLD).case, "fail").case
    assert (of(case).state, tasks(case)) == ("decided", [("confirm_assessment", Q2)])
    assert waits(case, Q2, TOLD, " Zhou") == "who decided it does not confirm it"
    assert waits(case, Q2, TOLD, "wu") == ""
    assert case.standing(TOLD + timedelta(days=9)) is Standing.CERTIFIED


def test_what_waits_and_what_is_ripe() -> None:
    until = at("2026-07-14")
    assert waits(cases.in_valid(), Q2, until, "zhou") == "the base has not been told yet"
    assert waits(failing(), Q2, until - timedelta(seconds=1), "zhou") == "the base may still object"
    assert waits(failing(), Q2, until, "zhou") == ""
    assert waits(objected(failing(), TOLD).case, Q2, until, "zhou") == "compliance decides on the objection"
    ended = heard(ripe(), confirmation(ripe()))
    assert waits(ended, Q2, until, "zhou") == "it has been confirmed before"


def test_who_imported_does_not_confirm_and_what_is_ripe_is_confirmed_alone() -> None:
    until = at("2026-07-14")
    bases = [AssessedBase(ripe(), until), AssessedBase(objected(failing(), TOLD).case, until)]
    assert [(one.outcome, one.result) for one in confirm(bases, Q2, "zhou", ["sun"])] == [
        ("confirmed", "fail"),
        ("waiting", "fail"),
    ]
    (corrected,) = (one for one in confirm([*bases, AssessedBase(ripe(), until, hears=True)], Q2, "zhou", [])[2:])
    assert (corrected.outcome, corrected.why) == ("waiting", "the base has not been told yet")
    for importers, cases_, kind in (
        (["sun", " Zhou "], bases, RefusalKind.SECOND_PERSON_REQUIRED),
        (["sun"], bases[1:], RefusalKind.NOTHING_TO_CONFIRM),
        ([], [], RefusalKind.NOTHING_TO_CONFIRM),
    ):
        with pytest.raises(Refusal) as info:
            confirm(cases_, Q2, "zhou", importers)
        assert info.value.kind is kind


# Missing is unknown (E42).


def test_missing_figures_are_unknown_reminded_escalated_and_never_a_fail_e42() -> None:
    case = cases.in_valid()
    reminded = taken(case, Event.REMIND_FIGURES)
    assert reminded.legal_at == at("2026-07-16")  # fifteen days after the quarter's last day
    assert tasks(reminded.case) == [("import_figures", Q2)]
    case = taken(reminded.case, Event.ESCALATE_FIGURES).case
    assert case.task is not None and case.task.due_at is None, "whatever else is due comes first"
    assert (of(case).state, of(case).result, tasks(case)) == ("unknown", "unknown", [("decide_assessment", Q2)])
    for _ in range(3):
        case = taken(case, Event.ESCALATE_ASSESSMENT).case
    assert case.ending is None and of(case).result == "unknown"
    assert waits(case, Q2, at("2026-12-01"), "zhou") == "compliance decides on what is unknown"
    assert "2026Q3" in {planned.subject for planned in case.plan}, "the next quarter goes its own way"
    assert decided(case, "pass").case.ending is None


def test_a_person_s_fail_of_an_unknown_needs_another_person_e42() -> None:
    unknown = taken(taken(cases.in_valid(), Event.REMIND_FIGURES).case, Event.ESCALATE_FIGURES).case
    case = decided(unknown, "fail").case
    assert case.ending is None
    ended = heard(case, confirmation(case, at("2026-08-03"), by="wu"))
    assert ended.ending is not None and ended.ending.kind is Standing.INVALID


def test_figures_that_come_late_take_the_place_of_an_unknown_e42() -> None:
    unknown = taken(taken(cases.in_valid(), Event.REMIND_FIGURES).case, Event.ESCALATE_FIGURES).case
    case = heard(unknown, news(figures(), when=at("2026-07-30")))
    assert (of(case).state, of(case).result, tasks(case)) == ("provisional", "pass", [])


# Passed: nothing for the base, nor for its own run (decision 22).


def test_a_pass_is_confirmed_at_once_with_nothing_to_do_in_the_base_s_case() -> None:
    transition = told(cases.in_valid(), news(figures()))
    case = transition.case
    assert (of(case).state, of(case).objection_until, tasks(case)) == ("provisional", None, [])
    assert waits(case, Q2, TOLD, "zhou") == ""
    (note,) = (record for record in transition.records if isinstance(record, Letter))
    assert "没有需要贵方办理的事项" in note.body


def test_a_pass_nobody_confirms_is_escalated_when_the_case_looks_at_the_quarter() -> None:
    reminder = next(one for one in cases.in_valid().plan if one.event is Event.REMIND_FIGURES and one.subject == Q2)
    case = heard(cases.in_valid(), news(figures()))
    (planned,) = [one for one in case.plan if one.subject == Q2]
    assert (planned.event, planned.at) == (Event.ESCALATE_ASSESSMENT, reminder.at), "no wake-up of its own"
    late = heard(cases.in_valid(), news(figures(), when=at("2026-07-15 10:00")))
    assert [one.at for one in late.plan if one.subject == Q2] == [at("2026-07-23")], "five working days"
    escalated = taken(case, Event.ESCALATE_ASSESSMENT)
    assert [record.kind for record in escalated.records if isinstance(record, Letter)] == ["assessment_escalated"]
    assert events(escalated.case) == ["escalate_assessment"]
    assert events(heard(escalated.case, confirmation(case))) == []


def test_a_pass_speaks_for_no_quarter_whose_figures_never_came() -> None:
    unknown = taken(taken(cases.in_valid(), Event.REMIND_FIGURES).case, Event.ESCALATE_FIGURES).case
    passed = heard(unknown, news(figures(period="2026Q3"), when=at("2026-10-12")))
    assert events(passed, Q2) == events(unknown, Q2) == ["escalate_assessment"]


# Confirmed.


def test_a_confirmed_pass_stays() -> None:
    case = heard(cases.in_valid(), news(figures()))
    after = heard(case, confirmation(case))
    assert (of(after).state, of(after).confirmed_by, tasks(after), events(after)) == ("confirmed", "zhou", [], [])
    assert not unheard(after, confirmation(case))
    assert after.ending is None and bars(after) == ()


def test_a_confirmed_fail_makes_the_certification_invalid_with_all_that_follows() -> None:
    case = ripe()
    confirmed = confirmation(case)
    transition = hear(case, confirmed, cases.setting(confirmed.at + timedelta(hours=3), 2))
    after = transition.case
    assert after.ending is not None
    assert (after.ending.kind, after.ending.cause) == (Standing.INVALID, "assessment_failed")
    assert after.ending.legal_at == transition.legal_at == confirmed.at
    assert after.ending.observed_at == confirmed.at + timedelta(hours=3)
    assert after.stage is Stage.SETTLING and after.standing(confirmed.at) is Standing.INVALID
    assert {task.kind: task.role for task in after.tasks} == {
        "confirm_marks": Role.APPLICANT,
        "settle_deposit": Role.FINANCE,
    }
    assert {planned.event for planned in after.plan} == {
        Event.ESCALATE_MARKS, Event.ESCALATE_SETTLEMENT, Event.CLOSE_CASE,
    }  # fmt: skip
    assert after.appeal_until == cases.planned_event(after, Event.CLOSE_CASE).at == at("2026-07-30")
    assert BenefitsWithdrawn(1) in transition.records
    (entry,) = (record for record in transition.records if isinstance(record, ListRevision))
    assert (entry.state, entry.effective_from) == ("withdrawn", confirmed.at)
    assert after.publication is not None and after.publication.state == "withdrawn"


def test_whatever_is_pending_is_over_with_it() -> None:
    """A renewal under way, and a next term that waits for its day."""
    last = heard(cases.renewing(), news(figures(gmv=5, period="2026Q4"), when=at("2027-01-20")))
    renewal_over = heard(last, ResultConfirmed("2026Q4", 1, "fail", "zhou", at("2027-02-01")))
    assert renewal_over.renewal is None and tasks(renewal_over) == [("confirm_marks", None), ("settle_deposit", None)]

    waiting = heard(cases.renewed(), news(figures(gmv=5, period="2026Q4"), when=at("2027-02-11")))
    transition = told(waiting, ResultConfirmed("2026Q4", 1, "fail", "zhou", at("2027-02-22")))
    after = transition.case
    assert after.terms == waiting.terms[:1] and Event.BEGIN_TERM not in {one.event for one in after.plan}
    (entry,) = (record for record in transition.records if isinstance(record, ListRevision))
    assert (entry.state, entry.effective_from) == ("withdrawn", at("2027-02-22"))
    assert entry.certificate_number == after.terms[0].certificate_number
    assert {BenefitsWithdrawn(1), BenefitsWithdrawn(2)} <= set(transition.records)
    assert after.standing(waiting.terms[1].from_ + timedelta(days=1)) is Standing.INVALID


def test_an_end_nobody_has_observed_yet_is_one_all_the_same() -> None:
    case = heard(cases.in_valid(), news(figures(gmv=5, period="2026Q4"), when=at("2027-02-11")))
    case = taken(case, Event.END_OBJECTION, "2026Q4").case
    until = case.terms[-1].until
    assert waits(case, "2026Q4", until - timedelta(seconds=1), "zhou") == ""
    assert waits(case, "2026Q4", until, "zhou") == "the certification has ended"


def test_a_renewal_that_goes_on_late_takes_the_assessment_with_it() -> None:
    """What fails then makes nothing invalid any more; it bars the renewal."""
    case = cases.renewal_filed(
        heard(cases.in_valid(), news(figures(gmv=5, period="2026Q4"), when=at("2027-02-20"))).model_copy(), 7
    ).case
    late = cases.ended(case)
    assert late.stage is Stage.RENEWAL_LATE and "end_objection" in events(late, "2026Q4")
    ripe = taken(late, Event.END_OBJECTION, "2026Q4").case
    failed = heard(ripe, ResultConfirmed("2026Q4", 1, "fail", "zhou", at("2027-03-10")))
    assert failed.ending == late.ending
    assert [problem.path for problem in bars(failed)] == ["assessment.2026Q4"]


def test_fails_in_a_row_are_counted_over_the_quarters_assessed() -> None:
    def run(*results: str) -> tuple[Assessment, ...]:
        quarters = ("2026Q2", "2026Q3", "2026Q4", "2027Q1")
        return tuple(
            Assessment(period=period, state="confirmed", result=result)  # type: ignore[arg-type]
            for period, result in zip(quarters, results, strict=False)
        )

    assert len(fails_in_a_row(run("fail", "fail", "pass", "fail"), "2026Q2")) == 2
    assert len(fails_in_a_row(run("fail", "fail", "pass", "fail"), "2027Q1")) == 1
    assert fails_in_a_row(run("fail", "pass"), "2026Q3") == ()


# Corrected figures.


def test_corrected_figures_begin_a_new_window_unless_nothing_changes_for_the_base() -> None:
    case = heard(failing(), news(figures(), 2, at("2026-07-09")))
    assert (of(case).result, of(case).revision, of(case).objection_until) == ("pass", 2, None)
    assert events(case) == ["escalate_assessment"]
    again = heard(case, news(figures(live=30, active=20), 3, at("2026-07-12")))
    assert (of(again).revision, of(again).objection_until, again.plan) == (3, None, case.plan)
    worse = heard(case, news(figures(gmv=6), 3, at("2026-07-12")))
    assert (of(worse).result, of(worse).objection_until) == ("fail", at("2026-07-18"))
    assert events(worse) == ["end_objection"]
    assert of(heard(objected(failing(), TOLD).case, news(figures(gmv=6), 2, at("2026-07-09")))).state == "provisional"


def test_corrected_after_the_invalidation_a_person_may_set_it_aside_e43() -> None:
    ended = heard(ripe(), confirmation(ripe()))
    base = known(ended, at("2026-08-03"), OnRecord(1, FAILING.content))
    assert one_line(base, FAILING).why == "", "a fail again undoes nothing"
    line = one_line(base, figures())
    assert line.why == "the certification ended by its fail, which can be set aside"
    assert (line.outcome, line.result, line.revision) == ("corrected", "pass", 2)
    case = heard(ended, news(figures(), 2, at("2026-08-03")))
    assert case.ending == ended.ending and case.terms == ended.terms, "nothing is set aside by itself"
    assert ("set_aside_assessment", Q2) in tasks(case) and ("confirm_marks", None) in tasks(case)
    assert set(ended.plan) <= set(case.plan)
    back = heard(case, news(figures(gmv=7), 3, at("2026-08-04")))
    assert ("set_aside_assessment", Q2) not in tasks(back)


def test_what_was_passed_can_be_corrected_to_a_fail_and_is_provisional_again() -> None:
    case = heard(cases.in_valid(), news(figures()))
    case = heard(case, confirmation(case))
    after = heard(case, news(FAILING, 2, at("2026-08-03")))
    assert (of(after).state, of(after).result) == ("provisional", "fail")
    assert unheard(after, ResultConfirmed(Q2, 2, "fail", "zhou", at("2026-08-20")))


# Renewal.


def test_the_last_assessments_must_be_passed_for_a_renewal() -> None:
    assert bars(cases.in_valid()) == bars(cases.unknown()) == (), "what is unknown is no fail (E42)"
    assert [problem.path for problem in bars(failing())] == [f"assessment.{Q2}"]
    case = cases.renewing()
    late = heard(case, news(figures(gmv=5, period="2026Q4"), when=at("2027-02-01")))
    with pytest.raises(Refusal) as info:
        cases.renewal_approved(late, 25)
    assert info.value.kind is RefusalKind.RENEWAL_BARRED


def test_the_time_to_object_follows_the_calendar() -> None:
    case = cases.told(cases.in_valid(), at=recounting.at("2026-12-28")).case
    after = recounting.moved(case, recounting.NEW_YEAR, now=recounting.at("2026-12-28")).case
    window = next(one for one in after.plan if one.event is Event.END_OBJECTION)
    assert of(case).objection_until != of(after).objection_until == window.at
