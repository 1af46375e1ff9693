"""The bank of `livebase dev`: money paid into it is on the case's record, and shown, without anybody typing it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from tests.starter.conftest import FINANCE, PAYER, REVIEWER, only_on_sqlite
from tests.starter.livebase import Running


def tell(dev: Running, path: str, content: Any, method: str = "POST") -> Any:
    bank = json.loads((dev.folder / "dev.json").read_text("utf-8"))["bank_url"]
    request = urllib.request.Request(f"{bank}{path}", json.dumps(content).encode(), method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return json.load(response)


def test_paid_in_parts_told_badly_it_is_on_record_once(dev: Running, applied: str) -> None:
    dev.ok("review", "approve", applied, "--revision", "1", *REVIEWER)
    tell(dev, "/deliveries", ["forge", "lose_reply", "twice", "alter", "stale"], "PUT")
    payment = {"payer": PAYER, "amount": 10_000_000, "note": f"{applied} 保证金", "parts": 2, "again": True}
    references = tell(dev, "/payments", payment)["references"]
    until = time.monotonic() + 30
    while (view := dev.ok("deposit", "show", applied))["held"]["fen"] < 10_000_000:
        assert time.monotonic() < until, view
        time.sleep(0.2)
    assert sorted(entry["reference"] for entry in view["entries"]) == sorted(references)
    assert dev.ok("show", applied)["stage"] == "certifying"
    told = [entry for entry in dev.ok("timeline", applied) if entry["event"] == "deposit_received"]
    assert {entry["actor"] for entry in told} == {"bank:callback"} and len(told) == 2
    again = dev(
        "deposit", "receive", applied, "--amount", "50000", "--reference", references[0], "--payer", PAYER, *FINANCE
    )
    assert again.code == 0, "what finance reports as well is a repeat"


@only_on_sqlite
def test_nobody_types_as_the_bank(dev: Running, applied: str) -> None:
    words = ("deposit", "receive", applied, "--amount", "1", "--reference", "X", "--payer", PAYER)
    refused = dev(*words, "--as", "bank:callback")
    assert refused.code == 2 and "bank" not in refused.err.partition("Roles:")[2]
