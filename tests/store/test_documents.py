"""The document store: the same bytes once, under their hash; what is damaged or missing is said, not returned."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.documents import DocumentDamaged, DocumentMissing, DocumentStore

PDF = b"%PDF-1.4 \x00\xff\xfe floor plan %%EOF"
SHA256 = hashlib.sha256(PDF).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "docs"


@pytest.fixture
def documents(folder: Path) -> DocumentStore:
    return DocumentStore(folder)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_document_is_under_its_hash(documents: DocumentStore) -> None:
    assert not documents.has(SHA256)
    assert documents.put(PDF) == SHA256
    assert documents.has(SHA256)
    assert documents.get(SHA256) == PDF


def test_the_same_bytes_are_one_document(documents: DocumentStore, folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "floor plan 平面图.pdf"
    named.write_bytes(PDF)
    assert {documents.put(PDF), documents.put(PDF), documents.put_file(named)} == {SHA256}
    (kept,) = files(folder)
    written = kept.stat().st_mtime_ns
    documents.put(PDF)
    assert kept.stat().st_mtime_ns == written, "it is not even written again"


def test_the_same_bytes_from_many_at_once(documents: DocumentStore, folder: Path) -> None:
    big = PDF * 100_000
    with ThreadPoolExecutor(8) as threads:
        hashes = set(threads.map(documents.put, [big] * 8))
    assert len(hashes) == len(files(folder)) == 1
    assert documents.get(hashes.pop()) == big


def test_a_look_tells_the_size_and_how_it_begins(documents: DocumentStore) -> None:
    long = PDF + b"\n" * 1000
    assert documents.look(documents.put(long)) == (len(long), long[:32])
    assert documents.look(documents.put(b"x")) == (1, b"x")
    assert documents.look(documents.put(b"")) == (0, b"")
    for unknown in (SHA256, "../../etc/passwd"):
        with pytest.raises(DocumentMissing):
            documents.look(unknown)


def test_one_other_byte_is_another_document(documents: DocumentStore, folder: Path) -> None:
    assert documents.put(PDF) != documents.put(PDF + b"\n")
    assert len(files(folder)) == 2


def test_no_bytes_are_a_document_too(documents: DocumentStore) -> None:
    assert documents.get(documents.put(b"")) == b""


@pytest.mark.parametrize("damage", [PDF[:-1], PDF[:-1] + b"\x00", b"", PDF + b"\n"])
def test_damage_is_found_by_reading(documents: DocumentStore, folder: Path, damage: bytes) -> None:
    documents.put(PDF)
    (kept,) = files(folder)
    kept.write_bytes(damage)
    with pytest.raises(DocumentDamaged) as info:
        documents.get(SHA256)
    assert str(info.value) == f"document {SHA256} was changed in the store"


def test_handing_a_damaged_document_in_again_mends_it(documents: DocumentStore, folder: Path) -> None:
    """As after a power cut that left half of it: whoever has the bytes can send them again."""
    documents.put(PDF)
    (kept,) = files(folder)
    kept.write_bytes(PDF[:10])
    assert documents.put(PDF) == SHA256
    assert documents.get(SHA256) == PDF
    assert files(folder) == [kept]


def test_a_missing_document(documents: DocumentStore) -> None:
    with pytest.raises(DocumentMissing) as info:
        documents.get(SHA256)
    assert str(info.value) == f"no document {SHA256}"


@pytest.mark.parametrize(
    "name",
    ["", "x", "../" * 10 + "etc/passwd", "/etc/passwd", SHA256.upper(), SHA256[:-1], f"{SHA256}0", "0" * 63 + "\n"],
)
def test_what_is_no_hash_names_no_document(documents: DocumentStore, name: str) -> None:
    documents.put(PDF)
    assert not documents.has(name)
    with pytest.raises(DocumentMissing, match="no document"):
        documents.get(name)


@pytest.mark.parametrize("name", ["with spaces", "基地 文件", "100% #1?"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    documents = DocumentStore(tmp_path / name / "documents")
    documents.put(PDF)
    assert len(files(tmp_path / name / "documents")) == 1
    assert DocumentStore(str(tmp_path / name / "documents")).get(SHA256) == PDF


def test_a_url_opens_the_same_store(documents: DocumentStore, folder: Path) -> None:
    documents.put(PDF)
    assert DocumentStore(folder.as_uri()).get(SHA256) == PDF
