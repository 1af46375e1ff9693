"""From a form on the official list to compliance, and to a conduct case or to nothing; and gone with the case's key."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx

from domain.commands import DismissComplaint
from domain.refusals import RefusalKind
from register.complaining import Complaints
from register.site import build_site
from store.complaints import ComplaintBox, complaints_about, count_waiting
from tests.office import COMPLIANCE, OPERATOR, Base, Office, refused
from tests.path import acts
from tests.path.test_conduct import accused
from tests.register.bases import URL

ONLY_ON = "postgresql"
FORM = {"content-type": "application/x-www-form-urlencoded", "origin": URL, "sec-fetch-site": "same-origin"}


async def complain(base: Base, text: str) -> str:
    """As a visitor does; the reference they are told."""
    term = base.case.term
    assert term is not None
    taken = Complaints(ComplaintBox(base.office.engine), seconds=lambda: 0.0)
    app = build_site(base.office.reading, url=URL, clock=lambda: datetime.now(UTC), complaints=taken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as site:
        page = f"/c/{term.certificate_number}/complaint"
        assert "<form" in (await site.get(page)).text
        sent = await site.post(page, content=urlencode({"text": text, "contact": "13800000000"}), headers=FORM)
        return sent.headers["location"].rpartition("/")[2]


async def test_a_complaint_becomes_a_conduct_case_by_a_person_s_act_alone(office: Office) -> None:
    base = await acts.in_valid(office)
    before = base.case
    first, second = await complain(base, "有人索要开通费"), await complain(base, "无理取闹")
    assert base.case == before and count_waiting(office.reading)[0] >= 2, "nothing has happened to the base"
    number, key = before.case_number, base.documents.letterbox()
    found = complaints_about(office.reading, lambda _: key, number)
    assert [(one["reference"], one["text"]) for one in found] == [(first, "有人索要开通费"), (second, "无理取闹")]
    await accused(base, rule="R4", complaint=first)
    assert [one.rule for one in base.case.conduct] == ["R4"]
    async with refused(RefusalKind.ALREADY_DECIDED):
        await base.do(DismissComplaint, COMPLIANCE, complaint=first, reason="又看了一遍")
    async with refused(RefusalKind.ROLE_NOT_ALLOWED):
        await base.do(DismissComplaint, OPERATOR, complaint=second, reason="r")
    async with refused(RefusalKind.NOT_FOUND):
        await base.do(DismissComplaint, COMPLIANCE, complaint="TS-AAAAAAAAAAAAAAAA", reason="r")
    await base.do(DismissComplaint, COMPLIANCE, complaint=second, reason="来信人是竞争对手")
    assert complaints_about(office.reading, lambda _: key, number) == []
    decided = complaints_about(office.reading, lambda _: key, number, every=True)
    assert [one["outcome"] for one in decided] == ["taken_up", "dismissed"]
    assert "竞争对手" not in str(acts.timeline(base)) and "开通费" not in str(base.case), "the base reads its timeline"
    acts.check_books(base)
    base.documents.erase(datetime.now(UTC))
    gone = base.documents.letterbox()
    assert [one["text"] for one in complaints_about(office.reading, lambda _: gone, number, every=True)] == [None, None]
