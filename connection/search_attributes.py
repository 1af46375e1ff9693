"""The search attributes of a case, registered with a server; `domain/tracing.py` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.tracing import SEARCH_ATTRIBUTES, Kind

if TYPE_CHECKING:
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.client import Client


async def register(client: Client, attributes: Mapping[str, Kind] = SEARCH_ATTRIBUTES) -> None:
    """Make the server of `client` know `attributes` in the client's namespace; what is there already stays.

    Safe to repeat and to run from two processes at once. Raises `ValueError` when an attribute exists with
    another kind (Temporal can't change a kind), and `RPCError` as the server gives it.
    """
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
    from temporalio.service import RPCError, RPCStatusCode

    for attempt in range(5):
        missing = await _missing(client, attributes)
        if not missing:
            return
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError as error:
            # Another process was quicker with one of them, and the server refuses the batch whole.
            if error.status != RPCStatusCode.ALREADY_EXISTS or attempt == 4:
                raise
        else:
            return


async def missing(client: Client, attributes: Mapping[str, Kind] = SEARCH_ATTRIBUTES) -> frozenset[str]:
    """Names of `attributes` the server does not know yet. Raises as `register` does."""
    return frozenset(await _missing(client, attributes))


async def _missing(client: Client, attributes: Mapping[str, Kind]) -> dict[str, IndexedValueType.ValueType]:
    """Name → Temporal's number of the kind, for those the server does not know yet."""
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

    numbers = {
        "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    }
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    for name, kind in attributes.items():
        if name in known and known[name] != numbers[kind]:
            there = IndexedValueType.Name(known[name])
            raise ValueError(f"search attribute {name} exists as {there}, not as {kind}")
    return {name: numbers[kind] for name, kind in attributes.items() if name not in known}
