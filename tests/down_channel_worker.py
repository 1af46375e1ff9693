"""`livebase worker` whose official channel takes nothing. Handed to any build's Python as source text:

python -c SOURCE worker …
"""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from activities.publication import Announcement, OwnList
from starter.main import main


def take_nothing(_: OwnList, __: Announcement) -> str:
    raise ApplicationError("the channel is down", non_retryable=True)


if __name__ == "__main__":
    OwnList.announce = take_nothing  # type: ignore[method-assign]
    main()
