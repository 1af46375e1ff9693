"""A worker that does not answer: 7, the request id to ask again with, and one effect in the end."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter

from tests.starter.conftest import APPLICANT, REVIEWER, Enterprise, enterprise_in
from tests.starter.livebase import Done, Running

ONLY_ON = "sqlite"
"""How things are said and typed; no database says them otherwise."""


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=90)
    assert "Traceback" not in out + err, err
    return Done(process.returncode, out, err)


def test_what_is_not_answered_in_time_may_still_happen_and_happens_once(
    dev: Running, enterprise: Enterprise, applied: str
) -> None:
    other = enterprise_in(enterprise.file.parent.parent / "other")
    take = ("review", "take", applied, *REVIEWER, "-o", "json")
    apply = ("apply", other.file, *APPLICANT, "--request-id", f"{other.code}-apply", "-o", "json")
    with dev.freeze_worker():
        taking, applying = dev.start(*take), dev.start(*apply)
        given_up = dev.start("note", "add", applied, "--text", "whenever", *REVIEWER, "-o", "json")  # in any order
        assert given_up.stderr is not None
        announced = given_up.stderr.readline()
        given_up.send_signal(signal.SIGINT)
        interrupted = ended(given_up)
        shown = dev.ok("show", applied)
        taken, opened = ended(taking), ended(applying)
    assert [(done.code, done.error["kind"]) for done in (interrupted, taken, opened)] == [(7, "no_answer")] * 3
    assert announced.split()[-1] in interrupted.error["hint"], "a command that is interrupted may still happen too"
    assert f"--request-id {other.code}-apply" in opened.error["hint"]
    id = taken.error["hint"].rpartition("--request-id ")[2]
    assert taken.err.startswith(f"request id: {id}\n")
    assert (shown["stage"], shown["tasks"][0]["assignee"]) == ("review", None), "reads go on meanwhile"

    again = dev.each((*take, "--request-id", id), apply)
    assert [done.code for done in again] == [0, 0], again
    assert [done.json["request_id"] for done in again] == [id, f"{other.code}-apply"]
    events = Counter(entry["event"] for entry in dev.ok("timeline", applied))
    assert events["review_taken"] == 1
    applied_once = [entry["event"] for entry in dev.ok("timeline", other.code)]
    assert applied_once.count("application_received") == 1 and set(applied_once[1:]) <= {"enterprise_verified"}
