"""An overseas entity and the mainland enterprise it entrusts, as their people and the staff see them (A1)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from starter.structured_text import read_structured_file
from tests.domain.handed_in import INDIVIDUALS_CODE
from tests.office import named_for, new_credit_code
from tests.starter.conftest import (
    APPLICANT,
    CERTIFIER,
    FINANCE,
    OPERATOR,
    PAYER,
    REVIEWER,
    Cases,
    Enterprise,
    enterprise_in,
    when_valid,
)
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

ONLY_ON = "postgresql"
"""With a worker's and a reader's rights; the path's own tests run on both databases."""

ENTITY, ENTRUSTED = "Cloudport Live (HK) Limited", "深圳云港电子商务有限公司"
PARTIES = {"entity": ENTITY, "entrusted_enterprise": ENTRUSTED}
BASE = "前海云港跨境直播基地"
JUDGED_ON_IT = "Judged on the entrusted enterprise."


class Certified:
    """An overseas base from its application to the official list, and what was answered to its payments.

    What its people and finance type are processes of their own; what the others do is done without one.
    """

    def __init__(self, dev: Running, enterprise: Enterprise) -> None:
        self.enterprise = enterprise
        self.number: str = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
        office = InProcess.of(dev)
        ask = ("--item", "A1: an entrustment for this year")
        office.ok("review", "request", self.number, "--revision", "1", *ask, *REVIEWER)
        dev.ok("supplement", self.number, enterprise.supplement(), *APPLICANT)
        office.ok("review", "approve", enterprise.code, "--revision", "2", *REVIEWER)
        pay = ("deposit", "receive", self.number, *FINANCE, "-o", "json")
        payments = {
            "entity": ("--amount", "40000", "--payer", "CLOUDPORT LIVE (HK) LTD"),
            "entrusted": ("--amount", "60000", "--payer", f"　{ENTRUSTED}"),
            "third party": ("--amount", "100000", "--payer", "Cloudport Live (SG) Limited"),
        }
        given = [(*pay, *words, "--reference", f"{self.number}-{name}") for name, words in payments.items()]
        self.paid = dict(zip(payments, dev.each(*given), strict=True))
        office.ok("certify", self.number, *CERTIFIER)
        self.view = when_valid(office, self.number)


def named(certified: Certified) -> str:
    """What the base is called."""
    return named_for(BASE, certified.enterprise.code)


@pytest.fixture(scope="module")
def certified(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(dev, enterprise_in(tmp_path_factory.mktemp("overseas"), "overseas"))


@pytest.fixture(scope="module")
def elsewhere(dev: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The case of the same overseas entity behind another mainland enterprise."""
    other = enterprise_in(tmp_path_factory.mktemp("elsewhere"), "overseas")
    text = other.file.read_text("utf-8").replace("何嘉敏", "罗安").replace(ENTRUSTED, "珠海云港贸易有限公司")
    other.file.write_text(text, "utf-8")
    number: str = InProcess.of(dev).ok("apply", other.file, "--as", "applicant:luo")["case_number"]
    return number


@pytest.fixture(scope="module")
def alone(
    dev: Running, certified: Certified, elsewhere: str, cases: Cases, tmp_path_factory: pytest.TempPathFactory
) -> InProcess:
    """The records of those cases, and no server."""
    return InProcess.of(dev.copy_of_the_records(tmp_path_factory.mktemp("alone")))


def test_check_says_on_whom_it_was_judged(tmp_path: Path) -> None:
    done = InProcess(tmp_path)("check", enterprise_in(tmp_path, "overseas").file, "-o", "json")
    assert (done.code, done.json["passed"]) == (0, True)
    messages = {finding["condition"]: finding["message"] for finding in done.json["findings"]}
    assert "documents/entrustment.pdf" in messages["A1"]
    assert [condition for condition, message in messages.items() if JUDGED_ON_IT in message] == [
        "A2.taxpayer", "A2.capital", "A2.age",
    ]  # fmt: skip
    assert messages["B2"] == "The entrusted enterprise runs the base."


def test_the_base_is_certified_with_both_parties_on_record(alone: InProcess, certified: Certified) -> None:
    for command in ("show", "why"):
        view = alone.ok(command, certified.number)
        assert (view["name"], view["parties"], view["credit_code"]) == (
            named(certified),
            PARTIES,
            certified.enterprise.code,
        )
        assert (view["standing"], view["publication"]["state"]) == ("certified", "published")
        for language, entity, entrusted in (
            ("en", "entity", "entrusted enterprise"),
            ("zh", "申请主体", "受托企业"),
        ):
            table = alone(command, certified.number, "--lang", language).out
            assert re.search(rf"^ {entity} +{re.escape(ENTITY)}$", table, re.M), table
            assert re.search(rf"^ {entrusted} +{ENTRUSTED}$", table, re.M), table
    assert certified.view["workflow"]["id"] == f"base:{certified.enterprise.code}:1"


def test_a_mainland_base_shows_one_party_less(alone: InProcess, cases: Cases) -> None:
    assert alone.ok("show", cases.review)["parties"] == {"entity": PAYER, "entrusted_enterprise": None}
    assert "entrusted" not in alone("show", cases.review).out


def test_the_application_shows_what_the_supplement_changed_of_the_entrusted_enterprise(
    alone: InProcess, certified: Certified
) -> None:
    view = alone.ok("application", "show", certified.number, "--diff", "1", *REVIEWER)
    assert view["application"]["entity"]["name"] == ENTITY
    assert view["application"]["entrusted_enterprise"]["credit_code"] == certified.enterprise.code
    changes = {change["path"]: (change["before"], change["after"]) for change in view["diff"]["changes"]}
    assert changes["entrusted_enterprise.registered_capital"] == ("3000000.00", "5000000.00")
    assert changes["entrusted_enterprise.entrustment"] == (
        "documents/entrustment.pdf", "documents/entrustment-2.pdf",
    )  # fmt: skip
    assert not [path for path in changes if not path.startswith(("entrusted_enterprise.", "documents"))]
    documents = {document["path"] for document in alone.ok("documents", "list", certified.number)}
    assert "documents/entrustment-2.pdf" in documents and "documents/entrustment.pdf" not in documents


def test_the_same_overseas_entity_behind_another_enterprise_is_shown_to_the_reviewer(
    alone: InProcess, certified: Certified, elsewhere: str
) -> None:
    for number, other in ((certified.number, elsewhere), (elsewhere, certified.number)):
        view = alone.ok("application", "show", number, *REVIEWER)
        assert [one["case_number"] for one in view["same_overseas_entity"]] == [other]
        assert other not in [one["case_number"] for one in view["same_representative"]]
    assert re.search(rf"same overseas entity.*\n.*\n {elsewhere} ", alone("application", "show", certified.number).out)
    assert "same_overseas_entity" not in alone.ok("application", "show", certified.number, *APPLICANT)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CLOUDPORT live", "entity"),
        ("Ｃｌｏｕｄｐｏｒｔ Ｌｉｖｅ （ＨＫ） Ｌｉｍｉｔｅｄ．", "entity"),
        ("2871234", "registration_number"),
        ("深圳云港电子商务", "entrusted_enterprise"),
        (BASE, "base"),
        ("CODE", "credit_code"),
    ],
)
def test_it_is_found_by_either_party(alone: InProcess, certified: Certified, text: str, kind: str) -> None:
    rows = alone.ok("find", text.replace("CODE", certified.enterprise.code))
    (row,) = [row for row in rows if row["case_number"] == certified.number]
    assert kind in [match["kind"] for match in row["matched"]]


def test_both_parties_money_counts_and_a_third_s_does_not(alone: InProcess, certified: Certified) -> None:
    assert {name: done.code for name, done in certified.paid.items()} == dict.fromkeys(certified.paid, 0)
    deposit = alone.ok("deposit", "show", certified.number)
    assert (deposit["held"]["fen"], deposit["unmatched"]["fen"]) == (10_000_000, 10_000_000)
    entries = {(entry["kind"], entry["payer"], entry["amount"]["fen"]) for entry in deposit["entries"]}
    assert entries == {
        ("received", "CLOUDPORT LIVE (HK) LTD", 4_000_000),
        ("received", ENTRUSTED, 6_000_000),
        ("unmatched", "Cloudport Live (SG) Limited", 10_000_000),
    }
    assert "Cloudport Live (SG) Limited" in alone("deposit", "show", certified.number).out
    (unmatched,) = alone.ok("why", certified.number)["unmatched"]
    assert unmatched["why"] == "from another payer"
    waiting = [(row["case_number"], row["kind"]) for row in alone.ok("inbox", *FINANCE)]
    assert (certified.number, "unmatched_money") in waiting


def test_letters_are_to_the_base_with_its_parties_and_say_who_pays(alone: InProcess, certified: Certified) -> None:
    letters = alone.ok("notices", "list", certified.number, *OPERATOR)
    numbers = {letter["kind"]: letter["letter"] for letter in letters}
    bodies = {
        kind: alone("notices", "show", certified.number, numbers[kind], *OPERATOR).out
        for kind in ("application_approved", "base_certified", "base_published", "payment_unmatched")
    }
    for kind in ("application_approved", "base_certified", "base_published"):
        greeting = f"{named(certified)}:\n案件编号:{certified.number}\n申请主体:{ENTITY}\n受托企业:{ENTRUSTED}\n\n"
        assert greeting in bodies[kind]
    either = f"申请主体({ENTITY})或受托企业({ENTRUSTED})"
    assert f"请从{either}的账户转账" in bodies["application_approved"]
    assert f"本案的付款方应为{either}" in bodies["payment_unmatched"]


def test_beside_the_live_case_the_entrusted_enterprise_has_no_base_of_its_own(
    dev: Running, certified: Certified, tmp_path: Path
) -> None:
    """The code is taken (decision 8), and the refusal says which."""
    own = enterprise_in(tmp_path)
    own.file.write_text(own.file.read_text("utf-8").replace(own.code, certified.enterprise.code), "utf-8")
    before = dev.records()
    done = InProcess.of(dev)("apply", own.file, *APPLICANT, "-o", "json")
    assert (done.code, done.error["kind"]) == (5, "case_exists")
    assert certified.number in done.error["message"] and certified.enterprise.code in done.error["message"]
    assert set(dev.records()) == set(before)


def nobody_entrusted(data: dict[str, Any]) -> None:
    data["entrusted_enterprise"] = None
    data["entity"]["registration_number"] = None


def a_mainland_entity_that_entrusts(data: dict[str, Any]) -> None:
    data["entity"] |= {"jurisdiction": "mainland", "credit_code": new_credit_code()}


def mainland_facts_of_the_overseas_entity(data: dict[str, Any]) -> None:
    data["entity"] |= {
        "credit_code": new_credit_code(), "registered_on": "2020-01-01", "registered_capital": "1000000.00",
        "taxpayer": "general", "taxpayer_evidence": "documents/taxpayer.pdf", "legal_representative": "何嘉敏",
    }  # fmt: skip
    data["entrusted_enterprise"]["credit_code"] = "91440300MA5GH7C42X"


WRONG: dict[Callable[[dict[str, Any]], None], list[str]] = {
    nobody_entrusted: ["entity.registration_number", "entrusted_enterprise"],
    a_mainland_entity_that_entrusts: [
        "entity.legal_representative", "entity.registration_number", "entrusted_enterprise",
    ],
    mainland_facts_of_the_overseas_entity: [
        "entity.credit_code", "entity.legal_representative", "entity.registered_capital", "entity.registered_on",
        "entity.taxpayer", "entity.taxpayer_evidence", "entrusted_enterprise.credit_code",
    ],
}  # fmt: skip
"""What is wrong with the file → the paths of all its problems."""


def amended(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The example with a change."""
    enterprise = enterprise_in(folder, "overseas")
    data, _ = read_structured_file(enterprise.file)
    change(data)
    file = enterprise.file.with_suffix(".json")
    file.write_text(json.dumps(data), "utf-8")
    return file


def test_a_file_that_mixes_up_the_parties_hears_all_of_it_and_nothing_happens(dev: Running, tmp_path: Path) -> None:
    files = [amended(tmp_path / change.__name__, change) for change in WRONG]
    here = InProcess.of(dev)
    with dev.unchanged():
        checked = [here("check", file, "-o", "json") for file in files]
        applied = [here("apply", file, *APPLICANT, "-o", "json") for file in files[:-1]]
        applied.append(dev("apply", files[-1], *APPLICANT, "-o", "json"))
    for done, paths in zip(checked + applied, [*WRONG.values()] * 2, strict=True):
        assert (done.code, done.error["kind"]) == (2, "invalid_file")
        assert sorted(problem["path"] for problem in done.error["problems"]) == paths
        assert all(f"  {path}: " in done.err for path in paths)


def individuals_code(data: dict[str, Any]) -> None:
    data["entrusted_enterprise"] |= {"credit_code": INDIVIDUALS_CODE, "entrustment": None}


def test_an_individual_entrusted_without_a_document_is_a_failing_condition(tmp_path: Path) -> None:
    done = InProcess(tmp_path)("check", amended(tmp_path, individuals_code), "-o", "json")
    assert done.code == 5
    (failed,) = [finding for finding in done.json["findings"] if finding["outcome"] == "fail"]
    assert failed["condition"] == "A1"
    assert "The entrusted enterprise's credit code begins with 92" in failed["message"]
    assert "no document entrusting the mainland enterprise" in failed["message"]


def test_a_supplement_can_t_put_another_enterprise_in_its_place(
    alone: InProcess, certified: Certified, tmp_path: Path
) -> None:
    other = enterprise_in(tmp_path, "overseas").supplement()
    done = alone("supplement", certified.number, other, *APPLICANT, "-o", "json")
    assert (done.code, done.error["kind"]) == (2, "invalid_file")
    assert [problem["path"] for problem in done.error["problems"]] == ["entrusted_enterprise.credit_code"]
