"""Which server a command talks to: flags, environment, profile, local server, in this order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connection import local_state
from connection.errors import BadConfiguration, Unreachable
from connection.local_state import LocalState
from connection.profile import is_loopback, resolve

TOML = """
[profile.default]
address = "default.example:7233"
namespace = "of-default"

[profile.prod]
address = "prod.example:7233"
namespace = "of-prod"
api_key = "secret-key"

[profile.prod.grpc_meta]
team = "live"

[profile.bare]
namespace = "of-bare"

[profile.certs]
address = "certs.example:7233"
[profile.certs.tls]
client_cert_path = "/does/not/exist.pem"
"""

ADDRESS = {"TEMPORAL_ADDRESS": "env.example:7233"}
NAMESPACE = {"TEMPORAL_NAMESPACE": "of-env"}


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A data directory in which `livebase dev` runs (as this very process)."""
    state = LocalState(os.getpid(), "127.0.0.1:20001", "of-local", None, None, "2026-11-24T10:00:00+08:00")
    local_state.write(tmp_path / "running", state)
    return tmp_path / "running"


@pytest.fixture
def with_file(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temporal.toml").write_text(TOML)
    return {"TEMPORAL_CONFIG_FILE": str(tmp_path / "temporal.toml")}


@pytest.fixture
def no_file(tmp_path: Path) -> dict[str, str]:
    return {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml")}


@pytest.mark.parametrize(
    ("flags", "variables", "file", "expected"),
    [
        # address: the first of flag, environment, profile, local server
        ({"address": "flag:1"}, ADDRESS, True, ("flag:1", "of-default", "flag")),
        ({"address": "flag:1"}, {}, False, ("flag:1", "default", "flag")),
        ({}, ADDRESS, True, ("env.example:7233", "of-default", "environment")),
        ({}, ADDRESS, False, ("env.example:7233", "default", "environment")),
        ({}, {}, True, ("default.example:7233", "of-default", "profile")),
        ({"profile": "prod"}, {}, True, ("prod.example:7233", "of-prod", "profile")),
        ({}, {"TEMPORAL_PROFILE": "prod"}, True, ("prod.example:7233", "of-prod", "profile")),
        ({"profile": "prod"}, ADDRESS, True, ("env.example:7233", "of-prod", "environment")),
        ({}, {}, False, ("127.0.0.1:20001", "of-local", "local")),
        # namespace: the same order, on its own
        ({"namespace": "of-flag"}, NAMESPACE, True, ("default.example:7233", "of-flag", "profile")),
        ({}, NAMESPACE, True, ("default.example:7233", "of-env", "profile")),
        ({"address": "flag:1"}, NAMESPACE, False, ("flag:1", "of-env", "flag")),
        ({"namespace": "of-flag"}, {}, False, ("127.0.0.1:20001", "of-flag", "local")),
        ({}, NAMESPACE, False, ("127.0.0.1:20001", "of-env", "local")),
        # an empty value is no value
        ({"address": "", "namespace": ""}, {"TEMPORAL_ADDRESS": ""}, False, ("127.0.0.1:20001", "of-local", "local")),
    ],
)
def test_order(
    running: Path,
    with_file: dict[str, str],
    no_file: dict[str, str],
    flags: dict[str, str],
    variables: dict[str, str],
    file: bool,
    expected: tuple[str, str, str],
) -> None:
    environ = (with_file if file else no_file) | variables
    target = resolve(**flags, data_dir=running, environ=environ)
    assert (target.address, target.namespace, target.source) == expected


def test_the_local_server_is_found_through_the_environment(running: Path, no_file: dict[str, str]) -> None:
    target = resolve(environ=no_file | {"LIVEBASE_DATA_DIR": str(running)})
    assert target.address == "127.0.0.1:20001"


def test_credentials_go_along_and_are_not_shown(with_file: dict[str, str]) -> None:
    target = resolve(profile="prod", environ=with_file)
    assert target.connect_kwargs == {"api_key": "secret-key", "tls": True, "rpc_metadata": {"team": "live"}}
    assert "secret-key" not in repr(target)


def test_credentials_never_go_to_the_local_server(running: Path, no_file: dict[str, str]) -> None:
    target = resolve(data_dir=running, environ=no_file | {"TEMPORAL_API_KEY": "secret-key"})
    assert target.source == "local"
    assert not target.connect_kwargs


def test_nothing_anywhere_says_what_to_type(tmp_path: Path, no_file: dict[str, str]) -> None:
    with pytest.raises(Unreachable) as caught:
        resolve(data_dir=tmp_path / "empty", environ=no_file)
    assert str(tmp_path / "empty") in caught.value.message
    assert "livebase dev" in caught.value.hint


@pytest.mark.parametrize(
    ("profile", "variables", "said"),
    [
        ("nope", {}, "nope"),
        (None, {"TEMPORAL_PROFILE": "nope"}, "nope"),
        ("bare", {}, "no address"),
        ("certs", {}, "/does/not/exist.pem"),
    ],
)
def test_a_bad_profile(with_file: dict[str, str], profile: str | None, variables: dict[str, str], said: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        resolve(profile=profile, environ=with_file | variables)
    assert said in caught.value.message
    assert caught.value.hint


def test_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "temporal.toml").write_text("[profile.default\naddress =")
    with pytest.raises(BadConfiguration) as caught:
        resolve(environ={"TEMPORAL_CONFIG_FILE": str(tmp_path / "temporal.toml")})
    assert str(tmp_path / "temporal.toml") in caught.value.hint


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1:7233", True), ("127.0.0.9:7233", True), ("localhost:7233", True), ("[::1]:7233", True),
        ("10.0.0.1:7233", False), ("0.0.0.0:7233", False), ("temporal:7233", False), ("localhost.example:7233", False),
        ("127.0.0.1.example:7233", False), ("[2001:db8::1]:7233", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(address: str, here: bool) -> None:
    assert is_loopback(address) is here


def test_finding_addresses_does_not_load_the_sdk() -> None:
    """`livebase --help` has 0.2 s; the SDK alone takes longer."""
    code = (
        "import sys, connection.profile, connection.local_state, connection.errors, connection.progress;"
        "print([name for name in ('temporalio', 'pydantic', 'psutil') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
