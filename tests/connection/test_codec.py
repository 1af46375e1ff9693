"""Sealed payloads: whom they open for, and all they are refused for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import ActivitySerializationContext, DataConverter, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from connection.codec import (
    ENCODING,
    KeyRing,
    PayloadCodec,
    key_of,
    sealing_converter,
    workflow_of,
)
from connection.errors import BadConfiguration, KeyUnknown, PayloadRefused
from connection.payload_keys import VARIABLE, key_ring, payload_keys
from domain.commands import Actor, AddNote
from domain.key_set import KeySet, written_key_set
from domain.stages import Role
from workflows.messages import refusal_error, refusal_from

OLD, NEW = KeySet({"2026-11": bytes(32)}), KeySet({"2026-12": bytes(range(32)), "2026-11": bytes(32)})
CASE, OTHER = "base:91330782MA2K7P3R1U:1", "certification:91330782MA2K7P3R1U:2"
SECRET = "义乌北苑的秘密"


def reading(workflow: str | None = CASE, *, keys: KeySet = OLD, namespace: str = "default") -> DataConverter:
    converter = sealing_converter(KeyRing(keys), namespace)
    return converter if workflow is None else converter.with_context(WorkflowSerializationContext(namespace, workflow))


async def sealed(converter: DataConverter | None = None) -> Payload:
    (payload,) = await (converter or reading()).encode([SECRET])
    return payload


def changed(payload: Payload, **metadata: str) -> Payload:
    other = Payload()
    other.CopyFrom(payload)
    for name, value in metadata.items():
        other.metadata[name.replace("_", "-")] = value.encode()
    return other


async def test_what_is_sealed_for_a_workflow_is_read_in_it_and_by_a_codec_server() -> None:
    command = AddNote(request_id="r", workflow_id=CASE, actor=Actor(role=Role.OPERATOR, name="sun"), text=SECRET)
    payloads = await reading().encode([command, None, SECRET])
    for payload in payloads:
        assert SECRET.encode() not in payload.SerializeToString()
        assert dict(payload.metadata) == {
            "encoding": ENCODING,
            "encryption-key-id": b"2026-11",
            "workflow-id": CASE.encode(),
        }
        assert (key_of(payload), workflow_of(payload)) == ("2026-11", CASE)
    hints: Any = [AddNote, type(None), str]
    assert await reading().decode(payloads, hints) == [command, None, SECRET]
    assert await reading(None).decode(payloads, hints) == [command, None, SECRET], "without a context"
    assert payloads[2].data != (await sealed()).data, "a nonce of its own"


async def test_an_activity_s_payloads_are_its_workflow_s() -> None:
    activity = ActivitySerializationContext("default", "1", "approve", "livebase", CASE, "Certification", False)
    converter = reading(None).with_context(activity)
    assert await converter.decode([await sealed()]) == [SECRET]
    assert await reading().decode([await sealed(converter)]) == [SECRET]
    with pytest.raises(PayloadRefused):
        await converter.decode([await sealed(reading(OTHER))])


async def test_what_a_schedule_starts_is_bound_to_the_schedule_s_workflow() -> None:
    """The server puts its time behind the id, and gives each run the result of the one before."""
    first, second = (f"livebase-letters-2026-12-01T0{hour}:00:00Z" for hour in (1, 2))
    assert await reading(first).decode([await sealed(reading("livebase-letters"))]) == [SECRET]
    assert await reading(second).decode([await sealed(reading(first))]) == [SECRET]
    with pytest.raises(PayloadRefused):
        await reading("livebase-seals-2026-12-01T01:00:00Z").decode([await sealed(reading(first))])


async def test_a_payload_moved_changed_or_in_clear_is_refused() -> None:
    payload = await sealed()
    with pytest.raises(PayloadRefused, match="of another workflow"):
        await reading(OTHER).decode([payload])
    moved = changed(payload, workflow_id=OTHER)
    for converter in (reading(OTHER), reading(None)):
        with pytest.raises(PayloadRefused, match="did not seal for this workflow"):
            await converter.decode([moved])
    with pytest.raises(PayloadRefused):
        await reading(namespace="other").decode([payload])
    for place in (0, 11, 12, -1):
        data = bytearray(payload.data)
        data[place] ^= 1
        with pytest.raises(PayloadRefused):
            await reading().decode([Payload(metadata=payload.metadata, data=bytes(data))])
    for data in (b"", payload.data[:12], payload.data[:20]):
        with pytest.raises(PayloadRefused):
            await reading().decode([Payload(metadata=payload.metadata, data=data)])
    with pytest.raises(PayloadRefused):
        await reading(keys=NEW).decode([changed(payload, encryption_key_id="2026-12")])
    with pytest.raises(PayloadRefused):
        await reading().decode([Payload(metadata={"encoding": ENCODING}, data=payload.data)])


@pytest.mark.parametrize("encoding", ["json/plain", "binary/null", "binary/plain", "binary/refused", ""])
async def test_nothing_is_taken_in_clear(encoding: str) -> None:
    (clear,) = DataConverter.default.payload_converter.to_payloads([SECRET])
    with pytest.raises(PayloadRefused, match="not encrypted"):
        await reading().decode([changed(clear, encoding=encoding)])


async def test_a_refused_payload_is_refused_where_its_value_is_wanted() -> None:
    """The other payloads of a task are read; a task that failed for this one would be tried for ever."""
    codec = reading().payload_codec
    assert isinstance(codec, PayloadCodec)
    first, second = await codec.decode([await sealed(), Payload(metadata={"encoding": b"json/plain"}, data=b'"x"')])
    converter = reading().payload_converter
    assert converter.from_payloads([first]) == [SECRET]
    with pytest.raises(PayloadRefused):
        converter.from_payloads([second])


async def test_rotation_and_a_key_that_is_not_known() -> None:
    before, after = await sealed(), await sealed(reading(keys=NEW))
    assert (key_of(before), key_of(after)) == ("2026-11", "2026-12")
    assert await reading(keys=NEW).decode([before, after]) == [SECRET, SECRET]
    with pytest.raises(KeyUnknown, match="2026-12"):
        await reading().decode([after])


async def test_a_key_put_into_the_file_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connection.codec._LOOK_AGAIN", -1)
    file = tmp_path / "keys.json"
    file.touch(0o600)
    file.write_text(written_key_set(OLD))
    ring = key_ring({VARIABLE: str(file)})
    assert ring is not None
    converter = sealing_converter(ring, "default").with_context(WorkflowSerializationContext("default", CASE))
    assert key_of(await sealed(converter)) == "2026-11"
    file.write_text(written_key_set(NEW))
    assert await converter.decode([await sealed(reading(keys=NEW))]) == [SECRET]
    assert key_of(await sealed(converter)) == "2026-12"
    file.unlink()
    with pytest.raises(KeyUnknown):
        await converter.decode([changed(await sealed(), encryption_key_id="another")])
    assert await converter.decode([await sealed(converter)]) == [SECRET], "a file that is gone takes no key away"


async def test_what_belongs_to_no_workflow_is_not_sent() -> None:
    with pytest.raises(ValueError, match="no workflow"):
        await reading(None).encode([SECRET])


async def test_failures_are_sealed_and_a_refusal_is_read_as_one() -> None:
    from domain.refusals import Refusal, RefusalKind

    refusal = Refusal(RefusalKind.ROLE_NOT_GRANTED, SECRET, "Ask somebody.", [("a", "b")])
    failure = Failure()
    await reading().encode_failure(refusal_error(refusal), failure)
    assert SECRET.encode() not in failure.SerializeToString()
    assert failure.message == "Encoded failure"
    clear = Failure()
    clear.CopyFrom(failure)
    read = await reading().decode_failure(failure)
    assert isinstance(read, ApplicationError) and read.message == SECRET
    found = refusal_from(read)
    assert found is not None
    assert (found.kind, found.message, found.hint) == (refusal.kind, SECRET, "Ask somebody.")
    del clear.application_failure_info.details.payloads[:]
    clear.application_failure_info.details.payloads.append(Payload(metadata={"encoding": b"json/plain"}, data=b"{}"))
    with pytest.raises(PayloadRefused):
        await reading().decode_failure(clear)


def test_a_key_file_is_named_or_there_is_none(tmp_path: Path) -> None:
    assert payload_keys({}) is payload_keys({VARIABLE: ""}) is key_ring({}) is None
    file = tmp_path / "keys.json"
    with pytest.raises(BadConfiguration, match=rf"{VARIABLE}: .*can't be read \(No such file"):
        payload_keys({VARIABLE: str(file)})
    file.write_text(written_key_set(NEW))
    for mode in (0o600, 0o400, 0o440, 0o640):
        file.chmod(mode)
        assert payload_keys({VARIABLE: str(file)}) == NEW
    for mode in (0o644, 0o604, 0o660, 0o666, 0o602):
        file.chmod(mode)
        with pytest.raises(BadConfiguration, match="may be read or changed by others"):
            payload_keys({VARIABLE: str(file)})
    file.chmod(0o600)
    file.write_text('{"keys": [{"kty": "oct", "kid": "a", "k": "AA"}, {"kty": "oct"}]}')
    with pytest.raises(BadConfiguration, match=r"key 1 has no k of 32 bytes; key 2 has no kid"):
        payload_keys({VARIABLE: str(file)})
