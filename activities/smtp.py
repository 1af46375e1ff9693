"""The mail server over SMTP, through aiosmtplib; and what each of its answers means for a letter."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from activities.letters import MailServerAway, MailSession, PutOff, Refused

_SECONDS = 60.0
_CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 600.0
"""How long it may look at a letter it has before it answers (RFC 5321, 4.5.3.2.6), and so for its other answers about
one: given up earlier, a letter that was taken would be sent again, and again."""
_PERMANENT = 500
_ENHANCED = re.compile(r"[245]\.([0-9]{1,3})\.[0-9]{1,3}\b")
_RECIPIENTS_OWN = frozenset({"1", "2"})  # RFC 3463: the address, the mailbox
_MAILBOX_CODES = frozenset({550, 551, 552, 553})
_ADDRESS = re.compile(r"\S+@\S+")


@dataclass(frozen=True)
class SmtpServer:
    """`tls`: `implicit` from the first byte, `starttls` insisted on, or `none`."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        session = _SmtpSession(self)
        await session.connect()
        try:
            yield session
        finally:
            await session.leave()


class NoMailServer:
    """None is configured: letters wait, and say so."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        raise MailServerAway("no mail server is set: set LIVEBASE_SMTP_URL for the workers")
        yield


class _SmtpSession:
    """One connection at a time, made anew when it was lost over a letter."""

    def __init__(self, server: SmtpServer) -> None:
        self._smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            username=server.username,
            password=server.password,
            timeout=_SECONDS,
            local_hostname=socket.gethostname(),
        )

    async def connect(self) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._smtp.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            self._smtp.close()
            raise MailServerAway(_reason(error)) from None

    async def leave(self) -> None:
        with suppress(aiosmtplib.SMTPException, OSError):
            await self._smtp.quit()
        self._smtp.close()

    async def hand_over(self, message: EmailMessage) -> None:
        if not self._smtp.is_connected:
            await self.connect()
        try:
            await self._smtp.send_message(message, timeout=ANSWER_SECONDS)
        except aiosmtplib.SMTPSenderRefused as error:
            raise MailServerAway(f"it does not take our letters: {_reason(error)}") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused_recipient(error.recipients[0]) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error) from None
        except aiosmtplib.SMTPNotSupported as error:
            raise Refused(_reason(error)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            # Perhaps it has it and its answer was lost: the next try has the same Message-ID.
            self._smtp.close()
            raise PutOff(_reason(error)) from None
        except BaseException:
            self._smtp.close()  # cut off in the midst: what comes next on this connection means nothing
            raise


def _refused_recipient(error: aiosmtplib.SMTPRecipientRefused) -> PutOff | Refused:
    """A refused recipient, for good only where it is the recipient's own fault.

    Servers tell at this point as well what they hold against us (relaying, a blocked client): mended on our side,
    the letter goes out.
    """
    enhanced = _ENHANCED.match(error.message)
    theirs = enhanced[1] in _RECIPIENTS_OWN if enhanced else error.code in _MAILBOX_CODES
    return Refused(_reason(error)) if error.code >= _PERMANENT and theirs else PutOff(_reason(error))


def _answered(error: aiosmtplib.SMTPResponseException) -> PutOff | Refused:
    """A refusal of this letter: for good, or for now."""
    if error.code >= _PERMANENT:
        return Refused(_reason(error))
    return PutOff(_reason(error))


def _reason(error: Exception) -> str:
    """What the server said, for staff to read; without the addresses servers like to repeat."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"{error.code} {error.message}"
    else:
        text = str(error) or "no answer in time"
    text = _ADDRESS.sub("…", " ".join(text.split()))
    return "".join(char for char in text if char.isprintable())[:300]
