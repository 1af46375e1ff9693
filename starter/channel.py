"""`livebase register reconcile`: the official channel against our list, in both directions. Needs no Temporal.

It reads both for itself and changes neither: what the channel lacks is sent by the workers, and shown beside it is what
they found and sent when they last compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starter.errors import CommandError, unreachable
from starter.output import print_table, say, told, when, word
from starter.session import Session

if TYPE_CHECKING:
    from activities.channel import OfficialChannel
    from domain.channel import Difference
    from store.channel import Comparison

_HINT = "Check LIVEBASE_CHANNEL_URL and LIVEBASE_CHANNEL_TOKEN, which the workers have too."
TO_DO = {
    "waiting": "nothing: it is on its way",
    "lost": "nothing: the next comparison sends it again",
    "older": "nothing: the next comparison sends it again",
    "content": "somebody changed it there: have it taken away, the next comparison sends ours",
    "newer": "it is not from us: have it taken away, the next comparison sends ours",
    "unknown": "it is not from us: find out whose it is, and have it taken away",
}


def reconcile(session: Session) -> None:
    """Whether the official channel has what our list has, certificate by certificate; 1 when something differs.

    It changes nothing, with --dry-run or without: the workers send what the channel lacks, and compare once an hour."""
    from activities.channel import ChannelAway
    from domain.channel import compare
    from store.channel import ChannelStore

    session.require_staff("The public sees the list itself: livebase register verify NUMBER")
    channel = open_channel()
    store = ChannelStore(session.engine)
    last = store.last_comparison()
    if channel is None:
        session.show(_view(session, None, 0, [], [], last), _table)
        return
    ours = store.expected(session.wall)
    try:
        held = list(channel.held())
    except ChannelAway as away:
        raise unreachable(f"The official channel can't be compared: {away}.", _HINT) from None
    differences = list(compare(ours, held, store.drawn))
    session.show(_view(session, channel, len(ours), held, differences, last), _table)
    if differences:
        raise CommandError(
            1,
            "differences",
            f"The official channel and our list differ in {len(differences)} places.",
            "What to do is said beside each of them.",
            told=True,
        )


def open_channel() -> OfficialChannel | None:
    """The channel that the environment names. CommandError: 2 for a setting that can't be, 6 for a missing folder."""
    from connection.errors import BadConfiguration
    from workers.channel import official_channel
    from workers.settings import ChannelSettings, read_settings

    try:
        settings = read_settings(ChannelSettings)
        place = settings.channel_url
        if place and "://" not in place and not Path(place).is_dir():  # looking makes none
            raise unreachable(f"There is no folder {place}.", _HINT)
        return official_channel(settings)
    except BadConfiguration as error:
        raise CommandError(2, "bad_configuration", error.message, error.hint) from None


def _view(
    session: Session,
    channel: OfficialChannel | None,
    ours: int,
    held: list[Any],
    differences: list[Difference],
    last: Comparison | None,
) -> dict[str, Any]:
    from store.queries import shown

    return {
        "channel": channel.name if channel else None,
        "compared_at": shown(session.wall),
        "ours": ours,
        "theirs": len(held),
        "differences": [_shown(one) for one in differences],
        "last_run": last
        and {
            "at": shown(last.at),
            **last.compared.model_dump(mode="json"),
            "differences": [_shown(one) for one in last.differences],
        },
    }


def _shown(one: Difference) -> dict[str, Any]:
    return {
        "certificate_number": one.number,
        "kind": one.kind,
        "why": one.why,
        "ours": one.ours,
        "theirs": one.theirs,
        "to_do": TO_DO[one.why],
    }


def _table(view: dict[str, Any]) -> None:
    if view["channel"] is None:
        print(told("No official channel is set: our own list is the channel, and there is nothing to compare."))
    elif not view["differences"]:
        print(told("{}: {} certificates on our list, {} there, no difference.", *_counts(view)))
    else:
        say(told("{}: {} certificates on our list, {} there.", *_counts(view)))
        columns = ("certificate", "difference", "reason", "revision with us", "revision there", "what to do")
        print_table(columns, [_row(one) for one in view["differences"]])
    if (last := view["last_run"]) is not None:
        say(_said(last))


def _counts(view: dict[str, Any]) -> tuple[Any, ...]:
    return view["channel"], view["ours"], view["theirs"]


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    what, why = word(one["kind"], "channel"), word(one["why"], "channel")
    return one["certificate_number"], what, why, one["ours"], one["theirs"], word(one["to_do"])


def _said(last: dict[str, Any]) -> str:
    if last["fault"]:
        return told("The workers compared last at {}: {}.", when(last["at"]), last["fault"])
    return told(
        "The workers compared last at {}: {} missing, {} extra, {} different; {} sent again.",
        when(last["at"]),
        last["missing"],
        last["extra"],
        last["different"],
        last["sent_again"],
    )
