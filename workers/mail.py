"""The mail room from its settings: LIVEBASE_SMTP_URL, LIVEBASE_MAIL_FROM, LIVEBASE_MAIL_<ROLE>."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.letters import MailRoom
from activities.message import usable_address
from activities.smtp import NoMailServer, SmtpServer
from domain.stages import Role
from workers.settings import PREFIX

_PORTS = {"smtp": 587, "smtps": 465}
_SHAPE = "must be smtp://HOST:PORT or smtps://HOST:PORT, with USER:PASSWORD@ before the host when it wants a login"


def _parts(url: SecretStr) -> SplitResult:
    """The URL taken apart. ValueError, without anything of it, when it is none of ours."""
    try:
        parts = urlsplit(url.get_secret_value())
        usable = parts.scheme in _PORTS and parts.hostname and (parts.port or 1) and parts.path in ("", "/")
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError(_SHAPE)
    return parts


def _usable_url(url: SecretStr) -> SecretStr:
    _parts(url)
    return url


Address = Annotated[str, AfterValidator(usable_address)]


class MailSettings(BaseSettings):
    """Where letters are handed over and whom they go to, each variable with the prefix LIVEBASE_.

    `smtp_url` is smtp:// or smtps://; a user and a password in it are percent-encoded. `smtp_tls` None is `implicit`
    for smtps, for smtp `starttls`, which is insisted on, or `none` when the server is on this machine. Without
    `smtp_url` letters wait; a role without an address keeps its letters waiting.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    smtp_url: Annotated[SecretStr, AfterValidator(_usable_url)] | None = None
    smtp_tls: Literal["implicit", "starttls", "none"] | None = None
    mail_from: Annotated[Address | None, Field(validate_default=True)] = None
    mail_reviewer: Address | None = None
    mail_finance: Address | None = None
    mail_certifier: Address | None = None
    mail_compliance: Address | None = None
    mail_auditor: Address | None = None
    mail_operator: Address | None = None
    letters_seconds: int = Field(default=60, ge=1)
    """How long the delivery rests when nothing is due."""

    @field_validator("mail_from")
    @classmethod
    def _needed_to_send(cls, sender: str | None, info: ValidationInfo) -> str | None:
        if sender is None and info.data.get("smtp_url") is not None:
            raise ValueError("is needed with LIVEBASE_SMTP_URL: the address letters come from")
        return sender

    def room(self) -> MailRoom:
        """The mail room these settings make."""
        staff = {role: address for role in Role if (address := getattr(self, f"mail_{role}", None)) is not None}
        return MailRoom(self.server(), self.mail_from or "", staff, pause_seconds=self.letters_seconds)

    def server(self) -> SmtpServer | NoMailServer:
        if self.smtp_url is None:
            return NoMailServer()
        parts = _parts(self.smtp_url)
        host = parts.hostname or ""
        usual: Literal["implicit", "starttls", "none"] = "none" if _is_here(host) else "starttls"
        return SmtpServer(
            host=host,
            port=parts.port or _PORTS[parts.scheme],
            tls=self.smtp_tls or ("implicit" if parts.scheme == "smtps" else usual),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


def _is_here(host: str) -> bool:
    """Whether a host is this machine by its name or address alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
