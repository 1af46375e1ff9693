"""The patches of the workflows: every id that `workflow.patched` and `workflow.deprecate_patch` are called with.

A case waits for up to a year and replays what it did with whatever build takes it next. A build that would do
something else at a place a running case has passed must keep the old way for that case, behind a patch.

Needs a patch: a command put before, among or after those a running case may have done, taken from them or moved (an
activity, local activity, timer, upsert, continue-as-new), another name or task queue for one, a timer where none was.
Needs none: other arguments, summaries, retries, another length of a timer or timeout, what an activity does inside, a
command in a stage no running case has reached. `docs/upgrading.md` has the same by kind of change, and what tells.

1. *Add*: name it here with the day, the reason and the day before which nothing is taken away, and keep both ways:

       if workflow.patched(patches.REMINDED_TWICE.id):
           await the_new_way()
       else:
           await the_old_way()

2. *Deprecate*, when no run is left that began before the patch: `workflow.deprecate_patch(patches.REMINDED_TWICE.id)`
   stands where the `if` stood, followed by the new way alone.
3. *Remove*, when no run is left that began before step 2 was released: the call and the name here go. An id is never
   used again.

A test holds the calls in `workflows/` and the names here to each other. None is needed today: nothing was released.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Patch:
    """`id` is the name of its constant in lower case; `keep_until` is the first day it may be deprecated."""

    id: str
    since: date
    why: str
    keep_until: date
