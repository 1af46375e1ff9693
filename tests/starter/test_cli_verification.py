"""The enterprise's real-name verification, as its reviewer meets it (A1)."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

from tests.starter.conftest import APPLICANT, OPERATOR, REVIEWER, Enterprise, only_on_sqlite
from tests.starter.livebase import Running

REASON = ("--reason", "营业执照与实名一致")


def say(dev: Running, enterprise: Enterprise, how: str) -> None:
    """What is said of an enterprise from now on."""
    where = json.loads((dev.folder / "dev.json").read_text("utf-8"))["verification_url"]
    url = f"{where}/enterprises/{enterprise.code}"
    request = urllib.request.Request(url, json.dumps(how).encode(), method="PUT")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        assert response.status == 200


def outcome(dev: Running, number: str, said: str) -> str:
    """How A1 stands once there is an answer."""
    until = time.monotonic() + 20
    while said not in (finding := dev.ok("show", number)["findings"][0])["message"]:
        assert time.monotonic() < until, finding
        time.sleep(0.2)
    result: str = finding["outcome"]
    return result


def test_confirmed_it_passes_however_soon_it_is_approved(dev: Running, applied: str) -> None:
    dev.ok("review", "approve", applied, "--revision", "1", *REVIEWER)
    finding = dev.ok("show", applied)["findings"][0]
    assert finding["outcome"] == "pass" and "Confirmed by 127.0.0.1" in finding["message"]
    events = [entry["event"] for entry in dev.ok("timeline", applied)]
    assert events[:3] == ["application_received", "enterprise_verified", "application_approved"]


@only_on_sqlite
def test_denied_it_fails_and_of_another_name_a_person_decides(dev: Running, enterprise: Enterprise) -> None:
    say(dev, enterprise, "not_verified")
    number = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
    assert outcome(dev, number, "is not there") == "fail"
    approve = ("review", "approve", number, "--revision")
    failed = dev(*approve, "1", *REVIEWER)
    assert failed.code == 5 and "A1" in failed.err
    say(dev, enterprise, "name_mismatch")
    items = ("--item", "A1: verification")
    dev.ok("review", "request", number, "--revision", "1", *items, *REVIEWER)
    dev.ok("supplement", number, enterprise.supplement(), *APPLICANT)
    assert outcome(dev, number, "under another name") == "person"
    assert dev(*approve, "2", *REVIEWER).code == 5
    dev.ok(*approve, "2", "--accept", "A1", *REASON, *REVIEWER)


@only_on_sqlite
def test_nothing_is_accepted_that_nobody_has_to_look_at(dev: Running, applied: str, tmp_path: Path) -> None:
    refused = dev("verification", "accept", applied, *REASON, *OPERATOR)
    assert refused.code == 5
    none = tmp_path / "none.pdf"
    assert dev("verification", "accept", applied, str(none), *REASON, *OPERATOR).code == 2
    assert dev("verification", "accept", applied, *REASON, *REVIEWER).code == 4
