"""What the bank's answers mean: refused for good, not taken, unknown, or nothing a further try can mend."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from activities.bank import BankFailure, HttpBank
from domain.bank import RefundOrder

ORDER = RefundOrder(key="LB-2026-000001-9-R1", payment="B1", amount=500)
REFUSED = json.dumps({"state": "refused", "why": "the account\u202e is\nclosed"}).encode()


class Gateway(BaseHTTPRequestHandler):
    answer: Callable[[Gateway], None]
    seen: list[Any]

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, self.headers["idempotency-key"], self.headers["authorization"], content))
        type(self).answer(self)

    def do_GET(self) -> None:
        type(self).answer(self)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def gateway(
    status: int, content: bytes = b"", *, held: Event | None = None, **headers: str
) -> Iterator[tuple[str, Any]]:
    """A bank's gateway that always answers so; with `held` only once it is set."""

    def answer(request: Gateway) -> None:
        if held is not None:
            held.wait(10)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    seen: list[Any] = []
    handler = type("Answering", (Gateway,), {"answer": answer, "seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def test_an_order_carries_its_key_in_its_address_and_as_a_header() -> None:
    with gateway(200, b'{"state": "paid", "reference": "B-7"}') as (url, seen):
        answer = HttpBank(url, "secret").refund(ORDER)
    assert (answer.state, answer.reference, answer.amount) == ("paid", "B-7", None)
    ((path, key, token, content),) = seen
    assert (path, key, token) == (f"/refunds/{ORDER.key}", ORDER.key, "Bearer secret")
    assert json.loads(content) == {"key": ORDER.key, "payment": "B1", "amount": 500, "currency": "CNY"}


@pytest.mark.parametrize("status", [200, 422])
def test_refused_for_good_is_only_what_the_bank_says_in_words(status: int) -> None:
    with gateway(status, REFUSED) as (url, _):
        answer = HttpBank(url, "").refund(ORDER)
    assert (answer.state, answer.why) == ("refused", "the account  is closed"), "as a line of the record"


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, b"<html>welcome</html>", "unknown"),
        (200, b'{"state": "maybe"}', "unknown"),
        (200, b"[" * 70_000, "unknown"),
        (302, b"", "misdirected"),
        (400, b"", "misdirected"),
        (401, b"", "misdirected"),
        (403, b"", "misdirected"),
        (404, b"", "misdirected"),
        (409, b"", "misdirected"),
        (422, b'{"error": "amount?"}', "misdirected"),
        (422, b'{"state": "paid"}', "misdirected"),
        (408, b"", "unknown"),
        (429, b"", "not_taken"),
        (500, REFUSED, "unknown"),
        (502, b"", "unknown"),
        (503, b"", "not_taken"),
        (504, b"", "unknown"),
    ],
)
def test_anything_else_settles_nothing(status: int, content: bytes, kind: str) -> None:
    with gateway(status, content) as (url, _), pytest.raises(BankFailure) as info:
        HttpBank(url, "").refund(ORDER)
    assert info.value.kind == kind


@pytest.mark.parametrize(("asks", "rest"), [("7", 7), ("86400", 60), ("soon", None), ("-1", None), ("9" * 30, None)])
def test_a_bank_that_asks_for_rest_has_it_within_bounds(asks: str, rest: int | None) -> None:
    with gateway(503, retry_after=asks) as (url, _), pytest.raises(BankFailure) as info:
        HttpBank(url, "").refund(ORDER)
    assert (info.value.rest and info.value.rest.total_seconds()) == rest


def test_nobody_there_has_taken_nothing_and_who_hangs_may_have() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(BankFailure) as info:
        HttpBank(f"http://127.0.0.1:{port}", "").refund(ORDER)
    assert info.value.kind == "not_taken"
    done = Event()
    with gateway(200, b'{"state": "paid"}', held=done) as (url, seen):
        with pytest.raises(BankFailure) as info:
            HttpBank(url, "", httpx.Timeout(0.2)).refund(ORDER)
        assert (info.value.kind, len(seen)) == ("unknown", 1)
        done.set()


def test_another_account_is_in_the_order_and_nowhere_where_it_is_the_paying_one() -> None:
    other = ORDER.model_copy(update={"account": "6222020200012345678", "account_name": "n"})
    with gateway(200, b'{"state": "processing"}') as (url, seen):
        for order in (ORDER, other):
            HttpBank(url, "").refund(order)
    sent = [json.loads(content) for *_, content in seen]
    assert "account" not in sent[0]
    assert (sent[1]["account"], sent[1]["account_name"]) == ("6222020200012345678", "n")
    assert all("6222" not in path and "6222" not in key for path, key, *_ in seen)
