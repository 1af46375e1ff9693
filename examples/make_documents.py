"""Makes the documents that the example files name: one-line PDFs and a small PNG, always the same bytes.

Run from the project's folder: `python examples/make_documents.py`.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from domain.fields import document_fields
from starter.structured_text import read_structured_file

EXAMPLES = Path(__file__).parent
_WIDTH, _HEIGHT = 64, 48


def pdf(text: str) -> bytes:
    """A PDF of one A4 page with one line of text (ASCII)."""
    content = f"BT /F1 18 Tf 72 760 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, offsets = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, table, size, len(made),
    )  # fmt: skip


def png(text: str) -> bytes:
    """A grey picture, its shade taken from the text."""
    row = b"\x00" + bytes([zlib.crc32(text.encode()) % 256]) * _WIDTH
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(row * _HEIGHT, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def documents() -> dict[Path, bytes]:
    """Path → content of every document that an example file names."""
    made = {}
    for file in sorted(EXAMPLES.glob("*/*.yaml")):
        data, _ = read_structured_file(file)
        for _, name in document_fields(data):
            path = file.parent / name
            text = f"Example {file.parent.name}: {path.stem.replace('-', ' ')}"
            made[path] = png(text) if path.suffix == ".png" else pdf(text)
    return made


if __name__ == "__main__":
    for path, content in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(f"{path.relative_to(EXAMPLES)}  {len(content)} bytes")
