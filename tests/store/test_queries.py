"""Reading: cases by any name people use, lists, and the JSON that scripts rely on (design/cli.md, fixed)."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.case import Case, Hold
from domain.commands import Answer, ReceiveDeposit
from domain.screening import screen
from domain.shanghai import SHANGHAI
from domain.stages import Role, Stage, Standing
from store.cases import CaseStore
from store.queries import FoundCase, Reader, publication_view, shown, summary
from tests.domain import cases
from tests.store.first_year import HOUR, OPENED, Enterprise, write

# By hand from design/cli.md: a key that goes or changes its name breaks somebody's script.
SHOW = {
    "case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "revision", "policy_version",
    "tasks", "term", "deposit", "publication", "assessments", "holds", "benefits", "ending", "findings", "workflow",
}  # fmt: skip
TASK = {"kind", "role", "assignee", "due_at"}
TERM = {"number", "certificate_number", "from", "until", "last_day"}
DEPOSIT = {"required", "received", "deducted", "refunded", "held", "unmatched"}
PUBLICATION = {"state", "due_date", "provisional", "published_at", "register_revision", "breached"}
HOLD = {"kind", "since", "reason"}
BENEFIT = {"benefit", "state", "effective_from", "paused_since"}
ENDING = {"kind", "cause", "legal_at", "observed_at", "reason", "decision"}
FINDING = {"condition", "outcome", "value", "threshold", "as_of", "document", "message"}
WORKFLOW = {"id", "run_id", "url"}
LINE = {"case_number", "credit_code", "name", "stage", "standing", "awaiting", "due_at", "valid_until"}
ENTRY = {"sequence", "legal_at", "observed_at", "actor", "event", "detail", "hash"}
LEDGER = {"sequence", "kind", "amount", "reference", "at"}

# What is ours beside the fixed ones.
SHOW_TOO = {"valid_until", "parties", "next_term", "renewal", "conduct", "appeal", "appeal_until", "proposals"}
TASK_TOO, LEDGER_TOO = {"provisional", "subject"}, {"payer"}


def found(reader: Reader, name: str) -> FoundCase:
    case = reader.find_case(name)
    assert case is not None
    return case


def view_at(reader: Reader, case: Case, wall: datetime) -> dict[str, Any]:
    view: dict[str, Any] = reader.base_view(found(reader, case.case_number), wall)
    assert json.loads(json.dumps(view)) == view, "plain JSON"
    return view


def full_width(text: str) -> str:
    """As a Chinese input method may leave it."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


class TestFinding:
    def test_a_base_is_found_by_any_name_people_type(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "base_certified")
        Enterprise(number="LB-2026-000002").stored(store, "base_certified")
        for name in (case.credit_code, "LB-2026-000001", "LBC-2026-000001"):
            for typed in (name, name.lower(), f" {name}\n", f"{name[:4]} {name[4:]}", full_width(name.lower())):
                assert found(reader, typed).case == case, typed

    def test_what_nobody_has_is_not_found(self, store: CaseStore, reader: Reader) -> None:
        Enterprise().stored(store, "application_received")
        for name in ("", " ", "LB-2026-000009", "LBC-2026-000001", "LB-", "91330782MA2000000X", "'; --", "%"):
            assert reader.find_case(name) is None, name

    def test_a_credit_code_means_the_newest_case(self, store: CaseStore, reader: Reader) -> None:
        first = Enterprise()
        old = first.stored(store, "certification_expired")
        later = OPENED + timedelta(days=400)
        second = Enterprise(number="LB-2027-000001", credit_code=first.credit_code, ordinal=2, opened=later)
        new = second.stored(store, "application_received")
        assert reader.count_cases(first.credit_code) == 2
        assert (found(reader, first.credit_code).case, found(reader, first.credit_code).ordinal) == (new, 2)
        assert found(reader, old.case_number).case == found(reader, "LBC-2026-000001").case == old

    def test_an_enterprise_without_a_case(self, reader: Reader) -> None:
        assert reader.count_cases("91330782MA2K7P3R1U") == 0

    def test_the_tenth_case_is_newer_than_the_ninth(self, store: CaseStore, reader: Reader) -> None:
        code = Enterprise().credit_code
        for ordinal in range(1, 11):
            enterprise = Enterprise(
                number=f"LB-2026-{ordinal:06d}", credit_code=code, ordinal=ordinal,
                opened=OPENED + timedelta(days=400 * ordinal),
            )  # fmt: skip
            if ordinal < 10:
                enterprise.certificate_number = f"LBC-x-{ordinal}"
                enterprise.stored(store, "certification_expired")
            else:
                write(store, enterprise.opened())
        assert found(reader, code).ordinal == 10


class TestLists:
    @pytest.fixture
    def numbers(self, store: CaseStore, reader: Reader) -> Any:
        """One case in each of five places; returns a lookup by filter."""
        for number, event in enumerate(
            (
                "application_received",
                "application_approved",
                "base_certified",
                "base_published",
                "certification_expired",
            )
        ):
            Enterprise(number=f"LB-2026-{number + 1:06d}").stored(store, event)

        def listed(wall: datetime = OPENED + timedelta(days=1), **filters: Any) -> list[int]:
            return [int(row.case.case_number[-6:]) for row in reader.list_cases(wall, **filters)]

        return listed

    def test_soonest_deadline_first_and_without_one_last(self, numbers: Any) -> None:
        assert numbers() == [3, 1, 2, 5, 4]

    def test_filters(self, numbers: Any) -> None:
        due = cases.midnight(date(2026, 4, 2))
        expected: list[tuple[dict[str, Any], list[int]]] = [
            ({"stage": Stage.REVIEW}, [1]),
            ({"stage": Stage.CLOSED}, []),
            ({"awaiting": Role.APPLICANT}, [2, 5]),
            ({"awaiting": "finance"}, [4]),
            ({"awaiting": Role.NOBODY}, []),
            ({"awaiting": Role.APPLICANT, "stage": Stage.SETTLING}, [5]),
            ({"due_before": due}, [3, 1]),
            ({"due_before": due + timedelta(microseconds=1)}, [3, 1, 2]),
            ({"standing": Standing.APPLICANT}, [1, 2]),
            ({"standing": Standing.CERTIFIED}, [3, 4]),
            ({"standing": Standing.SUSPENDED}, []),
        ]
        for filters, listed in expected:
            assert numbers(**filters) == listed, filters

    def test_a_standing_is_what_it_is_at_the_instant_asked_for(self, numbers: Any) -> None:
        until = cases.midnight(date(2027, 3, 3))
        before = until - timedelta(microseconds=1)
        assert numbers(before, standing=Standing.CERTIFIED) == [3, 4], "5 has ended, whatever the reader's clock says"
        assert numbers(until, standing=Standing.CERTIFIED) == []
        assert numbers(until, standing=Standing.EXPIRED) == [3, 5, 4]

    def test_each_line_has_the_fixed_keys(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "base_published")
        (line,) = [summary(row, OPENED) for row in reader.list_cases(OPENED)]
        assert set(line) == LINE
        assert line == {
            "case_number": "LB-2026-000001",
            "credit_code": case.credit_code,
            "name": case.name,
            "stage": "valid",
            "standing": "certified",
            "awaiting": "finance",
            "due_at": None,
            "valid_until": "2027-03-02",
        }


class TestShow:
    @pytest.mark.parametrize(
        "event", ["application_received", "application_approved", "base_certified", "base_published", "marks_confirmed"]
    )
    def test_the_keys_are_the_fixed_ones_in_every_stage(self, store: CaseStore, reader: Reader, event: str) -> None:
        view = view_at(reader, Enterprise().stored(store, event), OPENED + timedelta(days=400))
        assert set(view) == SHOW | SHOW_TOO
        assert set(view["deposit"]) == DEPOSIT
        assert {frozenset(amount) for amount in view["deposit"].values()} == {frozenset({"fen"})}
        assert set(view["publication"]) == PUBLICATION
        assert set(view["workflow"]) == WORKFLOW
        for name, keys in (("tasks", TASK | TASK_TOO), ("holds", HOLD), ("benefits", BENEFIT), ("findings", FINDING)):
            assert all(set(part) == keys for part in view[name]), name
        assert view["term"] is None or set(view["term"]) == TERM
        assert view["ending"] is None or set(view["ending"]) == ENDING

    def test_whose_base_it_is(self, store: CaseStore, reader: Reader) -> None:
        """An overseas entity with the enterprise it entrusts, both on record (A1); a mainland one for itself."""
        overseas = Enterprise(number="LB-2026-000002", name="overseas")
        case = overseas.stored(store, "application_received")
        entity, entrusted = "Cloudport Live (HK) Limited", "深圳云港电子商务有限公司"
        view = view_at(reader, case, OPENED)
        assert view["parties"] == {"entity": entity, "entrusted_enterprise": entrusted}
        assert view["credit_code"] == overseas.credit_code, "the entrusted enterprise's"
        own = view_at(reader, Enterprise().stored(store, "application_received"), OPENED)
        assert own["parties"] == {"entity": cases.payer(), "entrusted_enterprise": None}

    def test_an_application_in_review(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "review_taken")
        view = view_at(reader, case, OPENED)
        assert view["tasks"] == [
            {
                "kind": "review",
                "role": "reviewer",
                "assignee": "li",
                "subject": None,
                "due_at": "2026-03-17T00:00:00+08:00",
                "provisional": False,
            }
        ]
        assert view["due_at"] == "2026-03-17T00:00:00+08:00"
        assert (view["revision"], view["policy_version"]) == (1, "2026.1")
        assert (view["stage"], view["standing"], view["awaiting"]) == ("review", "applicant", "reviewer")
        assert (view["term"], view["ending"], view["valid_until"]) == (None, None, None)
        assert (view["benefits"], view["holds"]) == ([], [])
        assert view["publication"] == {"state": "none"} | dict.fromkeys(PUBLICATION - {"state"})
        assert view["workflow"] == {"id": case.workflow_id, "run_id": None, "url": None}

    def test_a_published_base(self, store: CaseStore, reader: Reader) -> None:
        view = view_at(reader, Enterprise().stored(store, "base_published"), OPENED + 5 * HOUR)
        assert view["term"] == {
            "number": 1,
            "certificate_number": "LBC-2026-000001",
            "from": "2026-03-02T14:00:00+08:00",
            "until": "2027-03-03T00:00:00+08:00",
            "last_day": "2027-03-02",
        }
        assert view["publication"] == {
            "state": "published",
            "due_date": "2026-03-11",
            "provisional": False,
            "published_at": "2026-03-02T15:00:00+08:00",
            "register_revision": 1,
            "breached": False,
        }
        assert view["benefits"][0] == {
            "benefit": "P1", "state": "granted", "effective_from": "2026-03-02T15:00:00+08:00",
            "paused_since": None,
        }  # fmt: skip
        assert [benefit["benefit"] for benefit in view["benefits"]] == ["P1", "P2", "P3", "P4", "P5", "P6"]

    def test_the_name_and_marks_wait_for_publication(self, store: CaseStore, reader: Reader) -> None:
        view = view_at(reader, Enterprise().stored(store, "base_certified"), OPENED + 4 * HOUR)
        assert view["benefits"][0] == {
            "benefit": "P1", "state": "granted", "effective_from": None, "paused_since": None,
        }  # fmt: skip
        assert view["publication"]["state"] == "pending"

    def test_an_expired_base(self, store: CaseStore, reader: Reader) -> None:
        view = view_at(reader, Enterprise().stored(store, "certification_expired"), OPENED + timedelta(days=366))
        assert view["ending"] == {
            "kind": "expired",
            "cause": "term_ended",
            "legal_at": "2027-03-03T00:00:00+08:00",
            "observed_at": "2027-03-03T00:00:00+08:00",
            "reason": "the term ended without a renewal",
            "decision": "LB-2026-000001-21",
        }
        assert {benefit["state"] for benefit in view["benefits"]} == {"withdrawn"}
        assert (view["publication"]["state"], view["publication"]["register_revision"]) == ("withdrawn", 2)

    def test_holds(self, store: CaseStore, reader: Reader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "base_certified")
        hold = Hold(kind="conduct", since=OPENED, reason="under investigation")
        write(store, enterprise.published(case.model_copy(update={"holds": (hold,)})))
        view = view_at(reader, case, OPENED + 6 * HOUR)
        assert view["holds"] == [
            {"kind": "conduct", "since": "2026-03-02T10:00:00+08:00", "reason": "under investigation"}
        ]
        assert view["standing"] == "suspended"


class TestFailingClosed:
    """Past the term's end nothing reads as valid, though no worker has got to the expiry."""

    @pytest.mark.parametrize("event", ["base_certified", "base_published"])
    def test_nothing_outlives_the_term(self, store: CaseStore, reader: Reader, event: str) -> None:
        case = Enterprise().stored(store, event)
        assert case.term is not None
        before = view_at(reader, case, case.term.until - timedelta(microseconds=1))
        after = view_at(reader, case, case.term.until)
        listed = {"base_certified": "pending", "base_published": "published"}[event]
        assert (before["standing"], before["publication"]["state"]) == ("certified", listed)
        assert {benefit["state"] for benefit in before["benefits"]} == {"granted"}
        assert (after["standing"], after["publication"]["state"]) == ("expired", "withdrawn")
        assert {benefit["state"] for benefit in after["benefits"]} == {"withdrawn"}
        assert after["ending"] is None, "no transition has run"

    def test_a_late_expiry_reads_as_it_did_before(self, store: CaseStore, reader: Reader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "base_published")
        wall = OPENED + timedelta(days=500)
        before = view_at(reader, case, wall)
        for transition in enterprise.first_year():
            if transition.case.sequence > case.sequence:
                write(store, transition)
        after = view_at(reader, case, wall)
        for key in ("standing", "benefits", "term"):
            assert before[key] == after[key]
        assert before["publication"]["state"] == after["publication"]["state"] == "withdrawn"

    def test_a_case_is_read_on_its_own_clock(self, store: CaseStore, reader: Reader) -> None:
        moved, other = Enterprise(), Enterprise(number="LB-2026-000002")
        case = moved.stored(store, "base_published")
        other.stored(store, "base_published")
        store.record_clock(moved.workflow_id, timedelta(days=365))
        wall = OPENED + timedelta(days=1)
        assert found(reader, moved.number).clock_offset == timedelta(days=365)
        assert found(reader, moved.number).clock(wall) == wall + timedelta(days=365)
        assert view_at(reader, case, wall)["standing"] == "expired"
        assert view_at(reader, case, wall)["publication"]["state"] == "withdrawn"
        standings = {row.case.case_number: summary(row, wall)["standing"] for row in reader.list_cases(wall)}
        assert standings == {moved.number: "expired", other.number: "certified"}
        assert [row.case.case_number for row in reader.list_cases(wall, standing=Standing.EXPIRED)] == [moved.number]
        assert [row.case.case_number for row in reader.list_cases(wall, standing=Standing.CERTIFIED)] == [other.number]

    def test_what_was_never_certified_is_not_on_the_list(self) -> None:
        assert publication_view(cases.in_review(), OPENED)["state"] == "none"


class TestMoney:
    def test_the_deposit_and_every_line_of_it(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "base_certified")
        view = reader.deposit(case)
        assert set(view) == DEPOSIT | {"entries"}
        assert {name: view[name]["fen"] for name in DEPOSIT} == {
            "required": 10_000_000, "received": 10_000_000, "deducted": 0, "refunded": 0, "held": 10_000_000,
            "unmatched": 1_000_000,
        }  # fmt: skip
        assert all(set(entry) == LEDGER | LEDGER_TOO for entry in view["entries"])
        assert [(e["sequence"], e["kind"], e["amount"], e["reference"]) for e in view["entries"]] == [
            (4, "received", {"fen": 4_000_000}, "LB-2026-000001-a"),
            (5, "received", {"fen": 6_000_000}, "LB-2026-000001-b"),
            (5, "unmatched", {"fen": 1_000_000}, "LB-2026-000001-b"),
        ]
        assert view["entries"][0]["at"] == "2026-03-02T13:00:00+08:00"
        assert {name: view_at(reader, case, OPENED)["deposit"][name] for name in DEPOSIT} == {
            name: view[name] for name in DEPOSIT
        }

    def test_a_deposit_nothing_was_paid_of(self, store: CaseStore, reader: Reader) -> None:
        view = reader.deposit(Enterprise().stored(store, "application_received"))
        assert view["entries"] == []
        assert view["held"] == {"fen": 0}

    def test_a3_is_pending_until_paid_in_full_and_then_passes(self, store: CaseStore, reader: Reader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_approved")
        application, policy = enterprise.submission.application, cases.setting(OPENED).policy

        def a3(case: Case) -> tuple[dict[str, Any], list[dict[str, Any]]]:
            findings = view_at(reader, case, OPENED)["findings"]
            assert findings == reader.findings(case.case_number)
            (finding,) = [finding for finding in findings if finding["condition"] == "A3"]
            return finding, [other for other in findings if other is not finding]

        def screened(as_of: date, *, paid: bool) -> dict[str, Any]:
            """The rules' own words for it."""
            findings = screen(application, policy, as_of=as_of, deposit_paid=paid)
            return next(f.model_dump(mode="json") for f in findings if f.condition == "A3")

        pending, others = a3(case)
        assert pending == screened(OPENED.date(), paid=False)
        assert (pending["outcome"], pending["value"], pending["threshold"]) == ("pending", None, "100000.00")

        first = enterprise.paid(case, 9_999_999, "B1")
        write(store, first)
        assert a3(case) == (pending, others)

        later = OPENED + timedelta(days=3)
        write(store, enterprise.paid(first.case, 1, "B2", later))
        passed, same = a3(case)
        assert passed == screened(later.date(), paid=True)
        assert (passed["outcome"], passed["value"], passed["as_of"]) == ("pass", "100000.00", "2026-03-05")
        assert same == others

    def test_unmatched_money_passes_nothing(self, store: CaseStore, reader: Reader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_approved")
        command = cases.command(ReceiveDeposit, cases.FINANCE, amount=10_000_000, reference="B1", payer="somebody else")
        write(store, cases.deposit.receive(case, command, None, None, cases.setting(OPENED + 3 * HOUR)))
        (a3,) = [finding for finding in reader.findings(case.case_number) if finding["condition"] == "A3"]
        assert a3["outcome"] == "pending"


class TestTheRest:
    def test_the_timeline(self, store: CaseStore, reader: Reader) -> None:
        transitions = list(Enterprise().first_year())
        for transition in transitions:
            write(store, transition)
        entries = reader.timeline("LB-2026-000001")
        assert all(set(entry) == ENTRY for entry in entries)
        assert [entry["sequence"] for entry in entries] == list(range(1, len(transitions) + 1))
        assert [entry["event"] for entry in entries] == [t.event for t in transitions]
        assert (entries[0]["legal_at"], entries[0]["actor"]) == ("2026-03-02T10:00:00+08:00", "applicant:wang")
        assert entries[4]["detail"]["credited"] == {"fen": 6_000_000}
        assert reader.timeline("LB-2026-000009") == []

    def test_findings_are_those_of_the_newest_screening_in_their_order(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "application_approved")
        findings = reader.findings(case.case_number)
        assert [finding["condition"] for finding in findings] == [
            "A1", "A2.taxpayer", "A2.capital", "A2.age", "A3", "A4.live_rooms", "A4.area", "A4.cases",
            "A4.experience", "A5", "B1", "B2", "R8",
        ]  # fmt: skip
        assert reader.findings("LB-2026-000009") == []

    def test_submissions(self, store: CaseStore, reader: Reader) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "application_received")
        assert reader.submission(case.case_number, 1) == enterprise.submission.sha256
        assert reader.submission(case.case_number, 2) is None

    def test_the_same_legal_representative_behind_another_credit_code(self, store: CaseStore, reader: Reader) -> None:
        first, second = Enterprise(), Enterprise(number="LB-2026-000002")
        old = first.stored(store, "certification_expired")
        new = second.stored(store, "application_received")
        (flagged,) = reader.same_representative(new, cases.midnight(date(2027, 6, 1)))
        assert (flagged["case_number"], flagged["standing"]) == (old.case_number, "expired")
        again = Enterprise(number="LB-2027-000003", credit_code=first.credit_code, ordinal=2)
        own = again.stored(store, "application_received")
        assert {line["credit_code"] for line in reader.same_representative(own, OPENED)} == {second.credit_code}

    def test_letters(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "base_published")
        letters = reader.letters(case.case_number)
        assert [letter["kind"] for letter in letters] == [
            "application_received", "application_approved", "deposit_received", "deposit_received", "payment_unmatched",
            "base_certified", "base_published",
        ]  # fmt: skip
        assert {letter["state"] for letter in letters} == {"pending"}
        assert case.name in letters[0]["body"]

    def test_answers(self, store: CaseStore, reader: Reader) -> None:
        case = Enterprise().stored(store, "application_received")
        command = cases.command(ReceiveDeposit, cases.FINANCE, amount=1, reference="B1", payer="x")
        answer = Answer(
            request_id="r", accepted_at=OPENED, case_number=case.case_number, stage=case.stage,
            standing=Standing.APPLICANT, revision=1, awaiting=case.awaiting, due_at=case.due_at,
        )  # fmt: skip
        with store.transaction(case.workflow_id) as tx:
            tx.remember(command, answer, OPENED)
        assert reader.answered("r") == (command.params_hash(), answer)
        assert reader.answered("another") is None

    def test_instants_are_shown_with_shanghais_offset(self) -> None:
        assert shown(OPENED) == "2026-03-02T10:00:00+08:00"
        assert shown(OPENED.astimezone(SHANGHAI)) == "2026-03-02T10:00:00+08:00"
        assert shown(None) is None
