"""What an application file may hold, and that everything wrong with it is told at once (`design/files.md`)."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.application import InvalidApplication, read_application
from domain.refusals import Problem
from tests.domain.handed_in import (
    CODE,
    DELETED,
    INDIVIDUALS_CODE,
    OTHER_CODE,
    RECOMMENDATION,
    TODAY,
    application,
    handed_in,
)

TOMORROW = (TODAY + timedelta(days=1)).isoformat()
NAME = "base.name"
CODE_AT = "entity.credit_code"
CAPITAL = "entity.registered_capital"
AREA = "facilities.area_m2"
ROOMS = "facilities.live_rooms"
SINCE = "experience.since"
CASE = "cooperation_cases.0.evidence"
ENTRUSTED = handed_in(overseas=True)["entrusted_enterprise"]


def problems(data: object) -> tuple[Problem, ...]:
    with pytest.raises(InvalidApplication) as refused:
        read_application(data, today=TODAY)
    return refused.value.problems


REFUSED: list[tuple[str, str, Any, str]] = [
    # what, path, value, a word of the message
    ("a missing field", "contact.email", DELETED, "is missing"),
    ("a missing field that may be null", "entity.advantage_statement", DELETED, "is missing"),
    ("a missing section", "alipay_verification", DELETED, "is missing"),
    ("row 10: an unknown field", "base.is_admin", True, "not a field"),
    ("row 10: an unknown section", "is_admin", True, "not a field"),
    ("a section that is text", "contact", "王芳", "mapping"),
    ("a list that is a mapping", "cooperation_cases", {}, "list"),
    ("null where no condition covers it", NAME, None, "null"),
    ("no jurisdiction", "entity.jurisdiction", None, "null"),
    ("nobody to reach", "contact", None, "null"),
    ("null in a list", "facilities.evidence", [None], "null"),
    ("another kind", "entity.kind", "company", "enterprise, individual"),
    ("row 13: a wrong check character", CODE_AT, "91000000MA00000TXC", "check character"),
    ("row 14: 15 digits", CODE_AT, "330782000012345", "18 characters"),
    ("a code with the letter I", CODE_AT, "91330782MA2K7P3RIU", "characters"),
    ("a code that is a list", CODE_AT, [CODE], "text"),
    ("no code of a mainland entity", CODE_AT, None, "null"),
    ("nobody represents a mainland entity", "entity.legal_representative", None, "null"),
    ("a number beside the credit code", "entity.registration_number", "123", "must be null"),
    ("row 21: a bare number", CAPITAL, 5000000, "quotes"),
    ("row 21: a bare decimal", CAPITAL, 5000000.0, "quotes"),
    ("row 21: zero", CAPITAL, "0.00", "more than zero"),
    ("row 21: negative", CAPITAL, "-500000", "more than zero"),
    ("row 21: 10^30", CAPITAL, "1" + "0" * 30, "amount"),
    ("row 21: 10^30 as a number", CAPITAL, 10**30, "quotes"),
    ("three decimals", CAPITAL, "500000.000", "two decimals"),
    ("thousands separators", CAPITAL, "500,000.00", "amount"),
    ("a currency", CAPITAL, "¥500000", "amount"),
    ("full-width digits", CAPITAL, "\uff15\uff10\uff10\uff10\uff10\uff10", "amount"),
    ("row 22: registered tomorrow", "entity.registered_on", TOMORROW, "future"),
    ("accepted tomorrow", "agreement.accepted_on", TOMORROW, "future"),
    ("verified tomorrow", "alipay_verification.verified_on", TOMORROW, "future"),
    ("experience from tomorrow", SINCE, TOMORROW, "future"),
    ("row 23: a time without zone", SINCE, "2024-06-01T10:00:00", "without a time"),
    ("row 23: a datetime", SINCE, datetime(2024, 6, 1), "without a time"),  # noqa: DTZ001
    ("no day of the calendar", SINCE, "2025-02-29", "calendar"),
    ("a date in another order", SINCE, "01/06/2024", "2026-01-05"),
    ("a week", SINCE, "2024-W22-6", "2026-01-05"),
    ("a year", SINCE, 2024, "2026-01-05"),
    ("row 24: 10.5 rooms", ROOMS, 10.5, "whole number"),
    ("row 24: 12.0 rooms", ROOMS, 12.0, "whole number"),
    ("row 24: ten rooms", ROOMS, "ten", "whole number"),
    ("row 24: '12' rooms", ROOMS, "12", "whole number"),
    ("row 24: true rooms", ROOMS, True, "whole number"),
    ("row 24: -1 rooms", ROOMS, -1, "below zero"),
    ("10^30 rooms", ROOMS, 10**30, "too large"),
    ("row 25: a bare area", AREA, 860.5, "quotes"),
    ("row 25: square feet", AREA, "9262 sq ft", "unit"),
    ("row 25: m²", AREA, "860.5 m²", "unit"),
    ("a negative area", AREA, "-1", "below zero"),
    ("an infinite area", AREA, "inf", "area"),
    ("row 27: an empty name", NAME, "", "empty"),
    ("row 27: spaces only", NAME, " \u3000 ", "empty"),
    ("row 27: U+200B only", NAME, "\u200b", "invisible"),
    ("blank letters only", NAME, "\u3164\u3164", "invisible"),
    ("a blank letter within", NAME, "北苑\u3164基地", "invisible"),
    ("U+034F, which shows nothing", NAME, "北苑\u034f基地", "invisible"),
    ("a variation selector", NAME, "北苑\ufe01基地", "invisible"),
    ("a variation selector of ideographs", NAME, "北\U000e0101苑基地", "invisible"),
    ("a blank sign of braille", NAME, "北苑\u2800基地", "invisible"),
    ("a tag", NAME, "北苑\U000e0041基地", "invisible"),
    ("a sign of private use", NAME, "北苑\ue000基地", "not assigned"),
    ("a sign nobody has assigned", NAME, "北苑\u0378基地", "not assigned"),
    ("a letter under a heap of marks", NAME, "x\u0301\u0302\u0303\u0304 基地", "heap of marks"),
    ("a blank letter in an address", "base.address", "云集路\u115f88号", "invisible"),
    ("a blank letter in a company", "entity.name", "云集\uffa0有限公司", "invisible"),
    ("punctuation only", NAME, "—", "letter or digit"),
    ("row 28: U+202E", NAME, "基地\u202eabc", "text-direction"),
    ("an isolate", NAME, "基地\u2066abc", "text-direction"),
    ("row 32: 5,000 characters", NAME, "名" * 5000, "100 characters"),
    ("101 characters", NAME, "名" * 101, "100 characters"),
    ("row 32: a newline", NAME, "义乌\n基地", "one line"),
    ("a line separator", NAME, "义乌\u2028基地", "one line"),
    ("row 32: terminal codes", NAME, "基地\x1b[2J", "control"),
    ("a null character", NAME, "基地\x00", "control"),
    ("row 33: emoji", NAME, "北苑基地🔥", "emoji"),
    ("row 33: an old emoji", NAME, "北苑基地☀", "emoji"),
    ("row 33: a lone surrogate", NAME, "基地\ud840", "half a character"),
    ("no character", NAME, "基地\uffff", "half a character"),
    ("a name that is a number", NAME, 12345, "quotes"),
    ("an emoji as signatory", "agreement.signatory", "王建国😀", "emoji"),
    ("a long title", "cooperation_cases.0.title", "x" * 201, "200 characters"),
    ("row 38: a mobile number of 10 digits", "contact.phone", "1380000000", "11 digits"),
    ("row 38: letters in a number", "contact.phone", "138-CALL-ME", "phone"),
    ("a phone number without quotes", "contact.phone", 13800000000, "quotes"),
    ("no address", "contact.email", "wang", "email"),
    ("an address of another alphabet", "contact.email", "王芳@yunji.example", "email"),
    ("an address with an empty part", "contact.email", "wang..li@yunji.example", "email"),
    ("an address that ends its name with a dot", "contact.email", "wang.@yunji.example", "email"),
    ("an address with a label that begins with a hyphen", "contact.email", "wang@-yunji.example", "email"),
    ("an address with a name too long", "contact.email", f"{'w' * 65}@yunji.example", "email"),
    ("an address with an argument", "contact.email", "wang@yunji.example?bcc=x@y.example", "email"),
    ("an absolute path", CASE, "/etc/passwd", "relative"),
    ("a path out of the folder", CASE, "../other/case.pdf", "relative"),
    ("a path out and in again", CASE, "documents/../../case.pdf", "relative"),
    ("backslashes", CASE, "documents\\case.pdf", "/"),
    ("the folder itself", CASE, ".", "letter"),
    ("a list where one document stands", CASE, ["documents/case-1.pdf"], "text"),
    ("a mainland entity that entrusts", "entrusted_enterprise", ENTRUSTED, "null"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "word"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(path: str, value: Any, word: str) -> None:
    (problem,) = problems(handed_in({path: value}))
    assert problem.path == path.replace(".0.", "[0].") + ("[0]" if value == [None] else "")
    assert word in problem.message
    assert "pydantic" not in problem.message
    assert "https" not in problem.message


ACCEPTED: list[tuple[str, str, Any]] = [
    ("rare characters of Extension B and G", NAME, "𠀋𠮷基地\U00030000"),
    ("Extension H, newer than this Python's tables", NAME, "基地\U00031350"),
    ("markup is text", NAME, "<script>alert(1)</script> & {{7*7}} ${jndi:x} %s%n"),
    ("row 34: SQL is text", "contact.name", "'; DROP TABLE cases;--"),
    ("100 characters", NAME, "名" * 100),
    ("emoji in a title", "cooperation_cases.0.title", "秋季专场🔥"),
    ("a date object", SINCE, date(2024, 6, 1)),
    ("today", SINCE, TODAY.isoformat()),
    ("a policy's future end", "government_policies.0.valid_until", "2030-12-31"),
    ("no live room", ROOMS, 0),
    ("no area", AREA, "0"),
    ("no decimals", CAPITAL, "500000"),
    ("a landline", "contact.phone", "+86 (0579) 8500-0000"),
    ("no case", "cooperation_cases", []),
    ("null for no case", "cooperation_cases", None),
    ("no document of the rooms", "facilities.evidence", []),
    *(
        (f"null, covered by a condition: {path}", path, None)
        for path in (
            "entity.kind", "entity.registered_on", CAPITAL, "entity.taxpayer", "entity.taxpayer_evidence",
            "agreement", "agreement.evidence", "alipay_verification", "alipay_verification.account", "facilities",
            ROOMS, AREA, "experience", SINCE, CASE, "cooperation_cases.0.kind", "government_policies.0.evidence",
            "operating_company", "operating_company.credit_code",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), [c[1:] for c in ACCEPTED], ids=[c[0] for c in ACCEPTED])
def test_accepted_and_round_trips(path: str, value: Any) -> None:
    read = application({path: value})
    written = json.loads(json.dumps(read.model_dump(mode="json"), ensure_ascii=False))
    assert read_application(written, today=TODAY) == read
    if isinstance(value, str) and path == NAME:
        assert read.base.name == value


@pytest.mark.parametrize(
    "written",
    [CODE.lower(), f" {CODE[:8]} {CODE[8:]} ", "".join(chr(ord(c) + 0xFEE0) for c in CODE), f"{CODE[:6]}-{CODE[6:]}"],
    ids=["lower case", "spaces", "full width", "hyphen"],
)
def test_credit_code_is_normalised(written: str) -> None:
    assert application({CODE_AT: written}).credit_code == CODE


def test_credit_code_of_digits_may_be_a_number() -> None:
    assert application({CODE_AT: 913307820000000014}).credit_code == "913307820000000014"


@pytest.mark.parametrize("data", [[], [handed_in(), handed_in()], "text", 7], ids=["list", "row 12", "text", "number"])
def test_only_a_mapping_is_an_application(data: object) -> None:
    assert problems(data) == (Problem("", "must be a mapping of fields"),)


def test_row_11_every_problem_at_once_in_the_order_of_the_file() -> None:
    wrong = handed_in(
        {
            "base.name": "",
            "entity.credit_code": "1",
            "entity.registration_number": "2",
            "facilities.live_rooms": -1,
            "cooperation_cases.0.evidence": "/case.pdf",
            "contact.email": DELETED,
        }
    )
    assert [problem.path for problem in problems(wrong)] == [
        "base.name",
        "entity.credit_code",
        "entity.registration_number",
        "facilities.live_rooms",
        "cooperation_cases[0].evidence",
        "contact.email",
    ]
    assert len(problems({})) == 12


def test_nothing_personal_is_echoed() -> None:
    secret = "王秘密13912345678"
    wrong = handed_in(
        {
            path: secret
            for path in (CODE_AT, CAPITAL, AREA, ROOMS, SINCE, "contact.phone", "contact.email", "entity.kind")
        }
    )
    wrong[f"\x1b[2J{secret}" + "x" * 500] = secret
    with pytest.raises(InvalidApplication) as refused:
        read_application(wrong, today=TODAY)
    assert len(refused.value.problems) == 9
    shown = [problem.message for problem in refused.value.problems]
    assert not any("王秘密" in message or "139" in message for message in shown)
    assert all(problem.path.isprintable() and len(problem.path) <= 100 for problem in refused.value.problems)


# ------------------------------------------------------------------------------------------ overseas


def test_overseas_is_known_by_the_entrusted_enterprise() -> None:
    read = application(overseas=True)
    assert read.credit_code == CODE
    assert read.enterprise.name == "义乌受托贸易有限公司"
    assert read.enterprise.registered_capital_fen == 500_000_000
    assert read.payer_names == ("Cloudmarket (HK) Ltd", "义乌受托贸易有限公司")
    assert read.document_paths()["documents/entrustment.pdf"] == ("entrusted_enterprise.entrustment",)


OVERSEAS: list[tuple[str, dict[str, Any], str]] = [
    ("row 18: nobody entrusted", {"entrusted_enterprise": None}, "entrusted_enterprise"),
    ("no number of its own", {"entity.registration_number": None}, "entity.registration_number"),
    ("a credit code of its own", {"entity.credit_code": OTHER_CODE}, "entity.credit_code"),
    ("a capital of its own", {"entity.registered_capital": "1.00"}, "entity.registered_capital"),
    ("a date of its own", {"entity.registered_on": "2020-01-01"}, "entity.registered_on"),
    ("a taxpayer of its own", {"entity.taxpayer": "general"}, "entity.taxpayer"),
    ("a representative of its own", {"entity.legal_representative": "李"}, "entity.legal_representative"),
    ("no credit code", {"entrusted_enterprise.credit_code": None}, "entrusted_enterprise.credit_code"),
    ("no name", {"entrusted_enterprise.name": None}, "entrusted_enterprise.name"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "path"), [c[1:] for c in OVERSEAS], ids=[c[0] for c in OVERSEAS])
def test_overseas_refused(changes: dict[str, Any], path: str) -> None:
    (problem,) = problems(handed_in(changes, overseas=True))
    assert problem.path == path
    assert "null" in problem.message


def test_an_individual_is_read_and_fails_its_condition_later() -> None:
    assert application({"entity.kind": "individual", CODE_AT: INDIVIDUALS_CODE}).credit_code == INDIVIDUALS_CODE


def test_documents_with_every_field_naming_them() -> None:
    shared = application({CASE: "documents/./rooms.png", "recommendations": [RECOMMENDATION]}).document_paths()
    assert shared["documents/rooms.png"] == ("facilities.evidence[1]", "cooperation_cases[0].evidence")
    assert shared["documents/letter.pdf"] == ("recommendations[0].evidence",)
    assert len(shared) == 9


# ------------------------------------------------------------------------------------------ anything


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
_ANYTHING = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
_PATHS = st.sampled_from(
    [f"{section}.{field}" for section, value in handed_in().items() if isinstance(value, dict) for field in value]
    + list(handed_in())
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(_PATHS, _ANYTHING, max_size=3), st.booleans())
def test_any_value_is_read_or_refused(changes: dict[str, Any], overseas: bool) -> None:
    """Never another error; what is read is read again from its own dump."""
    nested_first = dict(sorted(changes.items(), key=lambda change: -change[0].count(".")))
    data = handed_in(nested_first, overseas=overseas)
    try:
        read = read_application(data, today=TODAY)
    except InvalidApplication:
        return
    assert read_application(read.model_dump(mode="json"), today=TODAY) == read
