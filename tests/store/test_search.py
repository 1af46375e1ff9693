"""Looking for a case by anything it is known by; what a shell offers; who is waited for; what a case rests on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from domain import review
from domain.commands import Missing, RequestSupplement, Supplement
from domain.stages import Role
from store.cases import CaseStore
from store.completion import numbers, submission
from store.grounds import grounds
from store.lists import waiting_cases
from store.search import same_overseas_entity, search
from tests.domain import cases
from tests.store.first_year import OPENED, Enterprise, write

MISSING = (Missing(condition="A1", what="the entity's certificate of incorporation"),)
OPERATING = "义乌云集基地运营有限公司"


def found(engine: Engine, text: str) -> list[str]:
    return [match.found.case.case_number for match in search(engine, text)]


def matched(engine: Engine, text: str) -> list[tuple[str, str]]:
    (match,) = search(engine, text)
    return list(match.matched)


class TestSearch:
    def test_by_everything_a_case_is_known_by(self, store: CaseStore, engine: Engine) -> None:
        enterprise = Enterprise()
        case = enterprise.stored(store, "base_published")
        for kind, name in {
            "case_number": case.case_number,
            "credit_code": case.credit_code,
            "certificate_number": enterprise.certificate_number,
            "base": case.name,
            "platform_account": "yunji-base",
            "operating_company": OPERATING,
            "operating_company_code": "91330782MA2K7P3R2Y",
            "reference": "LB-2026-000001-a",
            "entity": "义乌云集电子商务有限公司",
        }.items():
            assert (kind, name) in matched(engine, name), kind
        assert ("payer", "义乌云集电子商务有限公司") in matched(engine, "义乌云集电子商务有限公司")

    @pytest.mark.parametrize(
        "text", ["yunji", "YUNJI-BASE", "ｙｕｎｊｉ", " yun ji ", "北苑", "直播基地", "lb-2026-000001", "000001-A"]
    )
    def test_however_it_is_typed_and_any_part_of_it(self, store: CaseStore, engine: Engine, text: str) -> None:
        Enterprise().stored(store, "base_published")
        assert found(engine, text) == ["LB-2026-000001"]

    @pytest.mark.parametrize("text", ["", " ", "%", "_", "\\", "'", "*", "义乌北苑直播基地x", "王建国", "13800000000"])
    def test_what_nothing_is_known_by(self, store: CaseStore, engine: Engine, text: str) -> None:
        """No wildcard of the database's counts, and nobody is found by a person's name or telephone."""
        Enterprise().stored(store, "base_published")
        assert found(engine, text) == []

    @pytest.mark.parametrize(
        "text", ["Cloudport Live (HK) Limited.", "CLOUDPORT LIVE （ＨＫ）", "2871234", "深圳云港电子商务", "云港跨境"]
    )
    def test_an_overseas_entity_by_either_party(self, store: CaseStore, engine: Engine, text: str) -> None:
        Enterprise(name="overseas").stored(store, "application_received")
        Enterprise(number="LB-2026-000002").stored(store, "application_received")
        assert found(engine, text) == ["LB-2026-000001"]

    def test_exactly_before_at_the_beginning_before_within_and_newest_first(
        self, store: CaseStore, engine: Engine
    ) -> None:
        for number in ("LB-2026-000001", "LB-2026-000002", "LB-2026-000003"):
            write(store, Enterprise(number=number).opened())
        paying = Enterprise(number="LB-2026-000010")
        case = paying.stored(store, "application_approved")
        write(store, paying.paid(case, 1, "A-LB-2026-000001-B"))
        write(store, paying.paid(paying.paid(case, 1, "x").case, 1, "LB-2026-000001-1"))
        assert found(engine, "LB-2026-000001") == ["LB-2026-000001", "LB-2026-000010"]
        assert [name for _, name in search(engine, "LB-2026-000001")[1].matched] == [
            "LB-2026-000001-1", "A-LB-2026-000001-B",
        ]  # fmt: skip
        assert found(engine, "LB-2026") == [f"LB-2026-0000{number}" for number in ("10", "03", "02", "01")]

    def test_every_case_of_an_enterprise_is_found(self, store: CaseStore, engine: Engine) -> None:
        first = Enterprise()
        first.stored(store, "certification_expired")
        later = OPENED + timedelta(days=400)
        second = Enterprise(number="LB-2027-000001", credit_code=first.credit_code, ordinal=2, opened=later)
        write(store, second.opened())
        assert found(engine, first.credit_code) == ["LB-2027-000001", "LB-2026-000001"]


class TestSameOverseasEntity:
    def test_behind_another_enterprise_it_is_seen_by_its_number_or_its_name(
        self, store: CaseStore, engine: Engine
    ) -> None:
        first, renamed, renumbered, other = (
            Enterprise(number=f"LB-2026-00000{number}", name="overseas") for number in (1, 2, 3, 4)
        )
        again = Enterprise(number="LB-2026-000005", credit_code=first.credit_code, ordinal=2, name="overseas")
        mainland = Enterprise(number="LB-2026-000006")
        rewrite(renamed, name="Cloudport Group Limited")
        rewrite(renumbered, registration_number="HK 28-71234", name="CLOUDPORT LIVE （HK） LIMITED.")
        rewrite(other, registration_number="2871235", name="Cloudport Live (SG) Limited")
        case = first.stored(store, "certification_expired")
        for enterprise in (renamed, renumbered, other, again, mainland):
            write(store, enterprise.opened())
        same = [found.case.case_number for found in same_overseas_entity(engine, case)]
        assert same == ["LB-2026-000002", "LB-2026-000003"]
        assert same_overseas_entity(engine, mainland.opened().case) == []

    def test_a_name_an_earlier_revision_gave_counts(self, store: CaseStore, engine: Engine) -> None:
        first, second = (Enterprise(number=f"LB-2026-00000{number}", name="overseas") for number in (1, 2))
        case = first.stored(store, "application_received")
        write(store, second.opened())
        request = RequestSupplement(
            request_id="r", workflow_id=second.workflow_id, actor=cases.REVIEWER, revision=1, items=MISSING
        )
        asked = review.request_supplement(second.opened().case, request, cases.setting(OPENED))
        write(store, asked)
        rewrite(second, registration_number="9", name="Elsewhere Limited")
        answer = cases.command(Supplement, cases.APPLICANT, submission=second.submission.sha256)
        write(store, review.supplement(asked.case, answer, second.submission, cases.setting(OPENED)))
        assert [found.case.case_number for found in same_overseas_entity(engine, case)] == ["LB-2026-000002"]


def rewrite(enterprise: Enterprise, **entity: str) -> None:
    """Another overseas entity, or the same under another number or name."""
    application = enterprise.submission.application
    update = {"entity": application.entity.model_copy(update=entity)}
    enterprise.submission = enterprise.submission.model_copy(
        update={"application": application.model_copy(update=update)}
    )


class TestCompletion:
    def test_numbers_and_codes_beginning_with_what_was_typed(self, store: CaseStore, url: str) -> None:
        case = Enterprise().stored(store, "base_published")
        offered = {case.case_number, "LBC-2026-000001", case.credit_code}
        assert dict(numbers(url, "")) == dict.fromkeys(offered, case.name)
        assert [number for number, _ in numbers(url, "LBC")] == ["LBC-2026-000001"]
        assert [number for number, _ in numbers(url, "lb-2")] == ["lb-2026-000001"], "as it was begun"
        assert numbers(url, "义") == numbers(url, "%") == numbers(url, "_") == []

    def test_an_applicant_is_offered_their_own(self, store: CaseStore, url: str) -> None:
        case = Enterprise().stored(store, "application_received")
        assert [number for number, _ in numbers(url, "LB", "Wang ")] == [case.case_number]
        assert numbers(url, "", "zhou") == []
        assert submission(url, case.case_number, "wang") is not None
        assert submission(url, case.case_number, "zhou") is None

    def test_an_enterprise_is_offered_once_and_means_its_newest_case(self, store: CaseStore, url: str) -> None:
        first = Enterprise()
        first.stored(store, "certification_expired")
        second = Enterprise(
            number="LB-2027-000001", credit_code=first.credit_code, ordinal=2, opened=OPENED + timedelta(days=400)
        )
        write(store, second.opened())
        assert [number for number, _ in numbers(url, "913")] == [first.credit_code]
        assert submission(url, first.credit_code.lower()) == (second.workflow_id, second.submission.sha256)
        assert submission(url, "LB-2026-000009") is None

    def test_nothing_is_made_where_nothing_is(self, tmp_path: Path) -> None:
        with pytest.raises(Exception, match="unable to open"):
            numbers(f"sqlite:///{tmp_path / 'gone.db'}", "")
        assert not list(tmp_path.iterdir())


class TestWaiting:
    def test_cases_with_a_task_of_the_role(self, store: CaseStore, engine: Engine) -> None:
        events = ("application_received", "application_approved", "base_published", "certification_expired")
        for number, event in enumerate(events, 1):
            Enterprise(number=f"LB-2026-00000{number}").stored(store, event)

        def waiting(role: Role | None = None, applicant: str | None = None) -> list[str]:
            return sorted(case.case.case_number[-1] for case in waiting_cases(engine, role, applicant))

        assert waiting() == ["1", "2", "3", "4"]
        assert waiting(Role.REVIEWER) == ["1"]
        assert waiting(Role.APPLICANT) == waiting(Role.APPLICANT, "WANG") == ["2", "4"]
        assert waiting(Role.FINANCE) == ["3", "4"], "money that fits nowhere, and the settlement behind the marks"
        assert waiting(Role.APPLICANT, "zhou") == waiting(Role.OPERATOR) == []


class TestGrounds:
    def test_decisions_with_their_reasons_and_money_that_fits_nowhere(self, store: CaseStore, engine: Engine) -> None:
        case = Enterprise().stored(store, "base_published")
        rests_on = grounds(engine, case.case_number)
        assert [(one["kind"], one["role"], one["by"], one["revision"]) for one in rests_on["decisions"]] == [
            ("approved", "reviewer", "li", 1), ("certified", "certifier", "zhao", 1),
        ]  # fmt: skip
        assert rests_on["screening"] == {"revision": 1, "as_of": "2026-03-02", "policy_version": "2026.1"}
        (unmatched,) = rests_on["unmatched"]
        assert unmatched == {
            "reference": "LB-2026-000001-b",
            "payer": "义乌云集电子商务有限公司",
            "amount": {"fen": 1_000_000},
            "value_date": "2026-03-02",
            "why": "more than the deposit required",
            "at": "2026-03-02T13:00:00+08:00",
        }

    def test_a_case_nobody_has_decided_yet(self, store: CaseStore, engine: Engine) -> None:
        case = Enterprise().stored(store, "application_received")
        rests_on = grounds(engine, case.case_number)
        assert (rests_on["decisions"], rests_on["unmatched"]) == ([], [])
