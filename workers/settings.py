"""What a worker needs to know, from the environment or its caller.

Variables are named LIVEBASE_ and the setting's name; the deployment's two are named as the Temporal Worker
Controller sets them. An empty variable counts as absent.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from connection.errors import BadConfiguration
from connection.key_file import read_keys
from domain.key_set import KeySet
from domain.signing import secret_key
from store.signatures import key_in

PREFIX = "LIVEBASE_"
Settings = TypeVar("Settings", bound=BaseSettings)


def _address(text: str) -> str:
    if not re.fullmatch(r"(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d{1,5}", text):
        raise ValueError("an IP address and a port are wanted, for example 127.0.0.1:9464")
    return text


def _usable_secrets(secrets: SecretStr, info: ValidationInfo) -> SecretStr:
    written = secrets.get_secret_value().split()
    if not written and info.data.get("bank_callback_port"):
        raise ValueError("is needed with LIVEBASE_BANK_CALLBACK_PORT: nothing unsigned is believed")
    for one in written:
        secret_key(one)
    return secrets


def _usable_keys(file: Path) -> Path:
    try:
        read_keys(file)
    except BadConfiguration as error:
        raise ValueError(error.message) from None
    return file


def _usable_login(file: Path | None) -> Path | None:
    if file is not None:
        try:
            key_in(file.read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{file} can't be read ({error.strerror})") from None
    return file


class LogSettings(BaseSettings):
    """How a program that runs on logs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, populate_by_name=True)

    log_format: Literal["text", "json"] = "text"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"


class ChannelSettings(BaseSettings):
    """Where certified bases are made public (`activities/channel.py`), for the workers and whoever compares."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, populate_by_name=True)

    channel_url: str = ""
    """https:// or http://, an object store's URL, or a folder; empty is no channel but our own list."""
    channel_token: SecretStr = SecretStr("")
    """The bearer token of a channel over HTTP."""
    channel_seconds: float = Field(default=60, gt=0)
    """How long the delivery rests between two looks at the list."""


class WorkerSettings(LogSettings, ChannelSettings):
    """`database_url` is a SQLAlchemy URL; `documents` a folder or an object store's URL.

    `document_keys` is the file of the keys that wrap the cases' own (`store/documents.py`).
    """

    database_url: str
    documents: str
    document_keys: Annotated[Path, AfterValidator(_usable_keys)]
    bank_url: str = ""
    """Where the bank takes refunds (`activities/bank.py`); empty is no bank: orders wait."""
    bank_token: SecretStr = SecretStr("")
    bank_callback_port: int = Field(default=0, ge=0, le=65535)
    """Where the bank tells of money (`workers/callbacks.py`); 0 is nowhere."""
    bank_callback_host: str = "127.0.0.1"
    """The address that port is opened on; what stands before it has the certificate."""
    bank_callback_secrets: Annotated[SecretStr, AfterValidator(_usable_secrets)] = Field(
        default=SecretStr(""), validate_default=True
    )
    """What the bank signs with, `whsec_…`; two, with a space between, while one takes the other's place."""
    bank_callback_login: Annotated[Path | None, AfterValidator(_usable_login)] = None
    """The key file of the actor `callback`, who records what the bank tells; only a local server needs none."""
    verification_url: str = ""
    """Who knows which enterprises are verified (`activities/verification.py`); empty is nobody: reviewers compare."""
    verification_token: SecretStr = SecretStr("")
    verification_seconds: int = Field(default=600, ge=1)
    """How long the search for bases to be looked at again rests."""
    heads: str | None = None
    """A folder outside the database where copies of the audit log's seals are kept; None is nowhere."""
    task_queue: str = "livebase"
    graceful_seconds: int = Field(default=20, ge=0)
    """How long a drain lets activities finish before it cancels them."""
    health_port: int = Field(default=0, ge=0, le=65535)
    """Where /livez and /readyz answer; 0 is nowhere."""
    health_host: str = "127.0.0.1"
    """The address the health port is opened on; in a container 0.0.0.0."""
    metrics_address: Annotated[str, AfterValidator(_address)] | None = None
    """Where Prometheus finds Temporal's metrics, IP:PORT; None is nowhere."""
    deployment_name: str | None = Field(default=None, validation_alias="TEMPORAL_DEPLOYMENT_NAME")
    build_id: str | None = Field(default=None, validation_alias="TEMPORAL_WORKER_BUILD_ID")

    @property
    def document_key_set(self) -> KeySet:
        return read_keys(self.document_keys)

    @property
    def bank_callback_keys(self) -> tuple[bytes, ...]:
        return tuple(secret_key(one) for one in self.bank_callback_secrets.get_secret_value().split())

    @property
    def bank_callback_private(self) -> str | None:
        return key_in(self.bank_callback_login.read_text("utf-8"))[1] if self.bank_callback_login else None

    @property
    def deployment(self) -> WorkerDeploymentConfig | None:
        """The worker's version, when both its name and its build are told; None is an unversioned worker.

        Cases are upgraded to the current version at their next step, not pinned to the one they started on. A
        run sleeps through a year: pinned, it would need its old build kept running for that year, and would
        answer none of the commands, and have none of the corrections, that came since. What upgrading asks in
        return is that code replays what it did before, and recorded histories and patches see to that.
        """
        if self.deployment_name is None or self.build_id is None:
            return None
        return WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=self.deployment_name, build_id=self.build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )

    @property
    def half_versioned(self) -> str | None:
        """The variable that lacks for a versioned worker when the other is there."""
        if (self.deployment_name is None) == (self.build_id is None):
            return None
        return "TEMPORAL_DEPLOYMENT_NAME" if self.deployment_name is None else "TEMPORAL_WORKER_BUILD_ID"


def read_settings(kind: type[Settings], **known: Any) -> Settings:
    """The settings, `known` ones over the environment. Raises BadConfiguration with every problem."""
    try:
        return kind(**known)
    except ValidationError as error:
        problems = "; ".join(f"{_variable(str(one['loc'][0]))}: {one['msg']}" for one in error.errors())
        raise BadConfiguration(
            f"The settings can't be used. {problems}.", "Correct these environment variables."
        ) from None  # the error's own text holds the values, a password among them


def _variable(name: str) -> str:
    return name if name.isupper() else f"{PREFIX}{name.upper()}"
