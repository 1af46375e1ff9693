"""A connected client, the same for workers and for the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connection.errors import BadConfiguration, Unreachable
from connection.profile import Target
from connection.time_limit import time_limit

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.runtime import Runtime

    from connection.codec import KeyRing

CONNECT_TIMEOUT = timedelta(seconds=5)


async def connect(
    target: Target,
    *,
    identity: str,
    timeout: timedelta = CONNECT_TIMEOUT,
    runtime: Runtime | None = None,
    keys: KeyRing | None = None,
) -> Client:
    """Connect to `target`; messages travel as pydantic JSON, sealed with `keys` and nothing in clear taken.

    Without keys they travel in clear, which only a local server's may. `identity` is what histories and Temporal Web
    show as the sender; it proves nothing. `runtime` carries a worker's metrics and log; None is the SDK's own. Raises
    `Unreachable` when no server answers within `timeout`, `BadConfiguration` when the address or TLS settings can't be
    used.
    """
    from temporalio.client import Client
    from temporalio.contrib.pydantic import pydantic_data_converter

    if keys is None:
        converter = pydantic_data_converter
    else:
        from connection.codec import sealing_converter

        converter = sealing_converter(keys, target.namespace)
    try:
        if "://" in target.address:
            raise ValueError("no URL is wanted here")
        async with time_limit(timeout.total_seconds()):  # connect_timeout ends with the TCP connection
            return await Client.connect(
                target.address,
                namespace=target.namespace,
                data_converter=converter,
                identity=identity,
                connect_timeout=timeout,
                runtime=runtime,
                **target.connect_kwargs,
            )
    except TimeoutError:
        reason = f"no answer within {timeout.total_seconds():g} s"
    except (RuntimeError, OSError) as error:  # the SDK raises bare RuntimeErrors here
        reason = _reason(error)
    except (ValueError, TypeError) as error:
        raise BadConfiguration(
            f"The Temporal address {target.address!r} ({target.described_source}) can't be used: {error}.",
            "Write it as HOST:PORT, for example 127.0.0.1:7233.",
        ) from error
    raise Unreachable(
        f"Temporal at {target.address} ({target.described_source}) can't be reached: {reason}.", target.hint
    )


def _reason(error: Exception) -> str:
    """The part of the SDK's message that helps a person."""
    text = str(error)
    for sign, meaning in {
        "ConnectionRefused": "connection refused",
        "Connection refused": "connection refused",
        "dns error": "the host name is unknown",
        "InvalidCertificate": "its TLS certificate is not trusted",
        "received corrupt message": "it does not speak TLS",
        "Unauthenticated": "it does not accept these credentials",
        "PermissionDenied": "it does not accept these credentials",
        "grpc-status header missing": "something answers there, but it is not Temporal",
    }.items():
        if sign in text:
            return meaning
    return text.splitlines()[0] if text else type(error).__name__
