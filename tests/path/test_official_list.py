"""From the certifier's decision to what a visitor sees, and back: within one cache life, whoever is running."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from domain.commands import Certify, Reinstate, Revoke, Suspend
from domain.official_list import category
from domain.stages import Stage
from register.proof import proven, read_keys
from register.site import build_site
from register.verdict import judge
from tests.office import CERTIFIER, COMPLIANCE, Office, until
from tests.path import acts
from tests.register.bases import URL, keys

ONLY_ON = "postgresql"
WHY = {"reason": "brushing found"}
SECONDS = 30
KEYS = keys()


async def test_certified_suspended_reinstated_and_revoked_as_a_visitor_sees_it(office: Office) -> None:
    base = await acts.in_certifying(office)
    now = looked = await base.now()
    app = build_site(office.reading, url=URL, keys=KEYS, per_minute=0, cache_seconds=SECONDS, clock=lambda: now)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as site:

        async def seen(at: datetime) -> tuple[str, int, str]:
            """The status by the signed document, how long it may be kept, and whether the list has it."""
            nonlocal now, looked
            now = at
            number = base.case.terms[0].certificate_number
            answer = await site.get(f"/c/{number}.json")
            now = looked = max(at, looked + timedelta(seconds=1))  # a page of the list may be a second old
            listed = (
                "listed" if number in (await site.get("/", params={"region": "zj"})).text.partition("<tbody")[2] else ""
            )
            if answer.status_code == 404:
                return "unknown", 0, listed
            document, _ = proven(answer.content, read_keys((await site.get("/.well-known/livebase-keys.json")).text))
            age = int(answer.headers["cache-control"].partition("max-age=")[2].partition(",")[0])
            return judge(document, at).verdict, age, listed

        await base.do(Certify, CERTIFIER)
        await until(lambda: base.case.stage is Stage.VALID, "published")
        assert await seen(await base.now()) == ("certified", SECONDS, "listed")
        await base.do(Suspend, COMPLIANCE, **WHY)
        assert category(base.case.holds) == "compliance"
        assert await seen(await base.now()) == ("suspended", SECONDS, "listed")
        await base.do(Reinstate, COMPLIANCE, **WHY)
        assert await seen(await base.now()) == ("certified", SECONDS, "listed")
        await base.do(Revoke, COMPLIANCE, **WHY)
        assert await seen(await base.now()) == ("certified", SECONDS, "listed"), "one person revokes nothing"
        await base.send(acts.approval(base))
        assert await seen(await base.now()) == ("ended", SECONDS, "")
        acts.check_books(base)
