"""So many lookups of one address a minute: who wants everything takes the whole list, which is one request.

And so many complaints a day.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

_MOST = 50_000
"""Addresses remembered; the one not heard of for longest is forgotten first."""


class Limit:
    """A bucket for each address: full at first, emptied by what it asks, filled by time. `now` is a clock's seconds."""

    def __init__(self, most: int, seconds: int = 60) -> None:
        """`most` in so many `seconds`; 0 is no limit."""
        self._most = most
        self._seconds = seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, client: str, now: float, cost: int = 1) -> int:
        """0 lets it pass; anything else is when to come again. `cost`: as so many lookups it counts."""
        if not self._most:
            return 0
        left, at = self._left.pop(client, (float(self._most), now))
        left = min(float(self._most), left + (now - at) * self._most / self._seconds)
        cost = min(cost, self._most)
        passes = left >= cost
        self._left[client] = (left - cost if passes else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return 0 if passes else max(1, math.ceil((cost - left) * self._seconds / self._most))


class Clients:
    """Whose request it is: what is connected, or, of a proxy that is believed, whom it names last."""

    def __init__(self, proxies: str) -> None:
        self._proxies = [ip_network(one) for one in proxies.split()]

    def of(self, connected: str, forwarded: str) -> str:
        """The address to count by: an IPv6 one by its /64, which is one customer's."""
        names = [connected, *reversed([one.strip() for one in forwarded.split(",")[-20:]])]
        for name in names:
            try:
                address = ip_address(name)
            except ValueError:
                return connected
            if not any(address in network for network in self._proxies):
                break
        else:
            return connected
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ip_network((address, 64), strict=False))
        return str(address)
