"""What a local server is started with: its ports, its configuration files and its command line.

The files are written as JSON, which is YAML too. Paths inside them are relative to the server's folder, where
it runs: an SQLite name is a URI to the server, and a `?` or `%` in a home folder's name would break it.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
DATABASE = "temporal.db"

LOCAL_DYNAMIC_CONFIG: Mapping[str, object] = {
    # The case clock (`connection.clock`). A year of a case is some hundred skips; the default allows 200.
    "frontend.WorkflowTimeSkippingEnabled": True,
    "frontend.WorkflowTimeSkippingMaxSkipPerSession": 1_000_000,
    # A worker that stops hands its open polls back at once, so that no task waits for a poll that is gone.
    "frontend.enableCancelWorkerPollsOnShutdown": True,
    # A timer set for now or for the past fires at once. By default it is put off by up to 1 s, against clocks
    # that differ between hosts: each deadline a case is moved across would take that second.
    "history.timerProcessorMaxTimeShift": "10ms",
    # A search attribute is usable as soon as it is registered.
    "system.forceSearchAttributesCacheRefreshOnRead": True,
}


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1. A `temporal` CLI needs only `frontend` and `web`; it picks the others itself."""

    frontend: int
    web: int
    frontend_membership: int
    frontend_http: int
    history: int
    history_membership: int
    matching: int
    matching_membership: int
    worker: int
    worker_membership: int

    @classmethod
    def pick(cls, *, frontend: int | None = None, web: int | None = None) -> Ports:
        """Ports that are free now, `frontend` and `web` as wished where they are free.

        They lie below the range from which the kernel picks ports for outgoing connections. Inside it, a
        client knocking at a stopped server's port may be given that very port as its own end, is then
        connected to itself, and the restarted server finds its port taken.
        """
        with ExitStack() as held:  # held together, so that no port is picked twice
            return cls(
                frontend=_free_port(held, frontend),
                web=_free_port(held, web),
                frontend_membership=_free_port(held),
                frontend_http=_free_port(held),
                history=_free_port(held),
                history_membership=_free_port(held),
                matching=_free_port(held),
                matching_membership=_free_port(held),
                worker=_free_port(held),
                worker_membership=_free_port(held),
            )

    @classmethod
    def recall(cls, folder: Path) -> Ports | None:
        """The ports this folder's server had last time, if all are free: its addresses then stay the same."""
        try:
            ports = cls(**json.loads((folder / "ports.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return ports if all(is_free(port) for port in asdict(ports).values()) else None

    def remember(self, folder: Path) -> None:
        (folder / "ports.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with ExitStack() as held:
        return _hold(held, port)


def answers(port: int) -> bool:
    """Whether something listens on the port. Blocks for at most a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        caller.settimeout(1)
        return caller.connect_ex((HOST, port)) == 0


def _free_port(held: ExitStack, wished: int | None = None) -> int:
    candidates = [wished] if wished else []
    candidates += random.sample(range(20_000, 32_000), 200)
    for port in candidates:
        if _hold(held, port):
            return port
    raise OSError("no free TCP port between 20000 and 32000")


def _hold(held: ExitStack, port: int) -> bool:
    """Bind the port until `held` closes, the way a Go server binds it. False when it is taken."""
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # left-over TIME_WAIT is no obstacle
    try:
        listener.bind((HOST, port))
        listener.listen(1)
    except OSError:
        return False
    return True


def write_server_files(
    folder: Path, ports: Ports, *, persistence: Mapping[str, object], dynamic_config: Mapping[str, object]
) -> None:
    """Write `server.yaml` and `dynamic.yaml` for `cmd/server` into `folder`; `persistence` as in `server.yaml`."""
    dynamic = {key: [{"value": value}] for key, value in dynamic_config.items()}
    _write(folder / "dynamic.yaml", dynamic)
    _write(folder / "server.yaml", _server_config(ports, persistence))


def on_sqlite(*, in_memory: bool) -> dict[str, object]:
    """Everything in one SQLite database: the server's own file, or none."""
    database: dict[str, object] = {
        "pluginName": "sqlite",
        "connectAddr": "localhost",
        "connectProtocol": "tcp",
        "maxConns": 1,
        "maxIdleConns": 1,
        # No maxConnLifetime: in memory, the data goes with its connection.
    }
    if in_memory:
        database |= {"databaseName": "default", "connectAttributes": {"mode": "memory", "cache": "private"}}
    else:
        attributes: dict[str, object] = {
            "cache": "private",
            "setup": "true",
            "journal_mode": "wal",
            "synchronous": "2",
        }
        database |= {"databaseName": DATABASE, "connectAttributes": attributes}
    return {
        "defaultStore": "sqlite",
        "visibilityStore": "sqlite",
        "numHistoryShards": 1,
        "datastores": {"sqlite": {"sql": database}},
    }


def _server_config(ports: Ports, persistence: Mapping[str, object]) -> dict[str, object]:
    address, http_address = f"{HOST}:{ports.frontend}", f"{HOST}:{ports.frontend_http}"
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": persistence,
        "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": HOST}},
        "services": {
            "frontend": _service(ports.frontend, ports.frontend_membership, http=ports.frontend_http),
            "history": _service(ports.history, ports.history_membership),
            "matching": _service(ports.matching, ports.matching_membership),
            "worker": _service(ports.worker, ports.worker_membership),
        },
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {
                "active": {
                    "enabled": True,
                    "initialFailoverVersion": 1,
                    "rpcName": "frontend",
                    "rpcAddress": address,
                    "httpAddress": http_address,
                }
            },
        },
        "dcRedirectionPolicy": {"policy": "noop"},
        "archival": {"history": {"state": "disabled"}, "visibility": {"state": "disabled"}},
        "publicClient": {"hostPort": address},
        "dynamicConfigClient": {"filepath": "dynamic.yaml", "pollInterval": "10s"},
    }


def _service(grpc: int, membership: int, http: int | None = None) -> dict[str, object]:
    rpc: dict[str, object] = {"grpcPort": grpc, "membershipPort": membership, "bindOnIP": HOST}
    return {"rpc": rpc | ({"httpPort": http} if http else {})}


def built_server_command(server: Path) -> list[str]:
    return [str(server), "--config-file", "server.yaml", "--allow-no-auth", "start"]


def write_web_files(folder: Path, ports: Ports, *, namespace: str) -> None:
    """Write `web/local.yaml` for Temporal Web into `folder`."""
    config = {
        "temporalGrpcAddress": f"{HOST}:{ports.frontend}",
        "host": HOST,
        "port": ports.web,
        "enableUi": True,
        "defaultNamespace": namespace,
        "disableNewsFetch": True,  # nothing here calls out by itself
        "cors": {
            "cookieInsecure": True,
            "allowOrigins": [f"http://{HOST}:{ports.web}", f"http://localhost:{ports.web}"],
        },
    }
    (folder / "web").mkdir(exist_ok=True)
    _write(folder / "web" / "local.yaml", config)


def built_web_command(web: Path) -> list[str]:
    # --root: the program joins the two, and would make an absolute --config relative.
    return [str(web), "--root", "web", "--config", ".", "--env", "local", "start"]


def cli_command(
    cli: Path,
    ports: Ports,
    *,
    in_memory: bool,
    web: bool,
    namespace: str,
    dynamic_config: Mapping[str, object],
) -> list[str]:
    """`temporal server start-dev` with the same settings; server and web in one process."""
    command = [str(cli), "server", "start-dev", "--ip", HOST, "--port", str(ports.frontend)]
    command += ["--http-port", str(ports.frontend_http), "--namespace", namespace]
    command += ["--ui-ip", HOST, "--ui-port", str(ports.web)] if web else ["--headless"]
    if not in_memory:
        command += ["--db-filename", DATABASE]
        command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=2"]
    for key, value in dynamic_config.items():
        command += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
    return command


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
