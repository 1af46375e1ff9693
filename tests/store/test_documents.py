"""The document store: the same bytes once, under their hash; what is damaged or missing is said, not returned."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import obstore
import pytest

from domain.key_set import KeySet
from store.documents import (
    OFFICE,
    DocumentDamaged,
    DocumentMissing,
    Documents,
    DocumentsErased,
    DocumentStore,
    KeyUnknown,
)

PDF = b"%PDF-1.4 \x00\xff\xfe floor plan %%EOF"
SHA256 = hashlib.sha256(PDF).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "docs"


CASE, OTHER = "base:91330106MA2CFXYZ0T:1", "base:91330106MA2CFXYZ0T:2"
KEYS = KeySet({"2026": bytes(32)})
NEWER = KeySet({"2027": bytes(range(32)), **KEYS.keys})
AT = datetime(2026, 12, 1, 4, tzinfo=UTC)


@pytest.fixture
def store(folder: Path) -> DocumentStore:
    return DocumentStore(folder, KEYS)


@pytest.fixture
def documents(store: DocumentStore) -> Documents:
    return store.of(CASE)


def files(folder: Path) -> list[Path]:
    """The documents in the folder, without keys."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "key"]


def test_a_document_is_under_its_hash(documents: Documents) -> None:
    assert not documents.has(SHA256)
    assert documents.put(PDF) == SHA256
    assert documents.has(SHA256)
    assert documents.get(SHA256) == PDF


def test_the_same_bytes_are_one_document(documents: Documents, folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "floor plan 平面图.pdf"
    named.write_bytes(PDF)
    assert {documents.put(PDF), documents.put(PDF), documents.put_file(named)} == {SHA256}
    (kept,) = files(folder)
    written = kept.stat().st_mtime_ns
    documents.put(PDF)
    assert kept.stat().st_mtime_ns == written, "it is not even written again"


def test_the_same_bytes_from_many_at_once(documents: Documents, folder: Path) -> None:
    big = PDF * 100_000
    with ThreadPoolExecutor(8) as threads:
        hashes = set(threads.map(documents.put, [big] * 8))
    assert len(hashes) == len(files(folder)) == 1
    assert documents.get(hashes.pop()) == big


def test_one_other_byte_is_another_document(documents: Documents, folder: Path) -> None:
    assert documents.put(PDF) != documents.put(PDF + b"\n")
    assert len(files(folder)) == 2


def test_no_bytes_are_a_document_too(documents: Documents) -> None:
    assert documents.get(documents.put(b"")) == b""


@pytest.mark.parametrize("damage", [PDF[:-1], PDF[:-1] + b"\x00", b"", PDF + b"\n"])
def test_damage_is_found_by_reading(documents: Documents, folder: Path, damage: bytes) -> None:
    documents.put(PDF)
    (kept,) = files(folder)
    kept.write_bytes(damage)
    with pytest.raises(DocumentDamaged) as info:
        documents.get(SHA256)
    assert str(info.value) == f"document {SHA256} was changed in the store"


def test_handing_a_damaged_document_in_again_mends_it(documents: Documents, folder: Path) -> None:
    """As after a power cut that left half of it: whoever has the bytes can send them again."""
    documents.put(PDF)
    (kept,) = files(folder)
    kept.write_bytes(PDF[:10])
    assert documents.put(PDF) == SHA256
    assert documents.get(SHA256) == PDF
    assert files(folder) == [kept]


def test_a_missing_document(documents: Documents) -> None:
    with pytest.raises(DocumentMissing) as info:
        documents.get(SHA256)
    assert str(info.value) == f"no document {SHA256}"


@pytest.mark.parametrize(
    "name",
    ["", "x", "../" * 10 + "etc/passwd", "/etc/passwd", SHA256.upper(), SHA256[:-1], f"{SHA256}0", "0" * 63 + "\n"],
)
def test_what_is_no_hash_names_no_document(documents: Documents, name: str) -> None:
    documents.put(PDF)
    assert not documents.has(name)
    with pytest.raises(DocumentMissing, match="no document"):
        documents.get(name)


@pytest.mark.parametrize("name", ["with spaces", "基地 文件", "100% #1?"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    documents = DocumentStore(tmp_path / name / "documents", KEYS).of(CASE)
    documents.put(PDF)
    assert len(files(tmp_path / name / "documents")) == 1
    assert DocumentStore(str(tmp_path / name / "documents"), KEYS).of(CASE).get(SHA256) == PDF


def test_a_url_opens_the_same_store(documents: Documents, folder: Path) -> None:
    documents.put(PDF)
    assert DocumentStore(folder.as_uri(), KEYS).of(CASE).get(SHA256) == PDF


def test_who_has_the_store_alone_reads_nothing(documents: Documents, folder: Path) -> None:
    documents.put(PDF)
    assert not [path for path in folder.rglob("*") if path.is_file() and b"floor" in path.read_bytes()]
    with pytest.raises(KeyUnknown, match="need the key 2026"):
        DocumentStore(folder, KeySet({"2027": bytes(32)})).of(CASE).get(SHA256)
    with pytest.raises(KeyUnknown, match="is not the one"):
        DocumentStore(folder, KeySet({"2026": bytes(range(32))})).of(CASE).get(SHA256)


def test_each_case_has_a_key_and_documents_of_its_own(store: DocumentStore, folder: Path) -> None:
    store.of(CASE).put(PDF)
    with pytest.raises(DocumentMissing):
        store.of(OTHER).get(SHA256)
    assert not (folder / OTHER.replace(":", ".")).exists(), "reading makes nothing"
    store.of(OTHER).put(PDF)
    assert store.of(CASE).key() != store.of(OTHER).key()
    one, other = files(folder)
    assert one.read_bytes() != other.read_bytes()
    other.write_bytes(one.read_bytes())
    one.write_bytes(b"")
    for case in (CASE, OTHER):
        with pytest.raises(DocumentDamaged):
            store.of(case).get(SHA256)


def test_a_key_moved_to_another_case_opens_nothing(store: DocumentStore, folder: Path) -> None:
    store.of(CASE).put(PDF)
    store.of(OTHER).put(PDF)
    one, other = sorted(folder.rglob("key"))
    other.write_bytes(one.read_bytes())
    with pytest.raises(KeyUnknown, match="is not the one"):
        store.of(OTHER).get(SHA256)


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"kid": "2026"}', b'{"kid": "2026", "key": "?"}'])
def test_a_damaged_key_is_told_and_no_other_made(documents: Documents, folder: Path, damage: bytes) -> None:
    documents.put(PDF)
    (key,) = folder.rglob("key")
    key.write_bytes(damage)
    for act in (lambda: DocumentStore(folder, KEYS).of(CASE).get(SHA256), DocumentStore(folder, KEYS).of(CASE).key):
        with pytest.raises(KeyUnknown):
            act()
    assert key.read_bytes() == damage


@pytest.mark.parametrize("name", ["", "..", "a/b", "base:1\n", "x" * 81, "base.x.1"])
def test_what_names_no_case_has_no_documents(store: DocumentStore, name: str) -> None:
    with pytest.raises(ValueError, match="no case"):
        store.of(name)


def test_the_same_key_from_many_at_once(folder: Path) -> None:
    stores = [DocumentStore(folder, KEYS) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda store: store.of(CASE).key(), stores))) == 1


def test_an_erased_case_is_read_by_nobody(store: DocumentStore, documents: Documents, folder: Path) -> None:
    documents.put(PDF)
    store.of(OTHER).put(PDF)
    kept = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    key = documents.key()
    for _ in range(2):
        documents.erase(AT)
        (left,) = [path for path in (folder / CASE.replace(":", ".")).rglob("*") if path.is_file()]
        assert (left.name, left.read_text()) == ("erased", AT.isoformat())
    for act in (documents.get, lambda sha256: documents.put(PDF), lambda sha256: store.of(CASE).get(sha256)):
        with pytest.raises(DocumentsErased, match=f"of {CASE} were erased on 2026-12-01"):
            act(SHA256)
    assert not documents.has(SHA256)
    assert store.of(OTHER).get(SHA256) == PDF
    assert all(key not in data for data in kept.values()), "a copy of the folder has no key in clear"


def test_an_erasure_wins_over_who_makes_a_key_or_wraps_it_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DocumentStore(folder, NEWER)
    DocumentStore(folder, KEYS).of(CASE).put(PDF)
    real = obstore.put

    def erased_just_before(*given: object, **more: object) -> object:
        monkeypatch.setattr(obstore, "put", real)
        store.of(CASE).erase(AT)
        return real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", erased_just_before)
    with pytest.raises(DocumentsErased):
        store.of(CASE).rewrap()
    monkeypatch.setattr(obstore, "put", erased_just_before)
    (folder / CASE.replace(":", ".") / "erased").unlink()
    with pytest.raises(DocumentsErased):
        store.of(CASE).put(PDF)
    assert not list(folder.rglob("key")) and not files(folder / OTHER)


def test_the_office_is_never_erased(store: DocumentStore) -> None:
    store.of(OFFICE).put(PDF)
    with pytest.raises(ValueError, match="no case"):
        store.of(OFFICE).erase(AT)


def test_keys_are_changed_by_wrapping_the_cases_keys_anew(store: DocumentStore, folder: Path) -> None:
    for owner in (CASE, OTHER, OFFICE):
        store.of(owner).put(PDF)
    store.of(OTHER).erase(AT)
    same = store.pseudonym("王某")
    newer = DocumentStore(folder, NEWER)
    assert newer.of(CASE).get(SHA256) == PDF, "older keys open what they wrapped"
    assert newer.rewrap() == (2, [])
    assert newer.rewrap() == (0, [])
    without = DocumentStore(folder, KeySet({"2027": NEWER.keys["2027"]}))
    assert without.of(CASE).get(SHA256) == without.of(OFFICE).get(SHA256) == PDF
    assert without.pseudonym("王某") == same
    assert {json.loads(path.read_bytes())["kid"] for path in folder.rglob("key")} == {"2027"}


def test_what_stands_in_the_way_of_one_key_stops_no_other(folder: Path) -> None:
    DocumentStore(folder, KEYS).of(CASE).put(PDF)
    other = KeySet({"2025": bytes(range(50, 82))})
    DocumentStore(folder, other).of(OTHER).put(PDF)
    assert DocumentStore(folder, NEWER).rewrap() == (1, [f"the documents of {OTHER} need the key 2025"])


def test_a_key_that_was_left_beside_an_erasure_is_destroyed(documents: Documents, folder: Path) -> None:
    documents.put(PDF)
    (key,) = folder.rglob("key")
    kept = key.read_bytes()
    documents.erase(AT)
    key.write_bytes(kept)
    assert DocumentStore(folder, NEWER).rewrap() == (0, [])
    assert not key.exists()


def test_no_key_is_made_beside_documents_whose_key_is_lost(store: DocumentStore, folder: Path) -> None:
    store.of(CASE).put(PDF)
    (key,) = folder.rglob("key")
    key.unlink()
    with pytest.raises(KeyUnknown, match=f"the key of the documents of {CASE} is missing"):
        store.of(CASE).put(PDF + b"x")
    assert not key.exists()


def test_who_has_other_keys_than_the_workers_makes_none(store: DocumentStore, folder: Path) -> None:
    """Else nobody else could read what was handed over, nor hand it over again."""
    store.of(OFFICE).key()
    with pytest.raises(KeyUnknown, match="the documents of office need the key 2026"):
        DocumentStore(folder, KeySet({"2027": NEWER.keys["2027"]})).of(CASE).put(PDF)
    assert store.of(CASE).put(PDF) == SHA256
    assert DocumentStore(folder, NEWER).of(OTHER).put(PDF) == SHA256, "older keys may be there too"


def test_a_pseudonym_is_one_installation_s(store: DocumentStore, tmp_path: Path) -> None:
    own, other = store.pseudonym("王某"), DocumentStore(tmp_path / "other", KEYS).pseudonym("王某")
    assert own == store.pseudonym("王某") and len(own) == 64
    assert len({own, other, store.pseudonym("王某某"), hashlib.sha256("王某".encode()).hexdigest()}) == 4


def test_what_complaints_are_sealed_to_is_the_case_s_alone_and_goes_with_its_key(folder: Path) -> None:
    store = DocumentStore(folder, KEYS)
    assert store.of(CASE).letterbox() is None, "asking makes no key"
    for case in (CASE, OTHER):
        store.of(case).put(PDF)
    private = store.of(CASE).letterbox()
    assert private is not None and len(private) == 32
    assert private not in (store.of(CASE).key(), store.of(OTHER).letterbox())
    newer = DocumentStore(folder, NEWER)
    newer.rewrap()
    assert newer.of(CASE).letterbox() == private, "another wrapping, the same key"
    store.of(CASE).erase(AT)
    assert newer.of(CASE).letterbox() is None
