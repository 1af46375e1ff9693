"""Which case money is for, and which bases are looked at again: read alike on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from domain.setting import step
from store.cases import CaseStore
from store.payments import case_of_payment
from store.reference import policy_book
from store.verifications import VerificationStore
from tests.domain import cases, verified
from tests.store.first_year import OPENED, Enterprise, write

PAYER = "义乌云集电子商务有限公司"


def placed(engine: Engine, note: str = "", payer: str = "somebody else", reference: str = "R-1") -> str | None:
    found, _ = case_of_payment(engine, reference, note, payer)
    return found.case.case_number if found else None


class TestPlacing:
    @pytest.mark.parametrize(
        "note",
        [
            "LB-2026-000001",
            "保证金 lb-2026-000001 直播基地",
            "ＬＢ－2026－000001".replace("－", "-"),
            "{code}",
            "信用代码{code},保证金",
            " {code} / LB-2026-000001",
            "LB-2020-000009 {code}",
        ],
    )
    def test_by_what_the_note_names(self, store: CaseStore, engine: Engine, note: str) -> None:
        enterprise = Enterprise()
        enterprise.stored(store, "application_approved")
        Enterprise(number="LB-2026-000002").stored(store, "application_approved")
        assert placed(engine, note.format(code=enterprise.credit_code)) == "LB-2026-000001"

    @pytest.mark.parametrize("note", ["LB-2026-000001 LB-2026-000002", "LB-2026-000001 {code}", "LB-2020-000009"])
    def test_two_or_none_are_no_case(self, store: CaseStore, engine: Engine, note: str) -> None:
        Enterprise().stored(store, "application_approved")
        other = Enterprise(number="LB-2026-000002")
        other.stored(store, "application_approved")
        assert placed(engine, note.format(code=other.credit_code)) is None

    def test_a_credit_code_is_its_newest_case(self, store: CaseStore, engine: Engine) -> None:
        first = Enterprise()
        first.stored(store, "marks_confirmed")
        Enterprise(number="LB-2026-000002", credit_code=first.credit_code, ordinal=2).stored(
            store, "application_received"
        )
        assert placed(engine, first.credit_code) == "LB-2026-000002"

    def test_else_by_the_payer_that_has_a_deposit_due(self, store: CaseStore, engine: Engine) -> None:
        Enterprise().stored(store, "base_published")
        assert placed(engine, payer=PAYER) is None, "its deposit is whole"
        Enterprise(number="LB-2026-000002").stored(store, "application_approved")
        assert placed(engine, payer=f" {PAYER}") == "LB-2026-000002"
        assert placed(engine, "LB-2026-000001", PAYER) == "LB-2026-000001", "what is named comes first"
        Enterprise(number="LB-2026-000003").stored(store, "application_approved")
        assert placed(engine, payer=PAYER) is None, "two of that name"

    def test_a_reference_on_record_stays_with_its_case(self, store: CaseStore, engine: Engine) -> None:
        Enterprise().stored(store, "base_published")
        Enterprise(number="LB-2026-000002").stored(store, "application_approved")
        assert placed(engine, "LB-2026-000002", reference="LB-2026-000001-a") == "LB-2026-000001"


class TestLookedAtAgain:
    def test_the_certified_bases_whose_half_year_is_over_by_their_own_clocks(
        self, store: CaseStore, engine: Engine
    ) -> None:
        looking = VerificationStore(engine, policy_book())
        due, moved, unasked = Enterprise(), Enterprise(number="LB-2026-000002"), Enterprise(number="LB-2026-000003")
        for enterprise in (due, moved, unasked):
            case = enterprise.stored(store, "base_published")
            if enterprise is not unasked:
                at = OPENED if enterprise is due else OPENED + timedelta(days=100)
                known = verified.with_known(case, at=at).verification
                setting = replace(cases.setting(at), list_revision=2)
                write(store, step(case, setting, "enterprise_verified", "system", verification=known))
        half_a_year_on = OPENED + timedelta(days=186)
        assert looking.due(OPENED + timedelta(days=150)) == ()
        assert looking.due(half_a_year_on) == (due.workflow_id,)
        store.record_clock(moved.workflow_id, timedelta(days=110))
        assert looking.due(half_a_year_on) == (due.workflow_id, moved.workflow_id)
        assert looking.clock(moved.workflow_id, half_a_year_on) == half_a_year_on + timedelta(days=110)
        assert looking.due(OPENED + timedelta(days=366)) == (), "their terms are over; their runs come first"
        with pytest.raises(LookupError):
            looking.clock("base:nobody:1", OPENED)
