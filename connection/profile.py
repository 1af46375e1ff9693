"""Which Temporal server a command talks to.

Resolved as the `temporal` CLI does, so that what works there works here: flags, then TEMPORAL_* variables,
then the TOML profile; and last the local server of `livebase dev`, if it runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from connection import local_state
from connection.errors import BadConfiguration, Unreachable

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConfigProfile

Source = Literal["flag", "environment", "profile", "local"]

DEFAULT_NAMESPACE = "default"
_START_LOCAL = "Start a local server with: livebase dev"


@dataclass(frozen=True)
class Target:
    """A server to connect to. `source` says where its address came from.

    `connect_kwargs` are further arguments of `Client.connect`: `tls`, `api_key`, `rpc_metadata`. They may hold
    secrets and are kept out of the representation.
    """

    address: str
    namespace: str
    source: Source
    connect_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def described_source(self) -> str:
        return {
            "flag": "--address",
            "environment": "TEMPORAL_ADDRESS",
            "profile": "profile",
            "local": "livebase dev",
        }[self.source]

    @property
    def on_this_machine(self) -> bool:
        """Whether what is sent to it leaves this machine."""
        return is_loopback(self.address)

    @property
    def hint(self) -> str:
        """What to do when this target does not answer."""
        if self.source == "local":
            return "It may be starting or stopping. Restart it with: livebase dev --stop && livebase dev"
        place = {"flag": "--address", "environment": "TEMPORAL_ADDRESS", "profile": "the profile"}[self.source]
        return f"Check {place}, or leave it out and use a local server: livebase dev"


def is_loopback(address: str) -> bool:
    """Whether HOST:PORT is this machine's own loopback."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(
    *,
    profile: str | None = None,
    address: str | None = None,
    namespace: str | None = None,
    data_dir: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Target:
    """Find the server: `address`, TEMPORAL_ADDRESS, the profile's address, the local server, in this order.

    Each setting is taken from the first place that has it, so `--namespace` goes with a profile's address.
    TLS and API key come from the environment and the profile, and go to whatever address was configured, but
    never to the local server. `data_dir` is the folder of `livebase dev`; None means the usual one.

    Raises `Unreachable` when nothing is configured and no local server runs, `BadConfiguration` when the
    profile, its file or a variable can't be used.
    """
    loaded = _load(profile, environ)
    chosen_namespace = namespace or loaded.namespace or DEFAULT_NAMESPACE
    found = address or loaded.address
    if not found:
        if profile or environ.get("TEMPORAL_PROFILE"):
            name = profile or environ["TEMPORAL_PROFILE"]
            raise BadConfiguration(
                f"Profile {name!r} has no address.",
                f"Set one: temporal config set --profile {name} --prop address --value HOST:PORT",
            )
        return _local(namespace or loaded.namespace, data_dir, environ)
    source: Source = "flag" if address else "environment" if environ.get("TEMPORAL_ADDRESS") else "profile"
    return Target(found, chosen_namespace, source, _connect_kwargs(loaded))


def _local(namespace: str | None, data_dir: Path | None, environ: Mapping[str, str]) -> Target:
    directory = data_dir or local_state.data_directory(None, environ)
    state = local_state.read(directory)
    if state is None:
        raise Unreachable(
            f"No Temporal server: no address is configured, and no local server runs in {directory}.",
            f"{_START_LOCAL} (or name one with --address HOST:PORT, TEMPORAL_ADDRESS or --profile NAME)",
        )
    return Target(state.address, namespace or state.namespace, "local")


def _load(profile: str | None, environ: Mapping[str, str]) -> ClientConfigProfile:
    from temporalio.envconfig import ClientConfigProfile

    try:
        return ClientConfigProfile.load(profile, override_env_vars=dict(environ))
    except RuntimeError as error:  # the bridge's ConfigError is one
        file = environ.get("TEMPORAL_CONFIG_FILE") or "temporal.toml (in ~/.config/temporalio on Linux)"
        raise BadConfiguration(
            f"Temporal's configuration can't be used: {error}.",
            f"Correct --profile, {file} or the TEMPORAL_* variables.",
        ) from error


def _connect_kwargs(loaded: ClientConfigProfile) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = dict(loaded.to_client_connect_config())
    except OSError as error:
        raise BadConfiguration(
            f"A TLS file of Temporal's configuration can't be read: {error.filename}: {error.strerror}.",
            "Correct its path in the profile or in TEMPORAL_TLS_CLIENT_CERT_PATH and its like.",
        ) from error
    return {name: value for name, value in settings.items() if name not in ("target_host", "namespace")}
