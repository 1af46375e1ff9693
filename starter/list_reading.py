"""What people name to be proven, read: a file, or what an address answers, within bounds."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starter.errors import CommandError, unreachable, usage

_PAGE = re.compile(r"/(?:en/)?c/(LBC-\d{4}-\d{6,9})(?:\.json|\.pdf)?")
_MOST = 1 << 28  # bytes
_SECONDS = 20.0


def read_place(place: str, *, as_it_is: bool = False) -> bytes:
    """A file, or what an address answers: of a certificate's page its document, unless it is wanted as it is.

    CommandError: 2 for no such file, 3 for what the list does not know, 6.
    """
    if not is_address(place):
        try:
            with open(place, "rb") as file:
                return file.read(_MOST + 1)
        except OSError as error:
            raise usage(f"{place[:200]} can't be read ({error.strerror}).", "Name a file, a URL or a number.") from None
    import asyncio

    import httpx

    number = number_of(place)
    parts = urlsplit(place)
    url = f"{parts.scheme}://{parts.netloc}/c/{number}.json" if number and not as_it_is else place
    try:
        status, content = asyncio.run(_fetched(url))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
        raise unreachable(f"{url[:200]} does not answer ({type(error).__name__}).", "Try again later.") from None
    if status == 404 and number:
        raise CommandError(3, "unknown", f"{number} is not on the list: not certified.", "Check the number.")
    if status in (403, 410) and number and as_it_is:
        raise unreachable(
            f"{url[:200]} answers {status}: this certificate is not handed out now.",
            f"See how it stands by its number: livebase register verify {number} --list FILE|URL",
        )
    if status != 200:
        raise unreachable(f"{url[:200]} answers {status}.", "Try again later.")
    return content


async def _fetched(url: str) -> tuple[int, bytes]:
    """The status of an answer, and what it says as far as anything is read: not for longer, however slowly it comes."""
    import asyncio

    import httpx

    # Packed, a little of it could unpack to anything.
    headers = {"accept-encoding": "identity"}
    content = bytearray()
    async with (
        asyncio.timeout(_SECONDS),
        httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, headers=headers) as client,
        client.stream("GET", url) as answer,
    ):
        if answer.status_code == 200:
            async for part in answer.aiter_raw():
                content += part
                if len(content) > _MOST:
                    break
    return answer.status_code, bytes(content)


def is_address(place: str) -> bool:
    return re.match(r"https?://", place) is not None


def number_of(place: str) -> str | None:
    """The certificate whose page or document an address is of: what is answered has to be about it."""
    if not is_address(place):
        return None
    match = _PAGE.fullmatch(urlsplit(place).path)
    return match[1] if match else None
