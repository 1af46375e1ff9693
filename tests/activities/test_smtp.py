"""What a mail server's answers mean for a letter, asked of a real SMTP server (aiosmtpd)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiosmtplib.email import flatten_message

from activities import smtp
from activities.letters import MailServerAway, PutOff, Refused
from activities.message import NoAddress, compose, usable_address
from activities.smtp import NoMailServer, SmtpServer
from connection.server_files import HOST
from domain.stages import Role
from store.letters import OutgoingLetter
from tests.mail_server import SENDER, MailServer

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TO = "wang@yunji.example"


def letter(**fields: object) -> OutgoingLetter:
    outgoing = {
        "id": "LB-2026-000001/7.2", "recipient": Role.APPLICANT, "subject": "认证申请已受理(LB-2026-000001)",
        "body": "义乌北苑直播基地:\n\n正文", "edition": 0, "submission": "f" * 64, "workflow_id": "base:9133:1",
    }  # fmt: skip
    return OutgoingLetter(**outgoing | fields)  # type: ignore[arg-type]


def message(**fields: object) -> EmailMessage:
    return compose(letter(**fields), SENDER, TO, NOW)


async def sent(server: MailServer, *messages: EmailMessage) -> None:
    async with server.room.server.session() as session:
        for each in messages or (message(),):
            await session.hand_over(each)


async def test_a_letter_taken_is_there_as_it_was_written() -> None:
    async with MailServer() as server:
        await sent(server, message(), message(id="LB-2026-000001/8.0", edition=1))
    first, second = server.arrived
    assert (first.to, first.id) == (TO, "<LB-2026-000001.7.2@livebase.example>")
    assert second.id == "<LB-2026-000001.8.0.r1@livebase.example>"
    assert first.message["Subject"] == "认证申请已受理(LB-2026-000001)"
    assert first.message["From"] == f"淘宝直播基地认证 <{SENDER}>"
    assert first.message["Date"].datetime == NOW and first.message["Content-Language"] == "zh-CN"
    assert first.message.get_content().split() == ["义乌北苑直播基地:", "正文"]


@pytest.mark.parametrize(
    ("mail", "rcpt", "data", "outcome", "reason"),
    [
        ("", "550 5.1.1 <{}> unknown", "", Refused, "550 5.1.1 … unknown"),
        ("", "553 no such {} here", "", Refused, "553 no such … here"),
        ("", "450 4.2.0 <{}> greylisted", "", PutOff, "450 4.2.0 … greylisted"),
        ("", "421 closing", "", PutOff, "421 closing"),
        ("", "554 5.7.1 <{}>: relay access denied", "", PutOff, "554 5.7.1 … relay access denied"),
        ("", "554 client host rejected", "", PutOff, "554 client host rejected"),
        ("", "550 5.7.1 you are blocked", "", PutOff, "550 5.7.1 you are blocked"),
        ("", "552 5.2.2 mailbox full", "", Refused, "552 5.2.2 mailbox full"),
        ("", "", "554 5.7.1 not wanted", Refused, "554 5.7.1 not wanted"),
        ("", "", "452 4.3.1 no room", PutOff, "452 4.3.1 no room"),
        ("451 4.3.2 not now", "", "", MailServerAway, "it does not take our letters: 451 4.3.2 not now"),
        ("550 5.7.1 who are you", "", "", MailServerAway, "it does not take our letters: 550 5.7.1 who are you"),
    ],
)
async def test_what_an_answer_means(mail: str, rcpt: str, data: str, outcome: type[Exception], reason: str) -> None:
    async with MailServer() as server:
        server.mail, server.rcpt, server.data = mail, {"*": rcpt}, data
        with pytest.raises(outcome) as info:
            await sent(server)
    assert type(info.value) is outcome
    assert str(info.value) == reason


async def test_an_answer_is_waited_for_as_long_as_a_mail_server_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter given up while it is looked at has been taken all the same, and would come again and again."""
    assert smtp.ANSWER_SECONDS >= 600, "RFC 5321, 4.5.3.2.6"
    monkeypatch.setattr(smtp, "_SECONDS", 0.5)
    async with MailServer() as server:
        server.pause = 1.5
        await sent(server)
    assert len(server.arrived) == 1


async def test_after_a_refusal_the_next_letter_goes_its_way() -> None:
    async with MailServer() as server, server.room.server.session() as session:
        for answer in ("550 unknown", "450 later"):
            server.rcpt = {TO: answer}
            with pytest.raises((Refused, PutOff)):
                await session.hand_over(message())
        server.rcpt = {}
        await session.hand_over(message())
    assert len(server.arrived) == 1


async def test_a_server_that_is_not_there_is_away() -> None:
    server = MailServer()
    with pytest.raises(MailServerAway):
        await sent(server)
    with pytest.raises(MailServerAway, match="LIVEBASE_SMTP_URL"):
        async with NoMailServer().session():
            pass


@pytest.mark.parametrize(
    "greeting", [b"421 4.3.2 busy\r\n", b"554 go away\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""]
)
async def test_a_server_that_does_not_want_to_talk_is_away(greeting: bytes) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(MailServerAway):
            async with SmtpServer(HOST, port, "none").session():
                pass


async def test_a_connection_lost_over_a_letter_puts_it_off_and_the_next_one_has_a_new_one() -> None:
    connections = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes everything on its second connection; hangs up in the middle of a letter on its first."""
        connections.append(writer)
        writer.write(b"220 mx\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                if len(connections) == 1:
                    break
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 OK\r\n")
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with SmtpServer(HOST, port, "none").session() as session:
            with pytest.raises(PutOff):
                await session.hand_over(message())
            await session.hand_over(message())
    assert len(connections) == 2


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_where_tls_is_asked_for_nothing_is_said_in_clear(tls: str) -> None:
    async with MailServer() as server:
        with pytest.raises(MailServerAway):
            async with SmtpServer(HOST, server.port, tls, "us", "secret").session() as session:  # type: ignore[arg-type]
                await session.hand_over(message())
        assert server.tried.total() == 0


async def test_a_login_that_is_not_taken_is_away_and_its_password_is_not_told() -> None:
    async with MailServer() as server:
        mail_server = SmtpServer(HOST, server.port, "none", "us", "secret")
        with pytest.raises(MailServerAway) as info:
            async with mail_server.session():
                pass
    assert "secret" not in f"{info.value} {mail_server}"


@pytest.mark.parametrize(
    "address",
    [
        "", "wang", "wang@", "@yunji.example", "wang@yunji", "a b@yunji.example", "wang@yunji.example\r\nBcc: x@y.z",
        "wang@yunji.example, li@yunji.example", "<wang@yunji.example>", f"wang@{'y' * 250}.example",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_letter(address: str) -> None:
    with pytest.raises(NoAddress) as info:
        compose(letter(), SENDER, address, NOW)
    with pytest.raises(ValueError, match="e-mail address"):
        usable_address(address)
    assert not address or address not in str(info.value)


def test_nothing_can_be_slipped_into_the_headers() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message(subject="认证\r\nBcc: everybody@else.example")


def test_a_body_with_lines_too_long_for_mail_arrives_all_the_same() -> None:
    long = "长" * 2000
    folded = message(body=f"{long}\n完")
    assert folded["Content-Transfer-Encoding"] == "base64"
    assert folded.get_content() == f"{long}\n完\n"
    assert max(map(len, bytes(folded).splitlines())) < 998
    plain = message()
    assert plain["Content-Transfer-Encoding"] == "8bit"
    assert flatten_message(plain, cte_type="7bit").isascii(), "for a server that takes no more"
