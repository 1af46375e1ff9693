"""The official channel's adapters: a folder, an object store, HTTP. The newest entry stays, come what may come late."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from obstore.store import MemoryStore

import activities.channel_http
from activities.channel import ChannelAway, EntryRefused, OfficialChannel
from activities.channel_folder import FolderChannel
from activities.channel_http import HttpChannel
from connection.errors import BadConfiguration
from domain.channel import Held
from tests.activities.test_bank import gateway
from tests.channel_server import TOKEN, ChannelServer, channel_server
from tests.domain.test_channel import NUMBER, entry
from workers.channel import official_channel
from workers.settings import ChannelSettings, read_settings


@pytest.fixture
async def server() -> AsyncIterator[ChannelServer]:
    async with channel_server() as running:
        yield running


@pytest.fixture(params=["folder", "object store", "http"])
async def channel(request: pytest.FixtureRequest, tmp_path: Path, server: ChannelServer) -> OfficialChannel:
    if request.param == "folder":
        return FolderChannel.at(str(tmp_path / "channel"))
    if request.param == "object store":
        return FolderChannel(MemoryStore(), "memory")
    return HttpChannel(server.url, TOKEN)


async def test_the_newest_entry_is_held_and_read_back(channel: OfficialChannel) -> None:
    def all_of_it() -> None:
        assert channel.get(NUMBER) is None
        assert list(channel.held()) == []
        first, second = entry(1), entry(2, "suspended")
        channel.put(first)
        assert channel.get(NUMBER) == first
        channel.put(first)
        channel.put(second)
        channel.put(first)  # late
        channel.put(entry(2))  # the same revision, other content: whoever reads it back sees that it is not theirs
        assert channel.get(NUMBER) == second
        channel.put(entry(1, number="LBC-2026-000002"))
        assert sorted(channel.held(), key=lambda held: held.number) == [
            Held(NUMBER, 2, second.hash),
            Held("LBC-2026-000002", 1, entry(1, number="LBC-2026-000002").hash),
        ]

    await asyncio.to_thread(all_of_it)


async def test_of_many_at_once_the_newest_stays(channel: OfficialChannel) -> None:
    revisions = [*range(1, 13)] * 2
    random.Random(7).shuffle(revisions)

    def all_of_it() -> None:
        with ThreadPoolExecutor(6) as writers:
            list(writers.map(channel.put, map(entry, revisions)))
        assert channel.get(NUMBER) == entry(12)

    await asyncio.to_thread(all_of_it)


@pytest.mark.parametrize("there", [True, False])
def test_who_writes_between_a_look_and_a_write_is_not_written_over(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    late, early = FolderChannel(store, "memory"), FolderChannel(store, "memory")
    if there:
        late.put(entry(1))
    look = late._content

    def looks_too_early(path: str) -> tuple[bytes, dict[str, str]]:
        try:
            return look(path)
        finally:
            early.put(entry(3))

    monkeypatch.setattr(late, "_content", looks_too_early)
    late.put(entry(2))
    assert early.get(NUMBER) == entry(3)


def test_two_programs_share_a_folder(tmp_path: Path) -> None:
    one, other = (FolderChannel.at(str(tmp_path)) for _ in range(2))
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda n: (one, other)[n % 2].put(entry(n)), [*range(24, 0, -1), *range(1, 25)]))
    assert one.get(NUMBER) == other.get(NUMBER) == entry(24)


def test_what_was_changed_in_a_folder_is_told_and_written_again(tmp_path: Path) -> None:
    channel = FolderChannel.at(tmp_path.as_uri())
    channel.put(entry(1, "suspended"))
    file = tmp_path / f"{NUMBER}.json"
    file.write_bytes(file.read_bytes().replace(b"suspended", b"published"))
    (tmp_path / "README.json").write_text("{}")
    assert list(channel.held()) == [Held(NUMBER, 0, "")]
    with pytest.raises(EntryRefused):
        channel.get(NUMBER)
    channel.put(entry(1, "suspended"))
    assert channel.get(NUMBER) == entry(1, "suspended")
    file.rename(tmp_path / "LBC-2026-000002.json")
    with pytest.raises(EntryRefused):
        channel.get("LBC-2026-000002")


def test_a_place_that_went_away_is_away(tmp_path: Path) -> None:
    channel = FolderChannel.at(str(tmp_path / "channel"))
    (tmp_path / "channel" / ".lock").touch()
    (tmp_path / "channel" / ".lock").chmod(0)
    (tmp_path / "channel").rename(tmp_path / "gone")
    with pytest.raises(ChannelAway, match="FileNotFoundError"):
        channel.put(entry())


async def test_an_answer_that_is_lost_is_asked_for_again_and_publishes_once(server: ChannelServer) -> None:
    channel = HttpChannel(server.url, TOKEN)
    server.losing = 1
    with pytest.raises(ChannelAway, match="RemoteProtocolError"):
        await asyncio.to_thread(channel.put, entry())
    await asyncio.to_thread(channel.put, entry())
    assert server.asked == [f"{NUMBER}:1"] * 2
    assert server.published == {f"{NUMBER}:1": 1}


async def test_a_long_listing_comes_in_pages(server: ChannelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities.channel_http, "_PAGE", 3)
    numbers = [f"LBC-2026-{n:06d}" for n in range(1, 8)]
    server.entries = {number: entry(number=number) for number in reversed(numbers)}
    held = await asyncio.to_thread(lambda: list(HttpChannel(server.url, TOKEN).held()))
    assert [one.number for one in held] == numbers


async def test_a_channel_that_does_not_know_us_or_is_down_is_away(server: ChannelServer) -> None:
    with pytest.raises(ChannelAway, match="LIVEBASE_CHANNEL_TOKEN"):
        await asyncio.to_thread(HttpChannel(server.url, "another").put, entry())
    server.down = True
    for asked in ("put", "get", "held"):
        channel = HttpChannel(server.url, TOKEN)
        given = {"put": (entry(),), "get": (NUMBER,), "held": ()}[asked]
        with pytest.raises(ChannelAway, match="503"):
            await asyncio.to_thread(lambda name=asked, args=given, of=channel: list(getattr(of, name)(*args) or ()))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_entry_that_is_refused_is_no_fault_of_the_channel(status: int) -> None:
    with gateway(status) as (url, _), pytest.raises(EntryRefused, match=str(status)):
        HttpChannel(url).put(entry())


NO_ANSWERS = [(301, "pgl"), (401, "pgl"), (404, "pl"), (405, "pgl"), (429, "pgl"), (500, "pgl"), (204, "gl")]


@pytest.mark.parametrize(("status", "asked"), NO_ANSWERS)
def test_what_is_no_answer_is_away(status: int, asked: str) -> None:
    with gateway(status, b"") as (url, _):
        channel = HttpChannel(url)
        for ask in asked:
            with pytest.raises(ChannelAway, match=str(status)):
                {
                    "p": lambda: channel.put(entry()),
                    "g": lambda: channel.get(NUMBER),
                    "l": lambda: list(channel.held()),
                }[ask]()
        assert status != 404 or channel.get(NUMBER) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"entries": [{"number": "x"}]}', b"x" * 70_000])
def test_what_can_not_be_read_is_believed_by_nobody(content: bytes) -> None:
    with gateway(200, content) as (url, _):
        with pytest.raises(EntryRefused):
            HttpChannel(url).get(NUMBER)
        with pytest.raises(ChannelAway, match="can't be read"):
            list(HttpChannel(url).held())


def test_a_listing_that_goes_back_ends() -> None:
    page = b'{"entries": [{"number": "LBC-2026-000002", "revision": 1, "hash": ""}]}'
    with gateway(200, page) as (url, _), pytest.raises(ChannelAway, match="not in order"):
        list(HttpChannel(url).held())


def test_a_channel_that_hangs_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = HttpChannel(f"http://127.0.0.1:{silent.getsockname()[1]}", patience=httpx.Timeout(0.1))
        with pytest.raises(ChannelAway, match="ReadTimeout"):
            channel.put(entry())


def test_which_channel_it_is_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> OfficialChannel | None:
        return official_channel(read_settings(ChannelSettings))

    monkeypatch.delenv("LIVEBASE_CHANNEL_URL", raising=False)
    assert made() is None
    monkeypatch.setenv("LIVEBASE_CHANNEL_TOKEN", "t0ken")
    for place, name in (
        (str(tmp_path / "a"), str(tmp_path / "a")),
        ((tmp_path / "b c").as_uri(), str(tmp_path / "b c")),
        ("https://user:pass@list.example.cn/v1/?x=1", "https://list.example.cn/v1"),
        ("s3://certified/list", "s3://certified/list"),
    ):
        monkeypatch.setenv("LIVEBASE_CHANNEL_URL", place)
        channel = made()
        assert channel is not None and channel.name == name
        assert "t0ken" not in repr(channel) + channel.name
    for place in ("nothing://of/the/kind", str(Path(__file__) / "x")):
        monkeypatch.setenv("LIVEBASE_CHANNEL_URL", place)
        with pytest.raises(BadConfiguration, match="LIVEBASE_CHANNEL_URL"):
            made()
