"""Payloads sealed with AES-256-GCM, as Temporal's samples write them, each bound to its workflow.

On the wire: metadata `encoding: binary/encrypted`, `encryption-key-id`, `workflow-id`; data = 12 bytes of nonce and the
ciphertext of the payload as protobuf. Its associated data is `namespace|workflow id|key id`: a payload moved to another
workflow or namespace, or changed, opens nowhere. The id is in the metadata, in clear, because Temporal Web and the
`temporal` command line ask a codec server without it; it is opaque and stands beside every history anyway. Where the
SDK tells which workflow it reads for, the metadata must name that one. Bound to a workflow are:

- its input (also of a term, from the term before), its result, summary and current details;
- an update, query or signal to it, from a client, with a start, or from another workflow, and the answer;
- its activities' inputs, results, heartbeats and summaries; a failure's message, stack trace and details;
- with what a schedule starts, the time the server puts behind the id does not count: the schedule's input is written
  without, and each run is left the result of the one before.

Two payloads of one workflow can be exchanged for each other. In clear stay, as Temporal is made: ids; the names of
workflows, updates, activities and signals; search attributes; the lengths of timers; a failure's type (a refusal's
kind); what the SDK's core notes of local activities and patches for itself. A signal without an argument
(`case_changed`) has no payload, so whoever may signal may send it: the case reads its record again, and that is all.
Nothing else is taken in clear. What belongs to no workflow (a schedule's memo, an activity alone) can't be bound and
is not sealed but refused: nothing here has any.

A refused payload fails where its value is wanted, not before: an update is rejected, a query fails, a signal is dropped
(and logged), and what a workflow itself waits for fails its task, which is tried again. Refused at once it would stop
the case it was sent to for as long as it is there. A payload whose key is not known here does fail the whole task,
which is tried again: the case waits for the key, and loses nothing.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio import converter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter

from connection.errors import KeyUnknown, PayloadRefused
from domain.key_set import KeySet

ENCODING = b"binary/encrypted"
_REFUSED = "binary/refused"
_NONCE = 12
_LOOK_AGAIN = 1.0
"""Seconds before the keys are read again for a key that is not known."""
_SCHEDULED_AT = re.compile(r"-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z")


class KeyRing:
    """The keys of a process. `again` reads them anew: a key put before them meanwhile is found when it is met."""

    def __init__(self, keys: KeySet, again: Callable[[], KeySet | None] | None = None) -> None:
        self._keys = keys
        self._again = again
        self._looked = time.monotonic()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys.keys)

    @property
    def newest(self) -> tuple[str, AESGCM]:
        return self._keys.newest, AESGCM(self._keys.keys[self._keys.newest])

    def key(self, id: str) -> AESGCM:
        """Raises KeyUnknown."""
        if id not in self._keys.keys and self._again is not None and time.monotonic() - self._looked > _LOOK_AGAIN:
            self._looked = time.monotonic()
            self._keys = self._again() or self._keys
        if id not in self._keys.keys:
            raise KeyUnknown(f"The payload was sealed with key {id[:64]!r}, which is not among the keys here.")
        return AESGCM(self._keys.keys[id])


class PayloadCodec(converter.PayloadCodec, converter.WithSerializationContext):
    """Seals and opens a namespace's payloads; `workflow` is the one the SDK works for, None when it does not tell."""

    def __init__(self, ring: KeyRing, namespace: str, workflow: str | None = None) -> None:
        self.ring = ring
        self._namespace = namespace
        self._workflow = workflow

    def with_context(self, context: converter.SerializationContext) -> PayloadCodec:
        if isinstance(context, (converter.WorkflowSerializationContext, converter.ActivitySerializationContext)):
            return PayloadCodec(self.ring, context.namespace, context.workflow_id)
        return PayloadCodec(self.ring, self._namespace)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal with the newest key. ValueError for what belongs to no workflow."""
        if not self._workflow:
            raise ValueError("A payload that belongs to no workflow can't be bound to one, and is not sent.")
        workflow = _bound(self._workflow)
        id, key = self.ring.newest
        sealed = []
        for payload in payloads:
            nonce = os.urandom(_NONCE)
            data = nonce + key.encrypt(nonce, payload.SerializeToString(), _associated(self._namespace, workflow, id))
            metadata = {"encoding": ENCODING, "encryption-key-id": id.encode(), "workflow-id": workflow.encode()}
            sealed.append(Payload(metadata=metadata, data=data))
        return sealed

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open; what is refused stays as a payload that no value can be made of. Raises KeyUnknown."""
        opened = []
        for payload in payloads:
            try:
                opened.append(self.opened(payload))
            except PayloadRefused as refused:
                opened.append(Payload(metadata={"encoding": _REFUSED.encode()}, data=str(refused).encode()))
        return opened

    def opened(self, payload: Payload) -> Payload:
        """One payload. Raises PayloadRefused, KeyUnknown."""
        if payload.metadata.get("encoding") != ENCODING:
            raise PayloadRefused("A payload that is not encrypted is refused.")
        workflow, id = _text(payload, "workflow-id"), _text(payload, "encryption-key-id")
        if self._workflow and workflow != _bound(self._workflow):
            raise PayloadRefused("A payload of another workflow is refused.")
        nonce, sealed = payload.data[:_NONCE], payload.data[_NONCE:]
        try:
            clear = self.ring.key(id).decrypt(nonce, sealed, _associated(self._namespace, workflow, id))
        except (InvalidTag, ValueError):
            raise PayloadRefused(f"A payload that key {id[:64]!r} did not seal for this workflow is refused.") from None
        return Payload.FromString(clear)


def sealing_converter(ring: KeyRing, namespace: str) -> converter.DataConverter:
    """Pydantic JSON, sealed; and failures whose message and stack trace are sealed with the rest."""
    return replace(
        pydantic_data_converter,
        payload_converter_class=_Payloads,
        payload_codec=PayloadCodec(ring, namespace),
        failure_converter_class=converter.DefaultFailureConverterWithEncodedAttributes,
    )


def key_of(payload: Payload) -> str | None:
    """The id of the key a payload is sealed with; None for one in clear."""
    return _text(payload, "encryption-key-id") if payload.metadata.get("encoding") == ENCODING else None


def workflow_of(payload: Payload) -> str:
    """The workflow a sealed payload says it is bound to."""
    return _text(payload, "workflow-id")


class _Refusals(converter.EncodingPayloadConverter):
    @property
    def encoding(self) -> str:
        return _REFUSED

    def to_payload(self, value: Any) -> Payload | None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        raise PayloadRefused(payload.data.decode())


class _Payloads(converter.CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(*PydanticPayloadConverter().converters.values(), _Refusals())


def _bound(workflow: str) -> str:
    """The id a payload is bound to: a schedule's runs are one, since each is left the result of the one before."""
    return _SCHEDULED_AT.sub("", workflow)


def _associated(namespace: str, workflow: str, key: str) -> bytes:
    """Without a doubt where one ends: neither a namespace nor a key's id has a bar in it."""
    return f"{namespace}|{workflow}|{key}".encode()


def _text(payload: Payload, name: str) -> str:
    return payload.metadata.get(name, b"").decode("utf-8", "replace")
