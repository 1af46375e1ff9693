"""Counting deadlines again: each kind, edge cases A4 and A5, later only for persons, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import agenda, ending, expiry, review
from domain.case import Case
from domain.commands import Publish, Reject, Revoke
from domain.notices import Notice
from domain.planning import Event
from domain.publication import publish_by_hand
from domain.records import Letter, ListRevision, Transition
from domain.recounting import may_move, recount
from domain.setting import Setting
from domain.shanghai import end_of_day, midnight, shanghai_date
from domain.stages import Role, Stage
from store.reference import shipped_calendar
from tests.domain import cases
from tests.domain.notices import complete, revision

HOUR = timedelta(hours=1)


def d(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    """10:00 in Shanghai on that day."""
    return midnight(d(text)) + 10 * HOUR


def end(text: str) -> datetime:
    return end_of_day(d(text))


def day(instant: datetime | None) -> str:
    """The last day of a deadline given as the midnight after it."""
    assert instant is not None
    return shanghai_date(instant - timedelta(microseconds=1)).isoformat()


def days(first: str, last: str) -> list[date]:
    return [d(first) + timedelta(days=n) for n in range((d(last) - d(first)).days + 1)]


def again(case: Case, *notices: Notice, now: datetime) -> Transition | None:
    """The case's deadlines counted again once those notices are in beside the shipped ones."""
    calendar = shipped_calendar()
    for notice in notices:
        calendar = calendar.with_notice(notice)
    policy = cases.setting(now).policy
    setting = Setting(now, policy, calendar, policy)
    return recount(case, setting, notices[-1].reference)


def moved(case: Case, *notices: Notice, now: datetime) -> Transition:
    transition = again(case, *notices, now=now)
    assert transition is not None
    return transition


def due(case: Case) -> dict[str, list[str]]:
    """Every task's and planned event's last days."""
    found: dict[str, list[str]] = {}
    for task in case.tasks:
        found.setdefault(task.kind, []).append(day(task.due_at))
    for planned in case.plan:
        found.setdefault(planned.event.value, []).append(day(planned.at))
    return {what: sorted(when) for what, when in found.items()}


def rejected(now: datetime) -> Case:
    return ending.reject(
        cases.in_review(now), cases.command(Reject, cases.REVIEWER, revision=1, reason="no rooms"), cases.setting(now)
    ).case


def rejected_with_money(now: datetime) -> Case:
    paid = cases.paid(cases.in_review(now), 4_000_000, now).case
    command = cases.command(Reject, cases.REVIEWER, revision=1, reason="no rooms")
    return ending.reject(paid, command, cases.setting(now)).case


def expired_on(now: datetime) -> Case:
    """A case whose term has ended at the midnight before `now`."""
    until = midnight(shanghai_date(now))
    valid = cases.in_valid()
    term = valid.terms[-1].model_copy(update={"until": until})
    planned = cases.planned_event(valid, Event.EXPIRE_CERTIFICATION).model_copy(update={"at": until})
    valid = valid.model_copy(update={"terms": (term,), "plan": (planned,)})
    return expiry.expire(valid, planned, cases.setting(until, 2)).case


NEW_YEAR = complete(working=[d("2026-12-26")], off=[d("2026-12-31")])
"""The 2027 notice: 01-01 to 01-03 off as always, 12-31 as well, Saturday 12-26 worked for it."""

DEADLINES: list[tuple[str, Callable[[datetime], Case], str, dict[str, tuple[list[str], list[str]]]]] = [
    (
        "review",
        cases.in_review,
        "2026-12-23",
        {
            "review": (["2027-01-03"], ["2027-01-07"]),
            "remind_reviewer": (["2026-12-30"], ["2027-01-04"]),
            "escalate_review": (["2027-01-03"], ["2027-01-07"]),
        },
    ),
    (
        "a supplement in calendar days that would end on a day off",
        cases.in_supplement,
        "2026-12-18",
        {
            "supplement": (["2027-01-02"], ["2027-01-04"]),
            "remind_supplement": (["2026-12-28", "2027-01-01"], ["2026-12-30", "2027-01-03"]),
            "lapse_supplement": (["2027-01-02"], ["2027-01-04"]),
        },
    ),
    (
        "a deposit, its reminders, and the grace that follows it",
        cases.in_deposit,
        "2026-12-03",
        {
            "deposit": (["2027-01-02"], ["2027-01-04"]),
            "remind_deposit": (["2026-12-26", "2027-01-01"], ["2026-12-28", "2027-01-03"]),
            "lapse_deposit": (["2027-01-07"], ["2027-01-11"]),
        },
    ),
    (
        "certification",
        cases.in_certifying,
        "2026-12-30",
        {
            "certify": (["2027-01-02"], ["2027-01-05"]),
            "escalate_certification": (["2027-01-02"], ["2027-01-05"]),
        },
    ),
    (
        "publication with its escalations (A4)",
        cases.in_publishing,
        "2026-12-23",
        {
            "publish": (["2026-12-30"], ["2027-01-04"]),
            "escalate_publication": (["2026-12-28", "2026-12-29"], ["2026-12-29", "2026-12-30"]),
            "record_publication_breach": (["2026-12-30"], ["2027-01-04"]),
        },
    ),
    (
        "the marks duty",
        expired_on,
        "2026-12-30",
        {
            "confirm_marks": (["2027-01-05"], ["2027-01-08"]),
            "escalate_marks": (["2027-01-05"], ["2027-01-08"]),
        },
    ),
    (
        "the appeal",
        rejected,
        "2026-12-18",
        {"close_case": (["2027-01-02"], ["2027-01-04"])},
    ),
    (
        "money to be returned beside an appeal",
        rejected_with_money,
        "2026-12-23",
        {
            "close_case": (["2027-01-07"], ["2027-01-07"]),
            "return_deposit": (["2027-01-03"], ["2027-01-07"]),
            "escalate_settlement": (["2027-01-03"], ["2027-01-07"]),
        },
    ),
]


@pytest.mark.parametrize(
    ("make", "since", "expected"), [row[1:] for row in DEADLINES], ids=[row[0] for row in DEADLINES]
)
def test_every_kind_of_deadline_is_counted_again(
    make: Callable[[datetime], Case], since: str, expected: dict[str, tuple[list[str], list[str]]]
) -> None:
    case = make(at(since))
    before, transition = due(case), moved(case, NEW_YEAR, now=at(since) + HOUR)
    after = due(transition.case)
    for what, (old, new) in expected.items():
        assert (what, before[what], after[what]) == (what, old, new)
    for what in before.keys() - expected.keys():
        assert before[what] == after[what], f"{what} is on no calendar"
    assert not any(task.provisional for task in transition.case.tasks)
    assert not any(planned.provisional for planned in transition.case.plan)


@pytest.mark.parametrize(("make", "since"), [row[1:3] for row in DEADLINES], ids=[row[0] for row in DEADLINES])
def test_it_is_as_if_the_notice_had_been_known_from_the_first(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[datetime], Case], since: str
) -> None:
    """Nothing but the audit entry tells a case counted again from one that was counted with the notice."""
    recounted = moved(make(at(since)), NEW_YEAR, now=at(since) + HOUR).case
    monkeypatch.setattr(cases, "shipped_calendar", lambda: shipped_calendar().with_notice(NEW_YEAR))
    known = make(at(since))
    assert recounted.sequence == known.sequence + 1
    assert _without(recounted) == _without(known)


def _without(case: Case) -> Any:
    return case.model_dump(exclude={"sequence": True})


@pytest.mark.parametrize(("make", "since"), [row[1:3] for row in DEADLINES], ids=[row[0] for row in DEADLINES])
def test_a_second_time_nothing_moves(make: Callable[[datetime], Case], since: str) -> None:
    once = moved(make(at(since)), NEW_YEAR, now=at(since) + HOUR).case
    assert again(once, NEW_YEAR, now=at(since) + HOUR) is None
    assert again(once, NEW_YEAR, now=at(since) + 2 * HOUR) is None


def test_what_repeats_a_deadline_elsewhere_in_the_case_follows_it() -> None:
    publishing = moved(cases.in_publishing(at("2026-12-23")), NEW_YEAR, now=at("2026-12-23")).case
    assert publishing.publication is not None
    assert (publishing.publication.due_date, publishing.publication.due_at, publishing.publication.provisional) == (
        d("2027-01-04"), end("2027-01-04"), False,
    )  # fmt: skip
    assert publishing.due_at == end("2027-01-04")
    deposit = moved(cases.in_deposit(at("2026-12-03")), NEW_YEAR, now=at("2026-12-03")).case
    assert deposit.deposit_due_on == d("2027-01-04")
    settling = moved(expired_on(at("2026-12-30")), NEW_YEAR, now=at("2026-12-30")).case
    assert settling.marks is not None and settling.marks.due_at == end("2027-01-08")
    appeal = moved(rejected(at("2026-12-18")), NEW_YEAR, now=at("2026-12-18")).case
    assert appeal.appeal_until == end("2027-01-04")


def test_a_reason_stays_back_as_long_as_the_window_that_was_counted_again() -> None:
    """Decision 20: public once it can't be appealed any more."""
    after = moved(cases.revoked(at("2026-12-18")), NEW_YEAR, now=at("2026-12-18") + HOUR)
    (listed,) = (record for record in after.records if isinstance(record, ListRevision))
    assert (listed.state, listed.reason) == ("withdrawn", "brushing found")
    assert listed.reasons_from == after.case.appeal_until == end("2027-01-04")
    assert after.case.publication is not None and after.case.publication.register_revision == listed.revision
    open_one = moved(cases.appealed(at("2026-12-18")), NEW_YEAR, now=at("2026-12-18") + 3 * HOUR)
    assert not [record for record in open_one.records if isinstance(record, ListRevision)]


def test_a_publication_that_a_revocation_cut_off_follows_too() -> None:
    """It may be set aside (decisions 28 and 34)."""
    since = at("2026-12-23")
    proposed = cases.done(cases.in_publishing(since), cases.command(Revoke, cases.COMPLIANCE, reason="r"), since).case
    after = moved(cases.done(proposed, cases.approval(proposed), since).case, NEW_YEAR, now=since).case
    assert after.ending is not None and after.ending.interrupted is not None
    before = after.ending.interrupted
    assert before.publication is not None and before.publication.due_at == before.tasks[0].due_at == end("2027-01-04")


def test_old_and_new_are_on_record_with_the_notice() -> None:
    """Edge case A5."""
    transition = moved(cases.in_publishing(at("2026-12-23")), NEW_YEAR, now=at("2026-12-24"))
    assert (transition.event, transition.actor) == ("deadlines_recounted", "system")
    assert transition.legal_at == transition.observed_at == at("2026-12-24")
    assert transition.detail["notice"] == {
        "year": 2027,
        "source": "国务院办公厅关于2027年部分节假日安排的通知",
        "published_on": "2026-11-20",
        "sha256": NEW_YEAR.sha256,
    }
    assert transition.detail["calendar_version"] == shipped_calendar().with_notice(NEW_YEAR).version
    assert transition.detail["moved"] == 4
    assert {"deadline": "publish", "before": "2026-12-30", "after": "2027-01-04", "provisional": False} in (
        transition.detail["deadlines"]
    )
    assert len(transition.detail["deadlines"]) == 4


def letters(transition: Transition) -> list[tuple[Role, str]]:
    return [(record.recipient, record.body) for record in transition.records if isinstance(record, Letter)]


def test_whoevers_deadline_moved_gets_a_letter() -> None:
    ((recipient, body),) = letters(moved(cases.in_deposit(at("2026-12-03")), NEW_YEAR, now=at("2026-12-03")))
    assert recipient is Role.APPLICANT
    assert "缴纳保证金的期限由2027年1月2日24时调整为2027年1月4日24时" in body
    assert NEW_YEAR.source in body
    assert "期限:请在2027年1月4日24时前足额缴纳" in body
    ((recipient, body),) = letters(moved(rejected(at("2026-12-18")), NEW_YEAR, now=at("2026-12-18")))
    assert recipient is Role.APPLICANT
    assert "申诉的期限由2027年1月2日24时调整为2027年1月4日24时" in body
    ((recipient, _),) = letters(moved(cases.in_review(at("2026-12-23")), NEW_YEAR, now=at("2026-12-23")))
    assert recipient is Role.REVIEWER


def test_a_day_that_only_becomes_certain_needs_no_letter() -> None:
    transition = moved(cases.in_certifying(at("2026-12-21")), NEW_YEAR, now=at("2026-12-21"))
    assert transition.detail["moved"] == 0
    assert [one["provisional"] for one in transition.detail["deadlines"]] == [False, False]
    assert letters(transition) == []
    assert not transition.case.tasks[0].provisional


def test_a_case_without_a_deadline_on_the_calendar_has_nothing_to_count() -> None:
    valid = cases.in_valid(at("2026-12-01"))
    assert not may_move(valid)
    assert again(valid, NEW_YEAR, now=at("2026-12-02")) is None
    assert may_move(cases.in_review(at("2026-12-01")))


def test_what_no_notice_touches_stays() -> None:
    case = cases.in_review()
    assert again(case, NEW_YEAR, now=cases.OPENED) is None
    assert again(case, revision(off=[d("2026-06-01")]), now=cases.OPENED) is None


# ------------------------------------------------------------------------------------ what is over is never undone


def test_a_deadline_reached_stays_whether_or_not_anybody_has_got_to_it() -> None:
    case = cases.in_publishing(at("2026-12-23"))
    assert again(case, NEW_YEAR, now=end("2026-12-30")) is None
    (deadline,) = moved(case, NEW_YEAR, now=end("2026-12-29")).detail["deadlines"][1:]
    assert deadline["deadline"] == "record_publication_breach"


def test_a_breach_on_record_stays() -> None:
    case = cases.in_publishing(at("2026-12-23"))
    planned = cases.planned_event(case, Event.RECORD_PUBLICATION_BREACH)
    breached = agenda.take(case, planned, cases.setting(planned.at)).case
    assert again(breached, NEW_YEAR, now=planned.at + HOUR) is None
    assert breached.publication is not None and breached.publication.breached


def test_an_application_that_has_lapsed_stays_so() -> None:
    case = cases.in_supplement(at("2026-12-18"))
    lapse = cases.planned_event(case, Event.LAPSE_SUPPLEMENT)
    lapsed = agenda.take(case, lapse, cases.setting(lapse.at)).case
    assert lapsed.stage is Stage.CLOSED
    assert again(lapsed, NEW_YEAR, now=lapse.at) is None


def test_the_grace_goes_on_where_the_due_date_is_over() -> None:
    case = cases.in_deposit(at("2026-12-03"))
    transition = moved(case, NEW_YEAR, now=end("2027-01-02") + HOUR)
    assert {one["deadline"]: one["after"] for one in transition.detail["deadlines"]} == {"lapse_deposit": "2027-01-11"}
    assert transition.case.deposit_due_on == d("2027-01-02")
    assert letters(transition) == []


def test_a_reminder_already_sent_is_not_sent_again() -> None:
    case = cases.in_supplement(at("2026-12-18"))
    first = case.next_event
    assert first is not None and first.event is Event.REMIND_SUPPLEMENT
    reminded = agenda.take(case, first, cases.setting(first.at)).case
    later = moved(reminded, NEW_YEAR, now=first.at + HOUR).case
    assert due(later)["remind_supplement"] == ["2027-01-03"]


# ------------------------------------------------------------------------- a revised notice (A5), later and earlier

EXTENDED = revision(off=days("2026-03-05", "2026-03-08"))
"""Four days more off, decided after deadlines had been set, as the Spring Festival of 2020."""
MADE_UP = revision(working=[d("2026-03-07")])
"""A Saturday that is worked after all: what was counted becomes earlier."""


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (cases.in_review, {"review": "2026-03-18", "escalate_review": "2026-03-18", "remind_reviewer": "2026-03-13"}),
        (cases.in_certifying, {"certify": "2026-03-04"}),
        (cases.in_publishing, {"publish": "2026-03-13", "record_publication_breach": "2026-03-13"}),
    ],
)
def test_days_that_were_known_can_be_revised(make: Callable[[datetime], Case], expected: dict[str, str]) -> None:
    case = make(cases.OPENED)
    transition = again(case, EXTENDED, now=cases.OPENED + HOUR)
    after = due(transition.case if transition else case)
    assert {what: after[what] for what in expected} == {what: [when] for what, when in expected.items()}


@pytest.mark.parametrize("make", [cases.in_review, rejected_with_money, expired_on], ids=["review", "return", "marks"])
def test_a_persons_deadline_never_becomes_earlier_than_they_were_told(make: Callable[[datetime], Case]) -> None:
    case = make(at("2026-03-04"))
    transition = again(case, MADE_UP, now=at("2026-03-04") + HOUR)
    assert transition is None
    counted = [task for task in case.tasks if task.counted is not None]
    assert counted
    policy = cases.setting(at("2026-03-04")).policy
    with_it = Setting(at("2026-03-04"), policy, shipped_calendar().with_notice(MADE_UP), policy)
    assert any(with_it.count(task.counted).at < task.due_at for task in counted if task.counted and task.due_at)


def test_a_provisional_day_that_was_told_is_kept_and_becomes_certain() -> None:
    """The first notice, then one that works the Saturday after all: the mark goes, the day stays."""
    case = moved(cases.in_review(at("2026-12-23")), complete(), now=at("2026-12-23")).case
    told = due(case)["review"]
    assert told == ["2027-01-07"]
    worked = revision(2027, working=[d("2026-12-26")], published_on="2026-11-21")
    assert again(case, complete(), worked, now=at("2026-12-24")) is None
    longer = revision(2027, working=[d("2026-12-26")], off=days("2027-01-04", "2027-01-06"), published_on="2026-11-22")
    assert due(moved(case, complete(), longer, now=at("2026-12-24")).case)["review"] == ["2027-01-11"]


def test_publication_is_no_persons_term_and_follows_the_calendar_both_ways() -> None:
    """R3 counts 7 working days: one more worked Saturday ends them a day earlier, and the operator hears of it."""
    case = cases.in_publishing()
    assert due(case)["publish"] == ["2026-03-11"]
    transition = moved(case, MADE_UP, now=cases.OPENED + HOUR)
    after = due(transition.case)
    assert after["publish"] == after["record_publication_breach"] == ["2026-03-10"]
    assert after["escalate_publication"] == ["2026-03-07", "2026-03-09"]
    assert transition.case.publication is not None and transition.case.publication.due_date == d("2026-03-10")
    assert [recipient for recipient, _ in letters(transition)] == [Role.OPERATOR]


def test_publication_never_moves_to_an_instant_that_is_over() -> None:
    case = cases.in_publishing()
    known = again(case, MADE_UP, now=end("2026-03-10") + HOUR)
    assert known is None, "it would have been breached before anybody could know"


def test_published_or_published_by_hand_there_is_nothing_left_of_it() -> None:
    command = cases.command(Publish, cases.OPERATOR, evidence="e" * 64)
    published = publish_by_hand(cases.in_publishing(at("2026-12-23")), command, cases.setting(at("2026-12-24"))).case
    assert published.publication is not None and published.publication.due_date == d("2026-12-30")
    assert again(published, NEW_YEAR, now=at("2026-12-24")) is None


def test_an_escalation_that_comes_again_is_counted_from_the_last_one() -> None:
    case = cases.in_review(at("2026-12-08"))
    planned = cases.planned_event(case, Event.ESCALATE_REVIEW)
    escalated = review.escalate_review(case, planned, cases.setting(planned.at)).case
    assert due(escalated)["escalate_review"] == ["2026-12-29"]
    transition = moved(escalated, NEW_YEAR, now=planned.at + HOUR)
    assert due(transition.case)["escalate_review"] == ["2027-01-04"]
    assert letters(transition) == [], "an escalation is nobody's deadline"


def test_plain_days_and_hand_set_deadlines_are_left_alone() -> None:
    case = cases.in_supplement(at("2026-12-18"))
    by_hand = tuple(task.model_copy(update={"counted": None, "due_at": end("2027-01-03")}) for task in case.tasks)
    transition = moved(case.model_copy(update={"tasks": by_hand}), NEW_YEAR, now=at("2026-12-19"))
    assert due(transition.case)["supplement"] == ["2027-01-03"]
    assert "supplement" not in {one["deadline"] for one in transition.detail["deadlines"]}


@given(
    opened=st.dates(d("2026-11-15"), d("2027-02-10")),
    off=st.sets(st.dates(d("2026-12-01"), d("2027-03-31")), max_size=10),
    work=st.sets(st.dates(d("2026-12-01"), d("2027-03-31")), max_size=6),
    later=st.integers(0, 40),
    stage=st.sampled_from(["review", "supplement", "deposit", "certifying", "publishing"]),
)
def test_a_provisional_deadline_only_moves_later_and_settles(
    opened: date, off: set[date], work: set[date], later: int, stage: str
) -> None:
    """Decision 5, whatever the notice turns out to be and however late it comes."""
    fixed = {d("2027-01-01")}
    case = cases.STAGES[stage](midnight(opened) + HOUR)
    now = midnight(opened) + timedelta(days=later, hours=2)
    notice = complete(off=off - fixed, working=work - off - fixed)
    transition = again(case, notice, now=now)
    if transition is None:
        return
    pairs = _pairs(case, transition.case)
    for before, after in pairs:
        # Days known before can become working ones; R3's own clock follows that.
        assert after >= before or stage == "publishing"
        assert before > now or after == before
    assert again(transition.case, notice, now=now) is None


def _pairs(before: Case, after: Case) -> Iterable[tuple[datetime, datetime]]:
    yield from ((old.at, new.at) for old, new in zip(before.plan, after.plan, strict=True))
    yield from (
        (old.due_at, new.due_at)
        for old, new in zip(before.tasks, after.tasks, strict=True)
        if old.due_at is not None and new.due_at is not None
    )
