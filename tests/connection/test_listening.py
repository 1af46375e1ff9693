"""Ports that are opened here: what is written goes out at once."""

from __future__ import annotations

import socket

import pytest

from connection.listening import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_in_two_parts_does_not_wait_for_the_client(host: str) -> None:
    with listen(host, 0) as listener, socket.create_connection((host, listener.getsockname()[1])) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "acknowledged after 40 ms else"
            accepted.sendall(b"head")
            accepted.sendall(b"body")
            accepted.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read() == b"headbody"


def test_a_port_that_is_taken_is_an_error() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])
