"""What the public complains of: read in bounds, and decided on once, by a person, about the base it is about."""

from __future__ import annotations

import pytest

from domain.commands import DismissComplaint, ReportConduct
from domain.complaints import NotReadable, ReceivedComplaint, complaint_reference, read_complaint
from domain.deciding import decide
from domain.records import ComplaintDecided, Transition
from domain.refusals import Refusal, RefusalKind
from domain.shanghai import shanghai_date
from tests.domain import cases

NUMBER = "LBC-2026-000001"
REFERENCE = "TS-AAAAAAAAAAAAAAAA"
FORM = {"text": "有人索要开通费", "contact": "", "link": ""}


class Complained(cases.AllOnRecord):
    def __init__(self, about: str | None, by: str | None = None) -> None:
        self.received = None if about is None else ReceivedComplaint(REFERENCE, about, cases.OPENED, by)

    def complaint(self, _: str) -> ReceivedComplaint | None:
        return self.received


def certificate() -> str:
    return cases.in_valid().terms[0].certificate_number


def dismissed(about: str | None, by: str | None = None) -> Transition:
    command = cases.command(DismissComplaint, cases.COMPLIANCE, complaint=REFERENCE, reason="不属实")
    return decide(cases.in_valid(), command, cases.setting(cases.OPENED), Complained(about, by))


def taken_up(about: str | None, by: str | None = None) -> Transition:
    case = cases.in_valid()
    given = {
        "conduct": f"{case.case_number}-C1",
        "rule": "R4",
        "trigger": "breach",
        "severity": "minor",
        "found_on": shanghai_date(cases.OPENED),
        "facts": "收取开通费",
        "evidence": ("0" * 64,),
        "complaint": REFERENCE,
    }
    command = cases.command(ReportConduct, cases.COMPLIANCE, **given)
    return decide(case, command, cases.setting(cases.OPENED), Complained(about, by))


def test_dismissed_it_leaves_the_base_as_it_was_and_its_reason_to_the_staff() -> None:
    done = dismissed(certificate())
    assert done.records == (ComplaintDecided(REFERENCE, "dismissed", "不属实"),)
    assert done.detail == {"complaint": REFERENCE}, "applicants read it"
    assert done.case == cases.in_valid().model_copy(update={"sequence": done.case.sequence})


def test_taken_up_it_is_a_report_of_compliance_s_own() -> None:
    done = taken_up(certificate())
    assert done.event == "conduct_reported" and len(done.case.conduct) == 1
    assert ComplaintDecided(REFERENCE, "taken_up", "") in done.records
    assert done.detail["complaint"] == REFERENCE


@pytest.mark.parametrize("act", [dismissed, taken_up])
@pytest.mark.parametrize(
    ("about", "by", "kind"),
    [
        (None, None, RefusalKind.NOT_FOUND),
        ("LBC-2026-000777", None, RefusalKind.INVALID_VALUE),
        (certificate(), "dismissed in LB-2026-000001, entry 9", RefusalKind.ALREADY_DECIDED),
    ],
)
def test_only_one_that_waits_and_is_about_the_base(act, about: str | None, by: str | None, kind: RefusalKind) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal) as refused:
        act(about, by)
    assert refused.value.kind is kind


def test_what_is_left_empty_is_none() -> None:
    read = read_complaint(NUMBER, {**FORM, "contact": "  "})
    assert (read.text, read.contact, read.link) == (FORM["text"], None, None)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"text": ""}, ("text",)),
        ({"text": "x" * 2001}, ("text",)),
        ({"text": "\ud840"}, ("text",)),
        ({"contact": "a\nb"}, ("contact",)),
        ({"contact": "x" * 201}, ("contact",)),
        ({"link": "javascript:alert(1)"}, ("link",)),
        ({"link": "https://x y"}, ("link",)),
        ({"link": "https://x\u202ey"}, ("link",)),
        ({"text": "", "contact": "\x00", "link": "x"}, ("text", "contact", "link")),
    ],
)
def test_what_is_wrong_is_told_by_field(fields: dict[str, str], wrong: tuple[str, ...]) -> None:
    with pytest.raises(NotReadable) as refused:
        read_complaint(NUMBER, FORM | fields)
    assert refused.value.fields == wrong


def test_a_reference_is_that_of_the_words_and_of_the_secret() -> None:
    one, other = read_complaint(NUMBER, FORM), read_complaint(NUMBER, {**FORM, "contact": "13800000000"})
    assert one.reference(b"s") == read_complaint(NUMBER, dict(FORM)).reference(b"s")
    assert len({one.reference(b"s"), other.reference(b"s"), one.reference(b"t")}) == 3
    assert complaint_reference(one.reference(b"s").lower() + " ") == one.reference(b"s")
    assert complaint_reference("TS-1") is None
