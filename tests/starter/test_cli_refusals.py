"""What is refused, with which fixed exit code, in which order, and how it is told: 2, 6, 3, 4, 8, 5."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.shanghai import shanghai_date
from examples.redate import redated
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
)
from tests.starter.livebase import Done, Running

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

OTHER, ZHOU = ("--as", "applicant:zhang"), ("--as", "reviewer:zhou")
WHY = ("--reason", "because")
ITEM = ("--item", "B1: the policy's full text")
PAYMENT = ("--amount", "100000", "--reference", "REFUSED", "--payer", PAYER)

# (code, kind, words): {review}, {deposit}, … are cases, {deposit file}, … what belongs to their enterprise.
# The role comes before the revision and the stage: most of these are stale or in the wrong stage as well.
NOT_FOR_THIS_ROLE: list[tuple[str, ...]] = [
    ("apply", "{deposit file}", *REVIEWER),
    ("supplement", "{deposit}", "{deposit supplement}", *FINANCE),
    ("withdraw", "{rejected}", *WHY, *REVIEWER),
    ("review", "take", "{deposit}", *APPLICANT),
    ("review", "release", "{deposit}", *CERTIFIER),
    ("review", "approve", "{review}", "--revision", "9", *FINANCE),
    ("review", "request", "{deposit}", "--revision", "1", *ITEM, *OPERATOR),
    ("review", "reject", "{rejected}", "--revision", "1", *WHY, "--as", "compliance:he"),
    ("deposit", "receive", "{withdrawn}", *PAYMENT, *OPERATOR),
    ("certify", "{review}", *REVIEWER),
    ("certify", "{review}", "--refuse", *WHY, "--as", "auditor:gu"),
    ("publish", "{review}", *CERTIFIER),
    ("marks", "confirm", "{review}", "{review document}", *FINANCE),
]
REFUSED: list[tuple[int, str, tuple[str, ...]]] = [
    (3, "not_found", ("supplement", "LB-2026-999999", "{review supplement}", *FINANCE)),  # before the role
    (4, "not_own_case", ("withdraw", "{rejected}", *WHY, *OTHER)),
    (4, "not_own_case", ("supplement", "{review}", "{review supplement}", *OPERATOR, "--on-behalf", "zhang")),
    (4, "second_person_required", ("certify", "{deposit}", "--as", "certifier:Li")),
    (8, "revision_stale", ("review", "reject", "{withdrawn}", "--revision", "7", *WHY, *REVIEWER)),  # before the stage
    (8, "already_decided", ("review", "approve", "{deposit}", "--revision", "1", *ZHOU)),
    (5, "review_held", ("review", "approve", "{review}", "--revision", "1", *ZHOU)),
    (5, "wrong_stage", ("supplement", "{review}", "{review supplement}", *APPLICANT)),
    (5, "wrong_stage", ("certify", "{deposit}", *CERTIFIER)),
    (5, "wrong_stage", ("publish", "{deposit}", *OPERATOR)),
    (5, "already_ended", ("marks", "confirm", "{rejected}", "{review document}", *APPLICANT)),  # never certified
    (5, "already_ended", ("withdraw", "{rejected}", *WHY, *APPLICANT)),
    (5, "already_ended", ("review", "release", "{withdrawn}", *REVIEWER)),
    (5, "case_exists", ("apply", "{deposit file}", *APPLICANT)),
    (5, "cooling_off", ("apply", "{rejected file}", *APPLICANT)),
]


def titles(commands: list[tuple[str, ...]]) -> list[str]:
    return [" ".join(words) for words in commands]


@pytest.fixture(scope="module")
def known(cases: Cases) -> dict[str, str]:
    """What the words in braces stand for."""
    words = {}
    for state, enterprise in cases.enterprises.items():
        words |= {
            f"{{{state}}}": getattr(cases, state),
            f"{{{state} file}}": str(enterprise.file),
            f"{{{state} supplement}}": str(enterprise.supplement()),
            f"{{{state} document}}": str(enterprise.document()),
        }
    return words


@pytest.fixture(scope="module")
def outcomes(dev: Running, known: dict[str, str]) -> dict[tuple[str, ...], Done]:
    """What each command above left, and a dry run of each for other roles; nothing came on record."""
    dry_runs = [(*words, "--dry-run") for words in NOT_FOR_THIS_ROLE]
    commands = [*dry_runs, *NOT_FOR_THIS_ROLE[::3], *(words for _, _, words in REFUSED)]
    records = dev.records()
    done = dev.each(*((*(known.get(word, word) for word in words), "-o", "json") for words in commands))
    assert dev.records() == records
    return dict(zip(commands, done, strict=True))


@pytest.mark.parametrize("words", NOT_FOR_THIS_ROLE, ids=titles(NOT_FOR_THIS_ROLE))
def test_a_role_may_not_do_what_is_not_its_own(outcomes: dict[tuple[str, ...], Done], words: tuple[str, ...]) -> None:
    """A dry run says so, and what is sent is told the same, word for word."""
    foretold = outcomes[(*words, "--dry-run")]
    assert (foretold.code, foretold.error["kind"]) == (4, "role_not_allowed")
    if words in NOT_FOR_THIS_ROLE[::3]:
        assert (outcomes[words].code, outcomes[words].error) == (4, foretold.error)


@pytest.mark.parametrize(("code", "refusal", "words"), REFUSED, ids=titles([words for _, _, words in REFUSED]))
def test_a_refusal_has_its_code_and_kind(
    outcomes: dict[tuple[str, ...], Done], code: int, refusal: str, words: tuple[str, ...]
) -> None:
    assert (outcomes[words].code, outcomes[words].error["kind"]) == (code, refusal)


def test_a_refusal_is_told_in_two_lines_and_as_json_when_asked_for(dev: Running, cases: Cases) -> None:
    words = ("withdraw", cases.review, *WHY, *OTHER, "--request-id", "refused-in-two-lines")
    plain, asked = dev.each(words, (*words, "-o", "json"))
    error = asked.error
    assert error["problems"] == []
    assert cases.review in error["message"]
    told = [f"not_own_case: {error['message']}", f"→ {error['hint']}"]
    assert (plain.out, plain.err.splitlines()) == ("", told)
    assert asked.err.splitlines() == told


def test_an_application_by_somebody_who_may_not_starts_nothing(dev: Running, enterprise: Enterprise) -> None:
    with dev.unchanged():
        done = dev("apply", enterprise.file, *OPERATOR, "-o", "json")
    assert done.code == 4
    assert "--on-behalf" in done.error["hint"], "an operator hands in for somebody"
    assert f"base:{enterprise.code}:1" not in dev.workflows()


def test_wrong_usage_comes_before_the_base_the_actor_and_the_rules(dev: Running) -> None:
    none = "LB-2026-999999"
    done = dev.each(
        ("review", "take", none),
        ("review", "take", none, "--as", "boss:li"),
        ("review", "approve", none, "--revision", "one", *REVIEWER),
        ("review", "request", none, "--revision", "1", "--item", "Z9: everything", *REVIEWER),
        ("review", "approve", none, "--revision", "1", "--accept", "A1", *REVIEWER),
        ("certify", none, "--refuse", *CERTIFIER),
    )
    assert [one.code for one in done] == [2] * len(done)


def test_an_operator_hands_in_for_an_applicant_and_both_are_on_record(dev: Running, enterprise: Enterprise) -> None:
    behalf = ("--as", "operator:chen", "--on-behalf", "wang")
    number = dev.ok("apply", enterprise.file, *behalf)["case_number"]
    entry = dev.ok("timeline", number, *APPLICANT)[0]
    assert entry["actor"] == "operator:chen for wang"
    assert dev("withdraw", number, *WHY, *APPLICANT).code == 0, "it is the applicant's own case"


def test_what_fails_is_told_condition_by_condition_when_approved(dev: Running, tmp_path: Path) -> None:
    number = dev.ok("apply", enterprise_in(tmp_path / "deficient", "deficient").file, *APPLICANT)["case_number"]
    done = dev("review", "approve", number, "--revision", "1", *REVIEWER, "-o", "json")
    assert (done.code, done.error["kind"]) == (5, "condition_failed")
    failed = {problem["path"]: problem["message"] for problem in done.error["problems"]}
    findings = {f["condition"]: f for f in dev.ok("show", number)["findings"] if f["outcome"] == "fail"}
    assert failed == {condition: finding["message"] for condition, finding in findings.items()}
    for condition in failed:
        assert f"  {condition}: " in done.err


def test_what_needs_a_person_is_approved_once_accepted_by_name(dev: Running, tmp_path: Path) -> None:
    enterprise = enterprise_in(tmp_path / "seven-months", "seven-months")
    dated = redated("seven-months", shanghai_date(datetime.now(UTC)))
    code = next(line for line in dated.splitlines() if line.startswith("  credit_code: "))
    enterprise.file.write_text(dated.replace(code, f"  credit_code: {enterprise.code}", 1), "utf-8")
    number = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    approve = ("review", "approve", number, "--revision", "1", *REVIEWER, "-o", "json")
    silent, needless = dev.each(approve, (*approve, "--accept", "A1", *WHY))
    assert (silent.code, silent.error["kind"]) == (5, "acceptance_missing")
    assert [problem["path"] for problem in silent.error["problems"]] == ["A2.age"]
    assert needless.code == 2, "A1 passes: there is nothing to accept"
    assert dev(*approve, "--accept", "A2.age", "--reason", "the statement convinces").code == 0


def test_an_applicant_reads_only_their_own_case(dev: Running, cases: Cases) -> None:
    reads = [
        ("show", cases.review),
        ("application", "show", cases.review),
        ("documents", "list", cases.review),
        ("documents", "save", cases.review, "documents/policy.pdf", "--to", str(dev.folder / "saved")),
        ("deposit", "show", cases.review),
    ]
    done = dev.each(*((*words, *OTHER, "-o", "json") for words in reads))
    assert [(one.code, one.error["kind"]) for one in done] == [(4, "not_own_case")] * len(reads)
    assert not (dev.folder / "saved").exists()
    own, others, stranger = dev.each(
        ("show", cases.review, "--as", "applicant:WANG"),
        ("list", *OTHER, "-o", "json"),
        ("show", cases.review, "--as", "reviewer:zhou"),
    )
    assert (own.code, stranger.code) == (0, 0)
    assert others.json == []
