"""A letter as an e-mail."""

from __future__ import annotations

from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from pydantic import TypeAdapter, ValidationError

from domain.delivery import message_id
from domain.fields import Email
from domain.letters import SIGNATURE
from store.letters import OutgoingLetter

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_LONGEST_ADDRESS = 254
_LONGEST_LINE = 998


class NoAddress(Exception):
    """There is nothing a letter could be addressed to."""


def compose(letter: OutgoingLetter, sender: str, address: str, now: datetime) -> EmailMessage:
    """The letter as it is handed to the mail server: the same Message-ID at every try. NoAddress for a bad address.

    Headers come from the standard library's own classes, which refuse line breaks, so nothing can be slipped in.
    """
    message = EmailMessage()
    message["From"] = _addressed(sender, SIGNATURE)
    message["To"] = _addressed(address)
    message["Subject"] = letter.subject
    message["Date"] = now
    message["Message-ID"] = message_id(letter.id, letter.edition, sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    # As it is where no line is longer than mail allows, so that it can be read wherever it is kept.
    plain = all(len(line.encode()) < _LONGEST_LINE for line in letter.body.splitlines())
    message.set_content(letter.body, cte="8bit" if plain else "base64")
    message["Content-Language"] = "zh-CN"
    return message


def usable_address(text: str) -> str:
    """An address mail can go to. ValueError otherwise, without the address in it."""
    try:
        address = _EMAIL.validate_python(text)
        Address(addr_spec=address)
    except (ValidationError, MessageError, ValueError, IndexError):
        address = ""
    if not address or len(address) > _LONGEST_ADDRESS:
        raise ValueError("must be an e-mail address")
    return address


def _addressed(text: str, name: str = "") -> Address:
    try:
        return Address(name, addr_spec=usable_address(text))
    except ValueError:
        raise NoAddress("the address can't be used") from None
