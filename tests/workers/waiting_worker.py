"""`livebase worker` whose official channel answers when it is told to; for the tests of a worker's process.

    python -m tests.workers.waiting_worker FOLDER worker …

Only the party outside is replaced, in this process: asked, it makes the file FOLDER/asked and answers once somebody
writes to the pipe FOLDER/answer. It waits as a hung connection does: in one call that no cancellation ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from activities.publication import Announcement, OwnList
from starter.main import main


def wait_for_the_answer(_: OwnList, announcement: Announcement) -> str:
    (FOLDER / "asked").touch()
    (FOLDER / "answer").read_text()
    return f"told by {os.getpid()}"


if __name__ == "__main__":
    FOLDER = Path(sys.argv.pop(1))
    OwnList.announce = wait_for_the_answer  # type: ignore[method-assign]
    main()
