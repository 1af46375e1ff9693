"""The three reads behind `livebase report`: terms that end, who has how much to do, publication in its time."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from domain import agenda, next_term, opening, publication, renewal, review
from domain.case import Case
from domain.commands import Actor, Apply, ApproveRenewal, RejectRenewal, Surrender, TakeReview
from domain.planning import Event
from domain.records import Transition
from domain.stages import Role
from store.cases import CaseStore
from store.reports import expiring_terms, publications_due, staff_workload
from tests.domain import cases
from tests.store.first_year import HOUR, OPENED, Enterprise, write

LINE = {"case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "valid_until"}
DAY = timedelta(days=1)
LAST_DAY, DUE_DAY = date(2027, 3, 2), date(2026, 3, 11)
"""Of what is opened and certified on `OPENED`: the term's last day, and its publication's."""
AHEAD = cases.midnight(date(2027, 2, 20)) + 10 * HOUR


def done(store: CaseStore, transition: Transition) -> Case:
    """Written; the case as it then is."""
    write(store, transition)
    return transition.case


def base(store: CaseStore, number: int, event: str = "base_published", opened: datetime = OPENED) -> Case:
    return Enterprise(number=f"LB-2026-{number:06d}", opened=opened).stored(store, event)


def approved(case: Case, days_before: int) -> Transition:
    at = cases.before_end(case, days_before)
    approve = cases.command(ApproveRenewal, cases.REVIEWER, revision=case.revision)
    number = f"LBC-2027-{case.case_number[-6:]}"
    return next_term.approve(case, approve, cases.submission(), number, cases.setting(at, 3))


def renewed(store: CaseStore, number: int) -> Case:
    """A base whose next term waits for its day."""
    return done(store, approved(done(store, cases.renewal_filed(base(store, number))), 20))


def taken(store: CaseStore, case: Case, event: Event) -> Case:
    planned = cases.planned_event(case, event)
    return done(store, agenda.take(case, planned, cases.setting(planned.at, 3)))


def surrendered(store: CaseStore, case: Case, at: datetime = OPENED + 6 * HOUR) -> Case:
    return done(store, cases.done(case, cases.command(Surrender, cases.APPLICANT, reason="搬迁"), at))


def number(row: dict[str, Any]) -> int:
    return int(row["case_number"][-6:])


class TestExpiring:
    @staticmethod
    def on(engine: Engine, first: date, last: date | None = None, wall: datetime = AHEAD, **more: Any) -> Any:
        rows = expiring_terms(engine, first, last or first, wall, **more)
        assert json.loads(json.dumps(rows)) == rows, "plain JSON"
        return rows

    def test_soonest_first_with_how_each_renewal_stands(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1)
        done(store, cases.renewal_filed(base(store, 2)))
        done(store, cases.renewal_asked(done(store, cases.renewal_filed(base(store, 3)))))
        renewed(store, 4)
        base(store, 5, "certification_expired")
        base(store, 6, opened=OPENED - DAY)
        base(store, 7, "application_approved")
        rows = self.on(engine, LAST_DAY - DAY, LAST_DAY)
        assert all(
            set(row) == LINE | {"certificate_number", "last_day", "days_left", "expired", "renewal"} for row in rows
        )
        assert [(number(row), row["days_left"], row["expired"], *row["renewal"].values()) for row in rows] == [
            (6, 9, False, "not_filed", None, None, 0),
            (1, 10, False, "not_filed", None, None, 0),
            (2, 10, False, "under_way", None, "review", 0),
            (3, 10, False, "under_way", None, "supplement", 0),
            (4, 10, False, "renewed", "LBC-2027-000004", None, 0),
            (5, -1, True, "not_filed", None, None, 0),
        ]
        assert [number(row) for row in self.on(engine, LAST_DAY)] == [1, 2, 3, 4, 5], "one day alone"
        assert self.on(engine, LAST_DAY + DAY, date(2027, 12, 31)) == self.on(engine, date.min + 2 * DAY) == []
        assert (rows[1]["certificate_number"], rows[1]["last_day"]) == ("LBC-2026-000001", "2027-03-02")

    def test_a_renewed_base_in_its_last_days_and_after_them(self, store: CaseStore, engine: Engine) -> None:
        case = renewed(store, 1)
        until = case.terms[0].until
        for wall, left in ((until - timedelta(microseconds=1), 0), (until, -1)):
            (row,) = self.on(engine, LAST_DAY, wall=wall)
            assert (row["days_left"], row["expired"], row["standing"]) == (left, False, "certified")
            assert (row["certificate_number"], row["valid_until"]) == ("LBC-2026-000001", "2028-03-02")
        taken(store, case, Event.BEGIN_TERM)
        (row,) = self.on(engine, LAST_DAY, wall=until)
        assert (row["renewal"]["state"], row["expired"]) == ("renewed", False)
        (row,) = self.on(engine, date(2028, 1, 1), date(2028, 12, 31))
        assert (row["certificate_number"], row["renewal"]["state"]) == ("LBC-2027-000001", "not_filed")

    def test_renewed_late_the_term_had_expired_all_the_same(self, store: CaseStore, engine: Engine) -> None:
        case = taken(store, done(store, cases.renewal_filed(base(store, 1), 7)), Event.EXPIRE_CERTIFICATION)
        (row,) = self.on(engine, LAST_DAY)
        assert (row["expired"], row["renewal"]["state"], row["renewal"]["awaits"]) == (True, "under_way", "review")
        done(store, approved(case, -3))
        (row,) = self.on(engine, LAST_DAY, wall=cases.before_end(case, -4))
        assert (row["expired"], row["standing"]) == (True, "certified")
        assert row["renewal"] == {
            "state": "renewed", "certificate_number": "LBC-2027-000001", "awaits": None, "refused": 0,
        }  # fmt: skip

    def test_a_renewal_refused_is_none_filed_and_counted(self, store: CaseStore, engine: Engine) -> None:
        case = done(store, cases.renewal_filed(base(store, 1)))
        refuse = cases.command(RejectRenewal, cases.REVIEWER, revision=1, reason="场地已缩减")
        done(store, renewal.reject(case, refuse, cases.setting(cases.before_end(case, 30))))
        (row,) = self.on(engine, LAST_DAY)
        assert (row["renewal"]["state"], row["renewal"]["refused"]) == ("not_filed", 1)

    def test_what_a_decision_ended_before_is_left_out(self, store: CaseStore, engine: Engine) -> None:
        surrendered(store, base(store, 1))
        case = renewed(store, 2)
        surrendered(store, case, case.terms[0].until - DAY)
        begun = taken(store, renewed(store, 3), Event.BEGIN_TERM)
        surrendered(store, begun, begun.terms[-1].from_ + DAY)
        rows = self.on(engine, LAST_DAY, date(2028, 12, 31))
        assert [(number(row), row["last_day"]) for row in rows] == [(3, "2027-03-02")], "the year that ran to its end"

    def test_on_the_case_s_own_clock_whether_or_not_a_worker_was_there(self, store: CaseStore, engine: Engine) -> None:
        case = base(store, 1)
        base(store, 2)
        store.record_clock(case.workflow_id, 366 * DAY)
        moved, other = self.on(engine, LAST_DAY, wall=OPENED + DAY)
        assert (moved["days_left"], moved["expired"], moved["standing"]) == (-2, True, "expired")
        assert (other["days_left"], other["expired"], other["standing"]) == (364, False, "certified")

    def test_an_applicant_sees_their_own(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1)
        assert len(self.on(engine, LAST_DAY, applicant="ＷＡＮＧ")) == 1
        assert self.on(engine, LAST_DAY, applicant="zhou") == []


class TestWorkload:
    @staticmethod
    def rows(engine: Engine, first: date, last: date | None = None, wall: datetime = OPENED, **more: Any) -> Any:
        rows = staff_workload(engine, first, last or first, wall, **more)
        assert all(list(row) == ["role", "name", "open", "overdue", "due_in_range", "done"] for row in rows)
        return [tuple(row.values()) for row in rows]

    def test_by_role_and_person_what_nobody_has_taken_first(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1, "review_taken")
        base(store, 2, "application_received")
        base(store, 3, "application_approved")
        base(store, 4, "base_certified")
        assert self.rows(engine, OPENED.date()) == [
            ("reviewer", None, 1, 0, 0, 0),
            ("reviewer", "li", 1, 0, 0, 5),
            ("finance", None, 1, 0, 0, 0),
            ("finance", "qian", 0, 0, 0, 2),
            ("certifier", "zhao", 0, 0, 0, 1),
            ("operator", None, 1, 0, 0, 0),
        ], "neither applicants nor the system, and money that fits nowhere is due at no time"
        assert [row[5] for row in self.rows(engine, date(2026, 3, 3), date(2026, 12, 31))] == [0, 0, 0, 0]

    def test_a_task_is_due_on_its_last_day_and_overdue_after_it(self, store: CaseStore, engine: Engine) -> None:
        case = base(store, 1, "review_taken")
        assert case.due_at == cases.midnight(date(2026, 3, 17))
        for day, due in ((15, 0), (16, 1), (17, 0)):
            assert self.rows(engine, date(2026, 3, day))[0][4] == due
        assert self.rows(engine, DUE_DAY, wall=case.due_at - timedelta(microseconds=1))[0][3] == 0
        assert self.rows(engine, DUE_DAY, wall=case.due_at)[0][3] == 1
        store.record_clock(case.workflow_id, 15 * DAY)
        assert self.rows(engine, DUE_DAY, wall=OPENED)[0][3] == 1, "on the case's own clock"

    def test_a_second_spelling_is_no_second_person(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1, "review_taken")
        case = base(store, 2, "application_received")
        other = Actor(role=Role.REVIEWER, name="Ｌ I")
        done(store, review.take(case, cases.command(TakeReview, other), cases.setting(OPENED)))
        assert self.rows(engine, OPENED.date()) == [("reviewer", "li", 2, 0, 0, 2)]

    def test_what_an_operator_does_for_an_applicant_is_the_operators(self, store: CaseStore, engine: Engine) -> None:
        enterprise = Enterprise()
        sun = Actor(role=Role.OPERATOR, name="sun", on_behalf="wang")
        apply = cases.command(
            Apply, sun, credit_code=enterprise.credit_code, ordinal=1, submission=enterprise.submission.sha256
        ).model_copy(update={"workflow_id": enterprise.workflow_id})
        write(store, opening.open_case(apply, "LB-2026-000001", enterprise.submission, cases.setting(OPENED)))
        assert ("operator", "sun", 0, 0, 0, 1) in self.rows(engine, OPENED.date())

    def test_what_follows_an_ending_is_work_too(self, store: CaseStore, engine: Engine) -> None:
        surrendered(store, base(store, 1, "base_published"))
        by_role = {row[:2]: row[2:] for row in self.rows(engine, date(2026, 4, 1))}
        assert by_role["finance", None] == (2, 0, 1, 0), "the settlement, and the money that fits nowhere"

    def test_nothing_at_all_and_an_applicant_s_own(self, store: CaseStore, engine: Engine) -> None:
        assert self.rows(engine, OPENED.date()) == []
        base(store, 1, "review_taken")
        assert self.rows(engine, OPENED.date(), applicant="wang") == [("reviewer", "li", 1, 0, 0, 1)]
        assert self.rows(engine, OPENED.date(), applicant="zhou") == []


class TestPublication:
    @staticmethod
    def on(engine: Engine, first: date, last: date | None = None, wall: datetime = OPENED + DAY, **more: Any) -> Any:
        rows = publications_due(engine, first, last or first, wall, **more)
        assert json.loads(json.dumps(rows)) == rows, "plain JSON"
        assert all(set(row) == LINE | {"publication", "outcome"} for row in rows)
        return {number(row): row["outcome"] for row in rows}

    def test_each_outcome(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1)
        case = base(store, 2, "base_certified")
        assert case.publication is not None and case.publication.due_date == DUE_DAY
        late = cases.setting(case.publication.due_at)
        done(store, publication.published(base(store, 3, "base_certified"), late))
        done(store, publication.published(base(store, 4, "base_certified"), cases.setting(late.now - HOUR)))
        taken(store, base(store, 5, "base_certified"), Event.RECORD_PUBLICATION_BREACH)
        surrendered(store, base(store, 6, "base_certified"))
        surrendered(store, base(store, 7, "base_certified"), late.now)
        base(store, 8, "application_approved")
        base(store, 9, "certification_expired")
        expected = {
            1: "in_time",
            2: "pending",
            3: "late",
            4: "in_time",
            5: "overdue",
            6: None,
            7: "overdue",
            9: "in_time",
        }
        assert self.on(engine, DUE_DAY) == expected
        assert self.on(engine, DUE_DAY, wall=late.now) == expected | {2: "overdue"}
        assert self.on(engine, DUE_DAY, wall=late.now + 400 * DAY) == expected | {2: "overdue"}
        assert self.on(engine, DUE_DAY - DAY) == self.on(engine, DUE_DAY + DAY, date(2099, 1, 1)) == {}

    def test_soonest_first_as_the_list_has_it(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1)
        base(store, 2, opened=OPENED - 3 * DAY)
        rows = publications_due(engine, date(2026, 1, 1), date(2026, 12, 31), OPENED + DAY)
        assert [number(row) for row in rows] == [2, 1]
        assert rows[1]["publication"] == {
            "state": "published",
            "due_date": "2026-03-11",
            "provisional": False,
            "published_at": "2026-03-02T15:00:00+08:00",
            "register_revision": 1,
            "breached": False,
        }

    @pytest.mark.parametrize(("ahead", "outcome"), [(0, "pending"), (20, "overdue")])
    def test_on_the_case_s_own_clock(self, store: CaseStore, engine: Engine, ahead: int, outcome: str) -> None:
        case = base(store, 1, "base_certified")
        store.record_clock(case.workflow_id, ahead * DAY)
        assert self.on(engine, DUE_DAY) == {1: outcome}

    def test_an_applicant_sees_their_own(self, store: CaseStore, engine: Engine) -> None:
        base(store, 1)
        assert self.on(engine, DUE_DAY, applicant="wang") == {1: "in_time"}
        assert self.on(engine, DUE_DAY, applicant="zhou") == {}
