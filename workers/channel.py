"""The official channel from its settings: LIVEBASE_CHANNEL_URL, LIVEBASE_CHANNEL_TOKEN."""

from __future__ import annotations

from activities.channel import OfficialChannel
from activities.channel_folder import FolderChannel
from activities.channel_http import HttpChannel
from connection.errors import BadConfiguration
from workers.settings import ChannelSettings


def official_channel(settings: ChannelSettings) -> OfficialChannel | None:
    """The channel that is set; None where our own list is the channel. Raises BadConfiguration."""
    place = settings.channel_url
    if not place:
        return None
    if place.startswith(("http://", "https://")):
        return HttpChannel(place, settings.channel_token.get_secret_value())
    try:
        return FolderChannel.at(place)
    except ValueError as error:
        raise BadConfiguration(
            f"LIVEBASE_CHANNEL_URL {error}.", "Name a folder, an object store's URL, or an address with https://."
        ) from None
