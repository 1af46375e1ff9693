"""A base's name that a person must weigh: taken for another's, or for the platform's."""

from __future__ import annotations

from datetime import date

import pytest

from domain.case import Case
from domain.commands import Acceptance, Approve
from domain.findings import Outcome
from domain.look_alike import LookAlike, for_the_applicant, judged, protected_since, skeletons
from domain.policy import PolicyBook
from domain.refusals import Refusal, RefusalKind
from domain.review import approve
from domain.screening import screen
from domain.shanghai import midnight
from store.reference import policy_book
from tests.domain import cases
from tests.domain.handed_in import TODAY, application

LISTED = LookAlike("LB-2026-000007", "LBC-2026-000003")
UNDER_WAY = LookAlike("LB-2026-000009", None)
POLICY = policy_book().in_force(TODAY)


def message(name: str, *others: LookAlike) -> str:
    findings = judged(application({"base.name": name}), POLICY, others, as_of=TODAY)
    assert [(one.condition, one.outcome, one.value) for one in findings] in ([], [("name", Outcome.PERSON, name)])
    return findings[0].message if findings else ""


@pytest.mark.parametrize(
    "name",
    [
        "义乌北苑直播基地",
        "义乌北苑淘宝直播基地",  # the title that the scheme grants to whom it certifies (P1)
        "义乌北苑淘寶直播",
        "柯桥布艺直播基地",
        "Yunji Live Base",
        "宝贝淘直播基地",
        "唯美家居直播基地",
    ],
)
def test_a_name_of_one_s_own(name: str) -> None:
    assert message(name) == ""


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("淘宝义乌基地", "淘宝"),
        ("淘寶義烏基地", "淘宝"),
        ("义乌天猫直播基地", "天猫"),
        ("天 猫 直播基地", "天猫"),
        ("支付寶直播基地", "支付宝"),
        ("阿里巴巴·义乌淘宝直播基地", "阿里巴巴"),
        ("Ｔａｏｂａｏ Yiwu", "taobao"),
        ("Tаоbао Yiwu", "taobao"),
        ("A1ipay 义乌基地", "alipay"),
        ("ALlBABA 直播基地", "alibaba"),
        ("T-M-A-L-L 直播基地", "tmall"),
        ("义乌北苑官方直播基地", "官方"),
        ("义乌北苑認證直播基地", "认证"),
        ("Official Yiwu Live", "official"),
        ("义乌 唯一 直播基地", "唯一"),
        ("杭州淘宝直播官方", "淘宝、官方"),
        ("杭州淘宝直播认证", "淘宝、认证"),
        ("北苑taobaolive官方", "taobao、官方"),
    ],
)
def test_the_platform_s_marks_and_what_only_it_can_say(name: str, word: str) -> None:
    assert f"It holds {word}" in message(name)


def test_the_scheme_s_own_name_is_no_base_s() -> None:
    assert "no base's" in message("淘宝直播基地")


def test_a_word_of_several_alphabets() -> None:
    assert "mixes alphabets" in message("Yunјi 直播基地")


def test_a_listed_base_is_named_by_its_certificate_and_others_to_the_staff_alone() -> None:
    told = message("义乌北苑直播基地", LISTED, UNDER_WAY)
    assert "the listed LBC-2026-000003" in told and "LB-2026-000007, LB-2026-000009" in told
    (finding,) = judged(application({}), POLICY, (LISTED, UNDER_WAY), as_of=TODAY)
    view = {"findings": [finding.model_dump(mode="json")], "others": [{"message": "For the staff: stays"}]}
    heard = for_the_applicant(view)
    assert "LBC-2026-000003" in str(heard) and "LB-2026-00000" not in str(heard).replace("LBC-", "")
    assert heard["others"] == view["others"]
    assert heard["findings"][0] == finding.model_dump(mode="json") | {"message": heard["findings"][0]["message"]}


def test_both_the_base_s_and_its_company_s_name_are_compared() -> None:
    assert skeletons(application({"base.name": "義烏北苑直播基地"})) == {"义乌北苑", "义乌云集"}


def test_an_ended_certification_is_kept_from_being_taken_for_another_s_for_the_policy_s_months() -> None:
    assert protected_since(POLICY, date(2028, 2, 29)) == midnight(date(2026, 2, 28))


def test_a_running_case_keeps_the_words_of_its_policy() -> None:
    older = policy_book().versions[0].model_dump(mode="json")
    newer = {**older, "version": "2027.1", "effective_from": "2027-01-01"}
    newer["figures"] = {**older["figures"], "reserved_words": {"value": ["云集"], "source": "requirement R1"}}
    book = PolicyBook.model_validate({"versions": [older, newer]})
    named = application({"base.name": "云集直播基地"})
    assert screen(named, book.pinned("2026.1"), as_of=TODAY)[-1].condition == "R8"
    assert screen(named, book.pinned("2027.1"), as_of=TODAY)[-1].condition == "name"


def test_a_certified_base_s_name_is_not_weighed_again() -> None:
    findings = screen(application({"base.name": "淘宝义乌基地"}), POLICY, as_of=TODAY, alike=None)
    assert findings[-1].condition == "R8"


def test_the_approval_waits_for_a_person_and_refuses_nothing_by_itself() -> None:
    case = cases.in_review()
    with pytest.raises(Refusal) as refused:
        _approve(case)
    assert refused.value.kind is RefusalKind.ACCEPTANCE_MISSING
    assert "LB-2026-000009" in refused.value.problems[0].message
    done = _approve(case, Acceptance(condition="name", reason="two villages of one name"))
    assert done.detail["accepted"] == {"name": "two villages of one name"}


def _approve(case: Case, *accepted: Acceptance):  # type: ignore[no-untyped-def]
    command = cases.command(Approve, cases.REVIEWER, revision=1, accepted=accepted)
    return approve(case, command, cases.submission(), cases.setting(cases.OPENED), (UNDER_WAY,))
