"""Opening a port for an HTTP server of ours."""

from __future__ import annotations

import socket


def listen(host: str, port: int, *, backlog: int = 100) -> socket.socket:
    """A listening socket on HOST:PORT, 0 for any free one; whoever connects before it is served waits. Raises OSError.

    What is written goes out at once: an answer is written in two parts, and the second would wait for the client to
    acknowledge the first, which it does after 40 ms. asyncio sees to that only for sockets it opens itself.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections inherit it
    return listener
