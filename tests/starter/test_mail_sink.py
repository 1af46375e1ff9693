"""The local mail server: every letter a file, one that comes twice still one file that says so."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import aiosmtplib
import pytest

from starter.mail_sink import MailSink, file_of, times_received


async def send(sink: MailSink, message_id: str | None, body: str = "正文") -> None:
    host, _, port = sink.address.rpartition(":")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "livebase@livebase.example", "wang@yunji.example", "认证"
    if message_id is not None:
        message["Message-ID"] = message_id
    message.set_content(body, cte="8bit")
    await aiosmtplib.send(message, hostname=host, port=int(port), start_tls=False, local_hostname="test")


async def test_a_letter_is_a_file_and_one_that_comes_twice_is_one_that_says_so(tmp_path: Path) -> None:
    async with MailSink(tmp_path / "mail") as sink:
        await send(sink, "<LB-2026-000001.7.2@livebase.example>")
        await send(sink, "<LB-2026-000001.7.2.r1@livebase.example>")
        path = tmp_path / "mail" / "LB-2026-000001.7.2.eml"
        assert times_received(path) == 1
        await send(sink, "<LB-2026-000001.7.2@livebase.example>")
        assert times_received(path) == 2
        assert sorted(file.name for file in sink.folder.iterdir()) == [path.name, "LB-2026-000001.7.2.r1.eml"]
    kept = message_from_bytes(path.read_bytes(), policy=default)
    assert (kept["X-Livebase-Received"], kept["Delivered-To"]) == ("2", "wang@yunji.example")
    assert kept["Subject"] == "认证" and "正文" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "message_id",
    ["<../../etc/passwd@x>", "</etc/passwd@x>", "<.hidden@x>", "<a b@x>", "no brackets", f"<{'a' * 300}@x>"],
)
async def test_a_message_id_never_leads_out_of_the_folder(tmp_path: Path, message_id: str) -> None:
    name = file_of(message_id)
    assert len(name) == 64 and name.isalnum()
    async with MailSink(tmp_path / "mail") as sink:
        await send(sink, message_id)
        await send(sink, None)
    assert len(list(sink.folder.iterdir())) == 2 and list(tmp_path.iterdir()) == [sink.folder]


async def test_it_listens_on_this_machine_only_and_no_longer_than_it_is_wanted(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        host, _, port = sink.address.rpartition(":")
        assert host == "127.0.0.1"
        await send(sink, None)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))
