"""The codec server: it decodes for who has a token, on the pages that may, and tells of each time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

from connection.codec import KeyRing, sealing_converter
from connection.errors import BadConfiguration
from domain.key_set import KeySet
from tests.workers.processes import ROOT
from workers.codec_server import CodecSettings, codec_app
from workers.codec_tokens import main as give_token
from workers.codec_tokens import read_tokens
from workers.settings import read_settings

KEYS = KeyRing(KeySet({"2026-12": bytes(32)}))
UI, OTHER = "https://temporal.example", "https://elsewhere.example"
CASE, SECRET = "base:91330782MA2K7P3R1U:1", "the rooms are a warehouse"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def token(tokens: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert give_token([str(tokens), "wang"]) == 0
    return capsys.readouterr().out.strip()


@pytest.fixture
async def ask(tokens: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(codec_app(KEYS, tokens, frozenset({UI})))
    async with httpx.AsyncClient(transport=transport, base_url="https://codec.example") as client:
        yield client


async def sealed(text: str = SECRET, *, workflow: str = CASE, namespace: str = "default") -> Payload:
    context = WorkflowSerializationContext(namespace, workflow)
    (payload,) = await sealing_converter(KEYS, namespace).with_context(context).encode([text])
    return payload


def body(*payloads: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


def opened(answer: httpx.Response) -> list[Payload]:
    assert answer.status_code == 200, answer.text
    return list(json_format.Parse(answer.text, Payloads()).payloads)


def bearer(token: str, **others: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "x-namespace": "default", **others}


async def test_it_decodes_what_is_sealed_passes_on_what_is_not_and_says_who_asked(
    ask: httpx.AsyncClient, token: str
) -> None:
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b'"search attribute"')
    odd = Payload(metadata={"encoding": b"binary/of-tomorrow"}, data=b"\x00\xff")
    foreign = await sealed(namespace="other")
    unknown = await sealed()
    unknown.metadata["encryption-key-id"] = b"2020"
    conduct = await sealed("x", workflow=f"{CASE}:C1")
    with capture_logs() as logs:
        answer = await ask.post(
            "/decode", content=body(await sealed(), clear, odd, foreign, unknown, conduct), headers=bearer(token)
        )
    first, *same, last = opened(answer)
    assert (json.loads(first.data), first.metadata["encoding"]) == (SECRET, b"json/plain")
    assert same == [clear, odd, foreign, unknown]
    assert last.data == b'"x"'
    assert answer.headers["cache-control"] == "no-store"
    (line,) = logs
    assert line == {
        "event": "payloads decoded",
        "log_level": "info",
        "who": "wang",
        "namespace": "default",
        "payloads": 4,
        "refused": 2,
        "workflow_id": [CASE, f"{CASE}:C1"],
    }
    assert [one.data for one in opened(await ask.post("/default/decode", content=body(await sealed()),
            headers={"authorization": f"bearer {token}"}))] == [f'"{SECRET}"'.encode()]  # fmt: skip


async def test_without_a_token_or_with_another_s_nothing_is_decoded(
    ask: httpx.AsyncClient, token: str, tokens: Path
) -> None:
    content = body(await sealed())
    for headers in (
        {},
        {"authorization": token},
        {"authorization": f"Basic {token}"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {token}x"},
        {"authorization": f"Bearer {token[:-1]}"},
        {"authorization": "Bearer \u00e9"},
        {"authorization": f"Bearer {tokens.read_text().split()[1]}"},
    ):
        raw = {name: value.encode() for name, value in ({"x-namespace": "default"} | headers).items()}
        answer = await ask.post("/decode", content=content, headers=raw)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), headers
        assert SECRET not in answer.text
    assert (await ask.post("/decode", content=content, headers=bearer(token))).status_code == 200
    tokens.write_text("")
    assert (await ask.post("/decode", content=content, headers=bearer(token))).status_code == 401, "taken back at once"
    tokens.chmod(0o644)
    assert (await ask.post("/decode", content=content, headers=bearer(token))).status_code == 503


@pytest.mark.parametrize(("origin", "with_token"), [(UI, True), (UI, False), (OTHER, True), (OTHER, False)])
async def test_a_page_s_script_may_ask_when_it_is_temporal_web_s(
    ask: httpx.AsyncClient, token: str, origin: str, with_token: bool
) -> None:
    wanted = "content-type,x-namespace,authorization,authorization-extras"
    before = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": wanted}
    allowed = await ask.options("/decode", headers=before)
    assert allowed.status_code == (200 if origin == UI else 400)
    headers = bearer(token, origin=origin) if with_token else {"x-namespace": "default", "origin": origin}
    answer = await ask.post("/decode", content=body(await sealed()), headers=headers)
    if origin == OTHER:
        assert answer.status_code == 403
        assert not any("access-control-allow-origin" in one.headers for one in (answer, allowed))
        return
    assert answer.status_code == (200 if with_token else 401)
    for one in (allowed, answer):  # on what is refused as well
        assert one.headers["access-control-allow-origin"] == UI
        assert one.headers["access-control-allow-credentials"] == "true"


async def test_a_browser_signs_in_and_temporal_web_may_ask_then(ask: httpx.AsyncClient, token: str) -> None:
    assert 'type="password"' in (await ask.get("/sign-in")).text
    assert (await ask.post("/sign-in", data={"token": "guessed"})).status_code == 401
    given = await ask.post("/sign-in", data={"token": token})
    cookie = given.headers["set-cookie"]
    for part in ("HttpOnly", "Path=/decode", "SameSite=strict", "Secure"):
        assert part in cookie
    headers = {"x-namespace": "default", "origin": UI}
    answer = await ask.post("/decode", content=body(await sealed()), headers=headers)
    assert [one.data for one in opened(answer)] == [f'"{SECRET}"'.encode()]
    elsewhere = await ask.post("/decode", content=body(await sealed()), headers=headers | {"origin": OTHER})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"no json", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (b'{"payloads": 7}', 400),
        (b'{"payloads": [7]}', 400),
        (b'{"payloads": [{"metadata": {"encoding": 1}}]}', 400),
        (b'{"payloads": [{"data": "not base64!"}]}', 400),
        (b"[" * 100_000, 400),
        (b'{"payloads":' * 100_000, 400),
        (b'{"payloads": ' + b"9" * 10_000 + b"}", 400),
        (b"x" * (8 * 1024 * 1024 + 1), 413),
    ],
    ids=lambda given: repr(given)[:30],
)
async def test_a_hostile_body_is_refused(ask: httpx.AsyncClient, token: str, content: bytes, status: int) -> None:
    answer = await ask.post("/decode", content=content, headers=bearer(token, origin=UI))
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == UI


async def test_it_decodes_only(ask: httpx.AsyncClient, token: str) -> None:
    content = body(await sealed())
    assert (await ask.post("/encode", content=content, headers=bearer(token))).status_code == 404
    assert (await ask.post("/download", content=content, headers=bearer(token))).status_code == 404
    assert (await ask.get("/decode", headers=bearer(token))).status_code == 405
    nameless = {"authorization": f"Bearer {token}"}
    assert (await ask.post("/decode", content=content, headers=nameless)).status_code == 400
    assert opened(await ask.post("/decode", content="{}", headers=bearer(token))) == []


def test_tokens_are_kept_as_hashes_alone(tokens: Path, token: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert token not in tokens.read_text() and len(token) >= 32
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert give_token([str(tokens), "li"]) == 0
    assert list(read_tokens(tokens)) == ["wang", "li"]
    assert give_token([str(tokens), "zhao qian"]) == 2 and "A name has" in capsys.readouterr().err
    tokens.write_text("wang\nli sha256:" + "0" * 64 + "\nsun plain-token\n")
    with pytest.raises(BadConfiguration, match="1, 3"):
        read_tokens(tokens)


@pytest.mark.parametrize("origins", ["*", "temporal.example", "https://temporal.example/", "https://*/path", "null"])
def test_an_origin_is_written_out(tokens: Path, origins: str) -> None:
    with pytest.raises(BadConfiguration, match="LIVEBASE_CODEC_ORIGINS"):
        read_settings(CodecSettings, codec_tokens=tokens, codec_origins=origins)


def test_it_does_not_start_without_keys_or_tokens(tmp_path: Path, tokens: Path, token: str) -> None:
    def ended(**settings: Any) -> str:
        command = [sys.executable, "-m", "workers.codec_server"]
        done = subprocess.run(command, env=settings, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        return done.stderr

    assert "LIVEBASE_CODEC_TOKENS: Field required" in ended()
    assert "LIVEBASE_PAYLOAD_KEYS is not set" in ended(LIVEBASE_CODEC_TOKENS=str(tokens))
