"""`livebase demo`: the whole path on a server of its own, whatever is configured, and nothing left of it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.starter.livebase import Livebase


@pytest.mark.timeout(900)  # a minute and a half, where nothing else runs
def test_the_demo_goes_the_whole_path_with_an_unbroken_audit_chain(livebase: Livebase, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    configured = {
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "LIVEBASE_DATABASE_URL": "sqlite:////nowhere/livebase.db",
        "LIVEBASE_AS": "nonsense",
        "TMPDIR": str(place),
    }
    done = livebase("demo", env=configured, timeout=600)
    assert done.code == 0, done.err
    assert "verified from the first" in done.out
    for event in (
        "application_received", "base_certified", "assessment_confirmed", "term_begun", "conduct_rectified",
        "certification_revoked", "appeal_upheld",
    ):  # fmt: skip
        assert event in done.out
    assert list(place.glob("livebase-demo-*")) == []
    assert not livebase.folder.exists()
    assert not [pid for pid in psutil.pids() if str(place) in command_line(pid)]


def command_line(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
