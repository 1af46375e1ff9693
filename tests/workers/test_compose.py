"""docker-compose.yml: the compose schema, and every point that a reader relies on."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from connection.payload_keys import VARIABLE
from register.new_key import main as make_register_key
from register.settings import RegisterSettings
from store.engine import open_engine
from store.migrate import is_current, migrate
from store.register import ListReader
from tests.postgres import PostgresServer
from tests.workers.cluster_files import COMPOSE, ROOT, compose, services
from workers.codec_server import CodecSettings
from workers.keys import main as make_keys
from workers.mail import MailSettings
from workers.prepare import PreparationSettings
from workers.process import PAST_GRACE
from workers.settings import WorkerSettings

IMAGES = {
    "postgres": "postgres:15",
    "temporal-schema": "temporalio/admin-tools:1.32.0",
    "temporal": "temporalio/server:1.32.0",
    "temporal-web": "temporalio/ui:2.54.1",
    "mail": "axllent/mailpit:v1.27.11",
    "payload-keys": "livebase:local",
    "document-keys": "livebase:local",
    "register-keys": "livebase:local",
    "codec": "livebase:local",
    "prepare": "livebase:local",
    "worker": "livebase:local",
    "register": "livebase:local",
    "cli": "livebase:local",
}
OURS = {name for name, image in IMAGES.items() if image.startswith("livebase:")}
WITH_DATABASE = {"prepare", "worker", "register", "cli"}
HEALTHY, COMPLETED = "service_healthy", "service_completed_successfully"
ORDER = {
    "temporal-schema": {"postgres": HEALTHY},
    "temporal": {"temporal-schema": COMPLETED},
    "temporal-web": {"temporal": HEALTHY},
    "prepare": {"postgres": HEALTHY, "temporal": HEALTHY},
    "codec": {"payload-keys": COMPLETED},
    "worker": {"payload-keys": COMPLETED, "document-keys": COMPLETED, "prepare": COMPLETED, "mail": HEALTHY},
    "register": {"register-keys": COMPLETED, "prepare": COMPLETED},
}
VOLUMES = {
    *("postgres", "documents", "heads", "channel", "keys"),
    *("payload-keys", "document-keys", "register-keys", "codec-tokens"),
}
SECRET = re.compile(r"PASSWORD|PWD|SECRET|TOKEN|KEY|CREDENTIAL")


def validated(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_valid_by_the_compose_schema(tmp_path: Path) -> None:
    assert validated(COMPOSE).returncode == 0, validated(COMPOSE).stdout
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text("utf-8").replace("healthcheck:", "healthcheckk:", 1), "utf-8")
    assert validated(broken).returncode == 1, "the schema notices"


def test_its_images_are_these_versions() -> None:
    assert {name: service["image"] for name, service in services().items()} == IMAGES


def test_everything_waits_for_what_it_needs() -> None:
    found = {
        name: {needed: how["condition"] for needed, how in service["depends_on"].items()}
        for name, service in services().items()
        if "depends_on" in service
    }
    assert found == ORDER
    order = list(TopologicalSorter({name: set(needs) for name, needs in found.items()}).static_order())
    assert order.index("postgres") < order.index("temporal") < order.index("prepare") < order.index("worker")


def test_what_runs_on_has_a_health_check_and_what_ends_is_not_started_again() -> None:
    for name, service in services().items():
        if name in ("temporal-schema", "prepare", "cli") or name.endswith("-keys"):
            assert service["restart"] == "no" and "healthcheck" not in service, name
        else:
            check = service["healthcheck"]
            assert service["restart"] == "unless-stopped" and check["test"][0] == "CMD", name
            assert {"interval", "timeout", "retries", "start_period"} <= set(check), name


def test_no_port_is_open_to_other_machines() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(ports) == 6
    for port in ports:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port


def test_data_is_in_named_volumes() -> None:
    named = set(compose()["volumes"])
    used = {volume for service in services().values() for volume in service.get("volumes", [])}
    kept, bound = ({one for one in used if one.startswith("./") is is_path} for is_path in (False, True))
    assert {one.partition(":")[0] for one in kept} == named == VOLUMES
    assert bound == {"./examples:/examples:ro"}


def test_it_holds_no_secret() -> None:
    """A password is a variable with a default for local use, a key is in a file, and no URL carries one."""
    secrets = 0
    for name, service in services(with_defaults=False).items():
        for variable, value in service.get("environment", {}).items():
            assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{name}: {variable}"
            if SECRET.search(variable) and not re.fullmatch(r"/var/lib/livebase/[a-z./-]+|true", value):
                assert re.fullmatch(r"\$\{[A-Z_]+:-[a-z-]+-local\}", value), f"{name}: {variable}"
                secrets += 1
    assert secrets >= 4


def test_every_container_is_confined() -> None:
    for name, service in services().items():
        assert service["read_only"] is True and "/tmp" in service["tmpfs"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service and "network_mode" not in service, name
        # PostgreSQL's entry point changes from root to its own user, which takes capabilities.
        assert service.get("cap_drop") == (None if name == "postgres" else ["ALL"]), name
    for name in OURS:
        assert "user" not in services()[name], "the image's own, not root"


def test_our_containers_start_what_there_is() -> None:
    assert services()["prepare"]["entrypoint"] == ["python", "-m", "workers.prepare"]
    assert services()["payload-keys"]["entrypoint"] == ["python", "-m", "workers.keys"]
    for module in ("workers.prepare", "workers.keys", "workers.codec_server", "workers.codec_tokens"):
        assert importlib.util.find_spec(module) is not None
    assert "entrypoint" not in services()["worker"] and "command" not in services()["worker"], "the image's own"
    kinds = (WorkerSettings, PreparationSettings, MailSettings, CodecSettings)
    settings = {f"LIVEBASE_{name.upper()}" for kind in kinds for name in kind.model_fields}
    settings |= {"LIVEBASE_LOGIN", VARIABLE}  # the command line's own (starter/login.py), and everybody's
    settings |= {f"LIVEBASE_REGISTER_{name.upper()}" for name in RegisterSettings.model_fields}
    assert services()["register"]["command"] == ["register", "serve"]
    for name in OURS:
        told = {variable for variable in services()[name].get("environment", {}) if variable.startswith("LIVEBASE_")}
        assert told <= settings, name


@pytest.mark.parametrize(
    ("keys", "make", "variable", "used_by"),
    [
        ("payload-keys", make_keys, VARIABLE, ("worker", "cli", "codec")),
        ("document-keys", make_keys, "LIVEBASE_DOCUMENT_KEYS", ("worker", "cli")),
        ("register-keys", make_register_key, "LIVEBASE_REGISTER_KEYS", ("register",)),
    ],
)
def test_everybody_has_the_key_that_is_made_once(
    tmp_path: Path, keys: str, make: Callable[[list[str]], int], variable: str, used_by: tuple[str, ...]
) -> None:
    """The job's own words: a second start keeps the key, which the worker and the command line then find."""
    job = services()[keys]
    place, *how = job["command"]
    folder = str(Path(place).parent)
    assert job["volumes"] == [f"{keys}:{folder}"]
    file = tmp_path / "keys.json"
    made = []
    for _ in range(2):
        assert make([str(file), *how]) == 0
        made.append(file.read_text())
    assert made[0] == made[1]
    for name in used_by:
        assert services()[name]["environment"][variable] == place
        assert f"{keys}:{folder}:ro" in services()[name]["volumes"]


def test_temporal_web_asks_the_codec_server_for_who_has_signed_in() -> None:
    codec, web = services()["codec"], services()["temporal-web"]["environment"]
    [port] = codec["ports"]
    assert web["TEMPORAL_CODEC_ENDPOINT"] == f"http://{port.rpartition(':')[0]}"
    assert web["TEMPORAL_CODEC_INCLUDE_CREDENTIALS"] == "true", "the cookie"
    assert codec["environment"]["LIVEBASE_CODEC_ORIGINS"] in web["TEMPORAL_CORS_ORIGINS"].split(",")
    assert port.endswith(f":{CodecSettings.model_fields['codec_port'].default}")


def test_docker_waits_longer_than_a_drain_takes() -> None:
    drain = timedelta(seconds=WorkerSettings.model_fields["graceful_seconds"].default + PAST_GRACE)
    seconds = re.fullmatch(r"(\d+)s", services()["worker"]["stop_grace_period"])
    assert seconds is not None and timedelta(seconds=int(seconds[1])) > drain


def test_temporal_reads_the_dynamic_configuration_it_is_given() -> None:
    [config] = services()["temporal"]["configs"]
    assert services()["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"] == config["target"]
    file = ROOT / compose()["configs"][config["source"]]["file"]
    assert "frontend.enableCancelWorkerPollsOnShutdown" in file.read_text("utf-8")


def test_every_program_has_a_database_user_with_nothing_but_its_rights() -> None:
    """The container's own script, on a PostgreSQL server of its own; then what `prepare` does as the owner."""
    [config] = services()["postgres"]["configs"]
    script = ROOT / compose()["configs"][config["source"]]["file"]
    assert config["target"] == "/docker-entrypoint-initdb.d/logins.sh"
    users = {
        name: make_url(services()[name]["environment"]["LIVEBASE_DATABASE_URL"]).username for name in WITH_DATABASE
    }
    assert users == {
        "prepare": services()["postgres"]["environment"]["POSTGRES_USER"],
        "worker": "worker",
        "register": "register",
        "cli": "staff",
    }
    with PostgresServer() as server:
        owner = make_url(server.url("logins"))
        environ = {
            "PATH": f"{server.binaries}:{os.environ['PATH']}",
            "PGHOST": str(owner.host),
            "PGPORT": str(owner.port),
            "PGPASSWORD": str(owner.password),
            "POSTGRES_PASSWORD": "it's-local",
            "POSTGRES_USER": str(owner.username),
            "POSTGRES_DB": str(owner.database),
        }
        subprocess.run(["sh", script], env=environ, check=True)
        assert migrate(owner.render_as_string(hide_password=False), local_server=False) == []
        for user, may_write in (("worker", True), ("staff", False)):
            engine = open_engine(owner.set(username=user, password="it's-local").render_as_string(hide_password=False))
            assert is_current(engine)
            with engine.begin() as connection:
                assert connection.scalars(text("SELECT case_number FROM cases")).all() == []
                held = connection.scalar(text("SELECT has_table_privilege('audit_entries', 'INSERT')"))
                assert held is may_write
            engine.dispose()
        public = open_engine(
            owner.set(username="register", password="it's-local").render_as_string(hide_password=False)
        )
        assert is_current(public) and ListReader(public).revision() == 0
        with pytest.raises(ProgrammingError, match="permission denied"), public.begin() as connection:
            connection.execute(text("SELECT facts FROM cases"))
        public.dispose()


@pytest.mark.parametrize("failing", [None, "setup-schema"])
def test_the_schema_job_makes_both_databases_and_stops_at_the_first_failure(
    tmp_path: Path, failing: str | None
) -> None:
    """The job's own script, with a tool in Temporal's place that writes down how it is called."""
    tool, calls = tmp_path / "temporal-sql-tool", tmp_path / "calls"
    tool.write_text(f'#!/bin/sh\necho "$SQL_DATABASE $*" >> "{calls}"\n[ "$1" != "{failing}" ]\n')
    tool.chmod(0o755)
    job = services()["temporal-schema"]
    environ = {**job["environment"], "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([*job["entrypoint"], *job["command"]], env=environ, check=False)
    expected = [
        f"{database} {step}"
        for database, schema in (("temporal", "temporal"), ("temporal_visibility", "visibility"))
        for step in (
            "create-database",
            "setup-schema --version 0.0",
            f"update-schema --schema-name postgresql/v12/{schema}",
        )
    ]
    assert calls.read_text().splitlines() == (expected[:2] if failing else expected)
    assert (done.returncode != 0) is (failing is not None)
