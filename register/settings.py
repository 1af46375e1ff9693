"""What the official list's site needs to know, from the environment or its caller. An empty variable is none."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LOOPBACK = "127.0.0.1"
FONTS = Path("/usr/share/fonts/opentype/noto")
"""Where Debian's fonts-noto-cjk has the fonts of certificates."""


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("is to be the site's address, for example https://list.example.cn")
    return url.rstrip("/")


def _networks(text: str) -> str:
    for one in text.split():
        ip_network(one)
    return text


class RegisterSettings(BaseSettings):
    """Variables are named LIVEBASE_REGISTER_ and the setting's name."""

    model_config = SettingsConfigDict(env_prefix="LIVEBASE_REGISTER_", env_ignore_empty=True, populate_by_name=True)

    host: str = _LOOPBACK
    port: int = Field(default=8300, ge=0, le=65535)
    """0 is any free one."""
    url: Annotated[str, AfterValidator(_public_url)] = ""
    """The address the public knows the site by: whole links are made with it, never with what is asked."""
    hosts: str = ""
    """Other names it answers to, parted by spaces; a request for any other is refused."""
    keys: Path | None = None
    """A JSON Web Key Set that it signs with, the newest first; without it nothing is signed."""
    proxies: Annotated[str, AfterValidator(_networks)] = ""
    """Networks whose X-Forwarded-For is believed, parted by spaces: that of the proxy or CDN in front."""
    per_minute: int = Field(default=240, ge=0)
    """Lookups of one address a minute; 0 is as many as it likes."""
    complaints: bool = True
    """Whether it takes complaints, which it writes to the database: one that is a replica can't."""
    complaints_per_address: int = Field(default=10, ge=1)
    complaints_per_certificate: int = Field(default=50, ge=1)
    complaints_per_day: int = Field(default=1000, ge=1)
    """So many complaints a day are taken by this process: of one address, about one certificate, in all."""
    cache_seconds: int = Field(default=30, ge=0, le=60)
    """How long an answer may be kept: within it a revocation is seen by all (reliability goal C8: at most 60 s)."""

    fonts: Path = FONTS
    """The folder with the fonts certificates are set in (`register/fonts.py`)."""

    @model_validator(mode="after")
    def _known(self) -> RegisterSettings:
        if self.host not in (_LOOPBACK, "localhost", "::1") and not (self.url or self.hosts):
            raise ValueError("LIVEBASE_REGISTER_URL is needed beside a host that others reach: what the site is called")
        return self
