"""Files of owners → owners with their rights; what is wrong with a row is said without what the row says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from layers.errors import MappingError, SourceError
from layers.ingest.dates import PLAIN, read_date
from layers.ingest.nulls import NULL_WORDS, is_null_word, strip_marks
from layers.ingest.raw import join_chunks
from layers.ingest.readers import open_file
from layers.ingest.text.encodings import choose_encoding, decode_frame
from twin.personal.owners import LandRight, NewOwner
from twin.personal.words import BASES, KINDS
from twin.store_personal import RejectedRow

MOST_ROWS = 2_000_000
FIELDS = (
    "name", "kind", "identity", "phone", "address", "parcel", "map_sheet", "parcel_number", "share", "right_basis",
    "since", "until", "basis", "consented", "keep_until",
)  # fmt: skip
_ALIASES = {
    "name": "ten hoten hovaten tenchu tenchusudung chusudung chusudungdat ownername owner",
    "kind": "loai loaichu doituong loaidoituong",
    "identity": "cccd cmnd socccd socmnd sogiayto cancuoc masothue mst identitynumber idnumber",
    "phone": "sdt sodienthoai dienthoai telephone",
    "address": "diachi diachilienhe diachithuongtru",
    "parcel": "mathua parcelid",
    "map_sheet": "soto sotobando tobando to",
    "parcel_number": "sothua thuaso sothututhua",
    "share": "tyle phan sohuu",
    "right_basis": "giaychungnhan gcn cancuphaply sogcn",
    "since": "tungay ngaycap start",
    "until": "denngay end",
}
_LONGEST = {"name": 200, "phone": 40, "address": 400, "right_basis": 200, "parcel": 200}
_DATES = (*PLAIN, "dmy")
_IDENTITY = re.compile(r"\d{9}|\d{12}|\d{10}(-?\d{3})?|[A-Z]\d{7,8}")


@dataclass(frozen=True, slots=True)
class OwnerMapping:
    """Which column holds which field, and what all rows have in common."""

    columns: Mapping[str, str]
    basis: str = "public-task"
    consented: date | None = None
    keep_until: date | None = None
    encoding: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that could be read: its number, its owner with one right, and where the parcel is named by its numbers."""

    row: int
    owner: NewOwner
    sheet_and_number: tuple[str, str] | None


class _Wrong(Exception):
    """A field that cannot be used, and why; never what it says."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def read_owner_mapping(path: Path | None) -> OwnerMapping:
    """Return what a YAML file says of the columns; without one they are known by their names."""
    if path is None:
        return OwnerMapping({})
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"mapping {path} cannot be read") from error
    known = {"columns", "basis", "consented", "keep_until", "encoding", "table"}
    if not isinstance(document, dict) or not isinstance(document.get("columns", {}), dict):
        raise MappingError(f"mapping {path} is no mapping of columns", hint="columns: {name: Tên chủ, parcel: Mã thửa}")
    if unknown := sorted({*map(str, document)} - known | {*map(str, document.get("columns", {}))} - {*FIELDS, *known}):
        raise MappingError(f"mapping {path} has '{unknown[0]}'", hint=f"known: {', '.join((*FIELDS, *sorted(known)))}")
    basis = str(document.get("basis", "public-task"))
    if basis not in BASES:
        raise MappingError(f"basis '{basis[:40]}' is not known", hint=", ".join(BASES))
    return OwnerMapping(
        {str(field): str(column) for field, column in document.get("columns", {}).items()},
        basis,
        _find_date(document.get("consented"), "consented"),
        _find_date(document.get("keep_until"), "keep_until"),
        document.get("encoding"),
        document.get("table"),
    )


def _find_date(value: Any, name: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    raise MappingError(f"{name} is no date", hint="as in 2036-12-31")


def read_owners(path: Path, mapping: OwnerMapping) -> tuple[list[FoundRow], list[RejectedRow]]:
    """Return the rows of ``path`` that could be read, and those that could not."""
    with open_file(path, table=mapping.table, encoding=mapping.encoding) as opened:
        raw = join_chunks(opened)
        undecoded = opened.undecoded
    if len(raw.frame) > MOST_ROWS:
        raise SourceError(f"{path} has {len(raw.frame)} rows, at most {MOST_ROWS}", hint="split the file")
    texts = [text for name in raw.frame.columns for text in raw.frame[name].dropna() if isinstance(text, str)]
    names = [str(name) for name in raw.frame.columns]
    encoding = choose_encoding([*names, *texts], undecoded=undecoded, given=mapping.encoding)
    frame = decode_frame(raw.frame, encoding)
    columns = _find_columns(path, [str(name) for name in frame.columns], mapping)
    found, rejected = [], []
    for number, values in enumerate(zip(*(frame[column] for column in columns.values()), strict=True), start=1):
        row = {field: _read_text(value) for field, value in zip(columns, values, strict=True)}
        try:
            found.append(_read_row(number, row, mapping))
        except _Wrong as wrong:
            rejected.append(RejectedRow(number, wrong.field, wrong.reason))
    return found, rejected


def _find_columns(path: Path, names: Sequence[str], mapping: OwnerMapping) -> dict[str, str]:
    """Return the column of each field that has one; MappingError where the name or the parcel has none."""
    plain = {re.sub(r"[^a-z0-9]+", "", strip_marks(name)): name for name in names}
    columns = {}
    for field in FIELDS:
        if field in mapping.columns:
            if mapping.columns[field] not in names:
                raise MappingError(f"{path} has no column '{mapping.columns[field][:80]}'")
            columns[field] = mapping.columns[field]
        else:
            known = [field.replace("_", ""), *_ALIASES.get(field, "").split()]
            column = next((plain[one] for one in known if one in plain), None)
            if column is not None and column not in mapping.columns.values():
                columns[field] = column
    if "name" not in columns or not ("parcel" in columns or {"map_sheet", "parcel_number"} <= columns.keys()):
        raise MappingError(
            f"{path}: no column holds the owner's name, or none the parcel",
            hint="name them with --mapping: columns: {name: …, parcel: …} or map_sheet and parcel_number",
        )
    return columns


def _read_text(value: Any) -> str | None:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        # What a sheet keeps as a number: a map sheet 12.
        value = int(value)
    words = " ".join(str(value).split())
    return None if not words or words in NULL_WORDS or is_null_word(words) else words


def _read_row(number: int, row: Mapping[str, str | None], mapping: OwnerMapping) -> FoundRow:
    for field, longest in _LONGEST.items():
        if len(row.get(field) or "") > longest:
            raise _Wrong(field, f"longer than {longest} characters")
    name, parcel = row.get("name"), row.get("parcel")
    pair = (row.get("map_sheet"), row.get("parcel_number"))
    if name is None:
        raise _Wrong("name", "empty")
    numbers = None if parcel is not None or pair[0] is None or pair[1] is None else (pair[0], pair[1])
    if parcel is None and numbers is None:
        raise _Wrong("parcel", "empty")
    basis = row.get("basis") or mapping.basis
    if basis not in BASES:
        raise _Wrong("basis", f"none of {', '.join(BASES)}")
    consented = _read_day(row, "consented") or mapping.consented
    if basis == "consent" and consented is None:
        raise _Wrong("consented", "empty, and the basis is consent")
    since, until = _read_day(row, "since"), _read_day(row, "until")
    if since is not None and until is not None and until < since:
        raise _Wrong("until", "before since")
    right = LandRight(parcel or "", _read_share(row.get("share")), row.get("right_basis") or "", since, until)
    owner = NewOwner(
        name,
        _read_kind(row.get("kind")),
        _read_identity(row.get("identity")),
        row.get("phone"),
        row.get("address"),
        basis,
        consented,
        _read_day(row, "keep_until") or mapping.keep_until,
        (right,),
    )
    return FoundRow(number, owner, numbers)


def _read_kind(words: str | None) -> str:
    if words is None:
        return "person"
    folded = strip_marks(words)
    for code, title in KINDS.items():
        if folded in (code, strip_marks(title.vi), strip_marks(title.en)):
            return code
    raise _Wrong("kind", f"none of {', '.join(KINDS)}")


def _read_identity(words: str | None) -> str | None:
    if words is None:
        return None
    plain = re.sub(r"[\s.]", "", words).upper()
    if not _IDENTITY.fullmatch(plain):
        raise _Wrong("identity", "neither 9 or 12 digits, a tax code, nor a passport number")
    return plain


def _read_share(words: str | None) -> float:
    if words is None:
        return 1.0
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(?:(%)|/\s*(\d+))?", words)
    if found is None:
        raise _Wrong("share", "no share, as in 0.5, 50% or 1/2")
    value = float(found[1].replace(",", ".")) / (100.0 if found[2] else float(found[3] or 1) or 1.0)
    if not 0.0 < value <= 1.0:
        raise _Wrong("share", "not above 0 and at most 1")
    return value


def _read_day(row: Mapping[str, str | None], field: str) -> date | None:
    words = row.get(field)
    if words is None:
        return None
    found = read_date(words, _DATES)
    if found is None:
        raise _Wrong(field, "no date, as in 2026-11-29 or 29/11/2026")
    return found[0].date()
