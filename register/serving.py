"""The site as a process: it listens, answers, and ends on SIGTERM when what it is at is done."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import uvicorn
from sqlalchemy import Engine

from connection.errors import BadConfiguration
from connection.listening import listen
from connection.private_file import read_private
from register.certificate import CertificateMaker, NotMade
from register.complaining import Complaints, secret_of
from register.proof import Keys, read_keys
from register.settings import RegisterSettings
from register.site import build_site
from store.complaints import ComplaintBox


class CannotServe(Exception):
    """What keeps it from serving, and what mends it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def keys_of(settings: RegisterSettings) -> Keys | None:
    """The keys to sign with. CannotServe for a file that holds none."""
    if settings.keys is None:
        return None
    hint = "LIVEBASE_REGISTER_KEYS is a file with a JSON Web Key Set of Ed25519 keys, the newest first."
    try:
        return read_keys(read_private(settings.keys, "LIVEBASE_REGISTER_KEYS"), to_sign=True)
    except BadConfiguration as error:
        raise CannotServe(error.message, error.hint) from None
    except ValueError as error:
        raise CannotServe(f"{settings.keys} {error}.", hint) from None


def serve(engine: Engine, settings: RegisterSettings, ready: Callable[[str], None], complaints: Engine) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` hears the address once it listens. Raises CannotServe.

    `engine` is read only; `complaints` is for what the public complains of, and nothing else.
    """
    keys = keys_of(settings)
    box = ComplaintBox(complaints)
    taken = Complaints(
        box,
        seconds=time.monotonic,
        secret=secret_of(keys.private if keys else None),
        per_address=settings.complaints_per_address,
        per_certificate=settings.complaints_per_certificate,
        per_day=settings.complaints_per_day,
    )
    try:
        listener = listen(settings.host, settings.port, backlog=512)
    except OSError as error:
        raise CannotServe(
            f"{settings.host}:{settings.port} can't be opened ({error.strerror or error}).",
            "Name a free port: --port PORT, or 0 for any.",
        ) from None
    with closing(listener):
        here = f"{settings.host}:{listener.getsockname()[1]}"
        url = settings.url or f"http://{here}"
        app = build_site(
            engine,
            url=url,
            hosts=(here, here.replace("127.0.0.1", "localhost"), *settings.hosts.split()),
            keys=keys,
            proxies=settings.proxies,
            per_minute=settings.per_minute,
            cache_seconds=settings.cache_seconds,
            fonts=settings.fonts,
            complaints=taken if settings.complaints else None,
        )
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
        _look_for_fonts(settings.fonts)
        ready(url)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=20,
            h11_max_incomplete_event_size=16 * 1024,
        )
        gc.freeze()  # what is here by now stays: it is not gone through again and again while somebody waits
        uvicorn.Server(config).run(sockets=[listener])


def _look_for_fonts(folder: Path) -> None:
    """That no certificate can be made is said at once, and keeps nothing else from being served."""
    try:
        CertificateMaker(folder).ready()
    except NotMade as error:
        logging.getLogger("livebase.register").warning("no certificate can be downloaded: %s", error)
