"""The kinds of fields in files people hand in: text, dates, amounts, areas, credit codes, document paths.

Each is an annotated type for a pydantic model. Their errors are plain sentences that never hold the value, so
that nothing personal is echoed (`plain_problems`). Shapes are those of `design/files.md`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError, ValidationInfo
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength
from stdnum.exceptions import ValidationError as StdnumError

from domain.money import parse_cny
from domain.refusals import Problem

NAME_LENGTH = 100
LINE_LENGTH = 200
TEXT_LENGTH = 2000
PATH_LENGTH = 400
CODE_LENGTH = 60
CREDIT_CODE_LENGTH = 18

_LARGEST_COUNT = 10**6
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AREA = re.compile(r"(-?)[0-9]{1,9}(\.[0-9]{1,6})?")
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&*+/=?^_`{|}~-]+", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# What mail servers take without an extension (RFC 5321, RFC 5322): anything else would get no letter.
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@)(?=.{{3,254}}\Z){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_PHONE = re.compile(r"\+?[0-9]([0-9 ()-]*[0-9])?")
_MOBILE = re.compile(r"1[3-9][0-9]*")
_MOBILE_DIGITS = 11
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_EMOJI = (
    (0x203C, 0x203C), (0x2049, 0x2049), (0x20E3, 0x20E3), (0x231A, 0x23FF), (0x25FB, 0x27BF), (0x2934, 0x2935),
    (0x2B00, 0x2BFF), (0xFE0F, 0xFE0F), (0x1F000, 0x1FBFF),
)  # fmt: skip
_JOINERS = frozenset("\u200c\u200d")
_UNSEEN = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
)  # fmt: skip
"""Letters, marks and signs that show nothing, or only choose how the one before is drawn."""
_IDEOGRAPHS = range(0x20000, 0x3FFFE)
"""Planes that are Chinese characters', whether or not this Python's Unicode knows the newest ones of rare names."""
_MANY_MARKS = re.compile(r"M{3}")


# ---------------------------------------------------------------------------------------------- text


def _readable(text: str, limit: int, *, lines: bool = False) -> str:
    """The text without surrounding space; ValueError for what can't be read or stored, or deceives the eye."""
    text = (text.replace("\r\n", "\n") if lines else text).strip()
    if not text:
        raise ValueError("must not be empty")
    if len(text) > limit:
        raise ValueError(f"must not be longer than {limit} characters")
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs" or ord(character) & 0xFFFE == 0xFFFE:
            raise ValueError("holds half a character (a lone surrogate or a code that is no character)")
        if character in "\n\r\u0085\u2028\u2029" and not (lines and character == "\n"):
            raise ValueError("must be on one line")
        if category == "Cc" and not (lines and character in "\n\t"):
            raise ValueError("holds a control character")
        if category == "Cf" and not (lines and character in _JOINERS):
            raise ValueError("holds an invisible or text-direction character")
        if not lines:
            _require_visible(character, category)
    if not lines and _MANY_MARKS.search(
        "".join(unicodedata.category(c)[0] for c in unicodedata.normalize("NFC", text))
    ):
        raise ValueError("holds a letter under a heap of marks")
    if not any(unicodedata.category(c)[0] in "LN" and c not in _BLANK_LETTERS for c in text):
        raise ValueError("needs at least one letter or digit")
    return text


def _require_visible(character: str, category: str) -> None:
    """ValueError for what is not to be told apart by its look: on one line, where names and addresses are."""
    code = ord(character)
    if any(low <= code <= high for low, high in _UNSEEN):
        raise ValueError("holds an invisible or text-direction character")
    if category == "Co" or (category == "Cn" and code not in _IDEOGRAPHS):
        raise ValueError("holds a character that Unicode has not assigned")


def _name(text: str) -> str:
    text = _readable(text, NAME_LENGTH)
    if any(low <= ord(c) <= high for c in text for low, high in _EMOJI):
        raise ValueError("must not hold emoji")
    return text


def _line(text: str) -> str:
    return _readable(text, LINE_LENGTH)


def _text(text: str) -> str:
    return _readable(text, TEXT_LENGTH, lines=True)


def _code(text: str) -> str:
    return _readable(text, CODE_LENGTH)


def _email(text: str) -> str:
    text = _line(text)
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be an email address")
    return text


def _phone(text: str) -> str:
    text = _line(text)
    digits = re.sub(r"[^0-9]", "", text)
    if not _PHONE.fullmatch(text) or not 5 <= len(digits) <= 15:
        raise ValueError("must be a phone number: 5 to 15 digits, with + for another country")
    if _MOBILE.fullmatch(text) and len(digits) != _MOBILE_DIGITS:
        raise ValueError(f"must have {_MOBILE_DIGITS} digits, as mobile numbers have")
    return text


Name = Annotated[str, AfterValidator(_name)]
"""A name on one line, at most 100 characters, no emoji; rare CJK characters are kept as they are."""
Line = Annotated[str, AfterValidator(_line)]
"""Text on one line, at most 200 characters."""
Text = Annotated[str, AfterValidator(_text)]
"""Free text, at most 2000 characters; line breaks allowed."""
Code = Annotated[str, AfterValidator(_code)]
"""A number or version given by somebody else, at most 60 characters."""
Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]


# ------------------------------------------------------------------------------------------- numbers


def _amount(text: str) -> str:
    text = text.strip()
    try:
        fen = parse_cny(text)
    except ValueError:
        raise ValueError(
            'must be an amount in CNY with at most two decimals, more than zero, as text: "500000.00"'
        ) from None
    if fen <= 0:
        raise ValueError("must be more than zero")
    return text


def _area(text: str) -> str:
    text = text.strip()
    shape = _AREA.fullmatch(text)
    if shape is None:
        raise ValueError('must be an area in square metres, as text and without a unit: "860.5"')
    if shape[1] and Decimal(text) != 0:
        raise ValueError("must not be below zero")
    return text.removeprefix("-")


def _count(number: int) -> int:
    if number < 0:
        raise ValueError("must not be below zero")
    if number > _LARGEST_COUNT:
        raise ValueError("is too large to be a count")
    return number


Amount = Annotated[str, AfterValidator(_amount)]
"""CNY as text with at most two decimals, more than zero: `parse_cny` gives its fen."""
Area = Annotated[str, AfterValidator(_area)]
"""Square metres as text, not below zero: `Decimal(area)`."""
Count = Annotated[int, AfterValidator(_count)]
"""A whole number, not below zero. 12.0, "ten" and true are none."""


# --------------------------------------------------------------------------------------------- dates


def _date(value: object) -> object:
    """A date, or its ISO text. None passes (whether it may be null is the field's to say)."""
    if value is None or type(value) is date:
        return value
    if isinstance(value, str) and not isinstance(value, datetime) and _ISO_DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("is not a date of the calendar") from None
    raise ValueError("must be a date without a time, written 2026-01-05")


def _not_in_future(day: date, info: ValidationInfo) -> date:
    if info.context is not None and day > info.context["today"]:
        raise ValueError("is in the future")
    return day


AnyDate = Annotated[date, BeforeValidator(_date)]
"""A Shanghai date: ISO text or a date; a datetime is refused."""
PastDate = Annotated[date, BeforeValidator(_date), AfterValidator(_not_in_future)]
"""A Shanghai date that is not after `today` of the validation's context."""


# --------------------------------------------------------------------------- credit codes, documents


def _credit_code(text: str) -> str:
    text = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    try:
        return uscc.validate(text)
    except InvalidLength:
        raise ValueError(f"must have {CREDIT_CODE_LENGTH} characters (统一社会信用代码, GB 32100)") from None
    except InvalidChecksum:
        raise ValueError("has a wrong check character: compare it with the business licence") from None
    except StdnumError:
        raise ValueError("holds characters a credit code can't have: digits and capitals but I O Z S V") from None


def _digits_as_text(value: object) -> object:
    """A code of digits only is a number to YAML when it is written without quotes, as in the contract."""
    return str(value) if type(value) is int and 0 < value < 10**CREDIT_CODE_LENGTH else value


def _document(text: str) -> str:
    text = _readable(text, PATH_LENGTH)
    if "\\" in text:
        raise ValueError("must be written with / between folders")
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("must be a relative path inside the file's folder, without ..")
    return str(path)


def _listed(value: object) -> object:
    """Lists become tuples, null an empty one: what needs an entry fails its condition then."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else value


CreditCode = Annotated[str, BeforeValidator(_digits_as_text), AfterValidator(_credit_code)]
"""A unified social credit code, normalised (NFKC, no spaces, capitals) and judged by python-stdnum."""
DocumentPath = Annotated[str, AfterValidator(_document)]
"""A document's path relative to the file, inside its folder, with `/`."""
Listed = BeforeValidator(_listed)
Documents = Annotated[tuple[DocumentPath, ...], Listed]
"""Several documents' paths; null is an empty list."""

_DOCUMENT_FIELDS = frozenset({"evidence", "taxpayer_evidence", "advantage_statement", "entrustment"})


def document_fields(data: object, at: tuple[int | str, ...] = (), *, naming: bool = False) -> Iterator[tuple[str, str]]:
    """(field path, document path) for every document named anywhere in what was handed in, valid or not."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from document_fields(value, (*at, str(key)), naming=key in _DOCUMENT_FIELDS)
    elif isinstance(data, list | tuple):
        for index, item in enumerate(data):
            yield from document_fields(item, (*at, index), naming=naming)
    elif naming and isinstance(data, str):
        yield dotted(at), data


# ------------------------------------------------------------------------------------------ problems


def plain_problems(error: ValidationError) -> tuple[Problem, ...]:
    """Pydantic's errors as paths and plain sentences, without its words and without the values."""
    details = error.errors(include_url=False)
    return tuple(Problem(dotted(e["loc"]), _sentence(e["type"], e["input"], e.get("ctx", {}))) for e in details)


def dotted(location: tuple[int | str, ...]) -> str:
    """("cooperation_cases", 0, "evidence") → `cooperation_cases[0].evidence`; a name is cut and made printable."""
    path = ""
    for part in location:
        if part == "[key]":  # pydantic's mark of a mapping's key; its path is the key's
            continue
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            shown = "".join(c if c.isprintable() else "?" for c in part[:CODE_LENGTH])
            path += f".{shown}" if path else shown
    return path


_SENTENCES = {
    "missing": "is missing: every field is written, null where there is nothing",
    "extra_forbidden": "is not a field of this file",
    "invalid_key": "is not a field of this file",
    "string_type": 'must be text: put it in quotes, "…"',
    "string_unicode": "holds half a character (a lone surrogate)",
    "int_type": "must be a whole number, without quotes",
    "int_parsing_size": "is too large to be a count",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "tuple_type": "must be a list",
}


def _sentence(kind: str, value: object, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    if value is None and kind not in ("missing", "extra_forbidden"):
        return "must not be null"
    if kind == "literal_error":
        return f"must be one of: {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    return _SENTENCES.get(kind, "can't be used")
