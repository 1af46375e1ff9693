"""A name that could be taken for another base's waits for a person; on the real server."""

from __future__ import annotations

from typing import Any

from domain.commands import Acceptance, Approve, Correct
from domain.look_alike import for_the_applicant
from domain.refusals import RefusalKind
from domain.stages import Stage
from store.queries import Reader
from tests.office import OPERATOR, REVIEWER, Base, Office, refused
from tests.path import acts

ONLY_ON = "postgresql"
"""What differs between the databases is tested in tests/store."""
ACCEPTED = (Acceptance(condition="name", reason="two villages of one name"),)


def of_the_name(base: Base) -> list[dict[str, Any]]:
    findings = Reader(base.office.reading).findings(base.case.case_number)
    return [finding for finding in findings if finding["condition"] == "name"]


async def named(office: Office, name: str) -> Base:
    """An application under a name, in review."""
    base = office.base()
    await acts.start(base, acts.apply_command(base, submission=acts.changed(base, base_name=name)))
    return base


async def test_a_look_alike_of_a_listed_base_ends_up_with_a_person(office: Office) -> None:
    listed = await acts.in_valid(office)
    term = listed.case.term
    assert term is not None
    like = await named(office, f"義烏北苑 直播基地{listed.credit_code[11:17]}")
    (finding,) = of_the_name(like)
    assert finding["outcome"] == "person" and term.certificate_number in finding["message"]
    async with refused(RefusalKind.ACCEPTANCE_MISSING):
        await like.do(Approve, REVIEWER, revision=1)
    answer = await like.do(Approve, REVIEWER, revision=1, accepted=ACCEPTED)
    assert answer.stage is Stage.DEPOSIT
    assert of_the_name(listed) == [], "nothing changes for whom it looks like"


async def test_one_that_is_not_public_is_told_to_the_staff_alone(office: Office) -> None:
    first = await named(office, "临平云裳直播基地")
    second = await named(office, "臨平雲裳淘宝直播基地")
    (finding,) = of_the_name(second)
    assert first.case.case_number in finding["message"]
    assert first.case.case_number not in str(for_the_applicant([finding]))
    assert of_the_name(first) == [], "who came first is not screened again"
    async with refused(RefusalKind.ACCEPTANCE_MISSING) as refusal:  # but its approval looks at who has come since
        await first.do(Approve, REVIEWER, revision=1)
    assert second.case.case_number in refusal.value.problems[0].message


async def test_a_correction_to_such_a_name_is_accepted_by_name(office: Office) -> None:
    await named(office, "余杭布谷直播基地")
    base = await acts.in_valid(office)
    like = acts.renamed(base, "余杭布谷（电商）直播基地")
    async with refused(RefusalKind.ACCEPTANCE_MISSING):
        await base.do(Correct, OPERATOR, submission=like)
    await base.do(Correct, OPERATOR, submission=like, accepted=ACCEPTED)
    assert base.case.name == "余杭布谷（电商）直播基地"
    assert acts.timeline(base)[-1]["detail"]["accepted"] == {"name": ACCEPTED[0].reason}
    other = acts.renamed(base, "余杭布谷 直播基地")
    await base.do(Correct, OPERATOR, submission=other)
    assert base.case.name == "余杭布谷 直播基地", "another spelling of the name it has is weighed no more"
