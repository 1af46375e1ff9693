"""`python -m workers.rewrap`: after it the newest key is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from connection.key_file import write_keys
from domain.key_set import KeySet
from store.documents import OFFICE, DocumentStore
from workers import rewrap

OLD = KeySet({"2026": bytes(32)})
BOTH = KeySet({"2027": bytes(range(32)), **OLD.keys})
NEW = KeySet({"2027": bytes(range(32))})


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "keys.json"
    monkeypatch.setenv("LIVEBASE_DOCUMENTS", str(tmp_path / "documents"))
    monkeypatch.setenv("LIVEBASE_DOCUMENT_KEYS", str(file))
    return file


def test_every_key_is_wrapped_by_the_newest(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = [
        DocumentStore(tmp_path / "documents", OLD).of(owner).put(b"x") for owner in ("base:A:1", "base:B:1", OFFICE)
    ]
    write_keys(keys, BOTH)
    for wrapped in (3, 0):
        assert rewrap.main() == 0
        assert capsys.readouterr().out.startswith(f"{wrapped} keys wrapped anew by 2027.")
    new = DocumentStore(tmp_path / "documents", NEW)
    assert [new.of(owner).get(kept[0]) for owner in ("base:A:1", "base:B:1", OFFICE)] == [b"x"] * 3


def test_a_key_that_lacks_is_named(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    DocumentStore(tmp_path / "documents", OLD).of("base:A:1").put(b"x")
    write_keys(keys, NEW)
    assert rewrap.main() == 1
    assert "the documents of base:A:1 need the key 2026" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "", '{"keys": []}'])
def test_without_keys_nothing_is_touched(keys: Path, text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        keys.touch(0o600)
        keys.write_text(text)
    assert rewrap.main() == 6
    assert str(keys) in capsys.readouterr().err
