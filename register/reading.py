"""What is in a certificate's PDF. A stranger's is read in a process of its own, with so much time and memory.

A file of a few thousand bytes can be made to take any time to be read and any memory to be unpacked.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from register.proof import ATTACHMENT, NotProven

_MOST = 4 << 20
"""Bytes of a certificate, at most: ours have a hundred thousand."""
_UNPACKED = 4 << 20
"""Bytes of whatever is packed in it."""
_PAGES = 2
_TEXT = 100_000
_RESOURCES = frozenset({"/ProcSet", "/ColorSpace", "/Font", "/ExtGState"})
"""What our pages are made of. Forms, which can hold each other, and pictures are not."""
_SECONDS = 20
_MEMORY = 1 << 30
_BOUNDS: Any = {
    "maximum_declared_stream_length": _UNPACKED,
    "array_based_stream_maximum_output_length": _UNPACKED,
    "zlib_maximum_output_length": _UNPACKED,
    "lzw_maximum_output_length": _UNPACKED,
    "run_length_maximum_output_length": _UNPACKED,
    "brotli_maximum_output_length": _UNPACKED,
    "jbig2_maximum_output_length": _UNPACKED,
    "image_maximum_buffer_size": _UNPACKED,
    "zlib_maximum_recovery_input_length": _UNPACKED,
    "stream_filters_maximum_length": 2,
    "stream_decoding_work_maximum_length": 2 * _UNPACKED,
    "stream_parsing_work_maximum_count": 200_000,
    "array_maximum_element_count": 20_000,
    "dictionary_maximum_element_count": 20_000,
    "page_tree_maximum_entries": 100,
    "page_tree_maximum_depth": 10,
    "page_tree_maximum_page_entries": 1000,
    "xform_maximum_invocations_per_extraction": 0,
    "jbig2dec_binary": None,
}


@dataclass(frozen=True)
class Read:
    """The record attached to a PDF, if one is, and the text of its pages."""

    record: bytes | None
    text: str


def is_pdf(content: bytes) -> bool:
    return content[:1024].lstrip().startswith(b"%PDF-")


def read_here(content: bytes) -> Read:
    """What a PDF has in it. NotProven for one that can't be read, or can't be a certificate."""
    from pypdf import PdfReader, apply_configuration

    if len(content) > _MOST:
        raise NotProven("it is too long for a certificate")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would complain to whoever types the command
    try:
        with apply_configuration(**_BOUNDS):
            reader = PdfReader(io.BytesIO(content))
            files = list(islice(reader.attachment_list, 2))
            pages = list(islice(reader.pages, _PAGES + 1))
            own = len(pages) <= _PAGES and all(
                set(page.get("/Resources", {})) <= _RESOURCES and not page.get("/Annots") for page in pages
            )
            if not own:
                raise NotProven("it has more on its pages than a certificate")
            if len(files) > 1 or any(one.name != ATTACHMENT for one in files):
                raise NotProven("it has more attached than one signed record")
            text = "\n".join(page.extract_text() for page in pages)
            if len(text) > _TEXT:
                raise NotProven("it has more text than a certificate")
            return Read(files[0].content if files else None, text)
    except NotProven:
        raise
    except Exception as error:  # a hostile file fails in as many ways as there are objects in it
        raise NotProven(f"it can't be read as a PDF ({type(error).__name__})") from None


def read_apart(content: bytes) -> Read:
    """The same of a stranger's file, in a process that is ended when it takes too long or too much. NotProven too."""
    if len(content) > _MOST:
        raise NotProven("it is too long for a certificate")
    # -P: nothing of the folder somebody happens to be in is run.
    command = [sys.executable, "-P", "-m", "register.reading"]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotProven("it takes too long to be read as a PDF") from None
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise NotProven("it can't be read as a PDF within bounds") from None
    if "problem" in told:
        raise NotProven(told["problem"])
    return Read(None if told["record"] is None else base64.b64decode(told["record"]), told["text"])


def _told(content: bytes) -> dict[str, Any]:
    """What `read_apart` is told by the process it starts."""
    try:
        found = read_here(content)
    except NotProven as error:
        return {"problem": str(error)}
    record = None if found.record is None else base64.b64encode(found.record).decode()
    return {"record": record, "text": found.text}


def _bounded() -> None:
    with suppress(ImportError, ValueError, OSError):  # where there is none of it, there is the time
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


if __name__ == "__main__":
    _bounded()
    json.dump(_told(sys.stdin.buffer.read()), sys.stdout)
