"""What a row of a file held, as JSON can keep it: the payload of a rejected row, to be shown, mended and read again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from layers.ingest.raw import Raw

SHAPE, PLACED = "_wkt", "_crs"
_LONGEST = 100_000


class Payloads:
    """The payloads of a chunk, made for the rows asked for; ``hidden`` columns are in none of them."""

    def __init__(self, raw: Raw, crs: CRS, hidden: frozenset[str]) -> None:
        self._raw = raw
        self._crs = write_crs(crs)
        self._columns = [position for position, name in enumerate(raw.frame.columns) if name not in hidden]

    def make(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """Return what the rows at ``positions`` held; geometry is ``_wkt`` with its ``_crs``, unless it is huge."""
        part = self._raw.frame.iloc[list(positions), self._columns]
        names = [str(name) for name in part.columns]
        columns = [[_plain(value) for value in part.iloc[:, at]] for at in range(len(names))]
        held = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [{} for _ in positions]
        if "@id" in names:
            held = [{name: value for name, value in row.items() if value is not None} for row in held]
        if self._raw.shapes is not None:
            shapes = self._raw.shapes[list(positions)]
            shapes[shapely.get_num_coordinates(shapes) * 20 >= _LONGEST] = None
            words = np.asarray(shapely.to_wkt(shapes, rounding_precision=-1), dtype=object)
            for row, word in zip(held, words, strict=True):
                if word is not None:
                    row[SHAPE], row[PLACED] = word, self._crs
        return held


def write_crs(crs: CRS) -> str:
    """Return authority and code of ``crs``; one without is written out whole, to be read again."""
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt()


def _plain(value: object) -> object:
    """Return a cell as JSON can hold it; overlong text is cut."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    words = str(value)
    return words if len(words) <= _LONGEST else words[:1000] + "… (cut)"


def digest_payload(payload: Mapping[str, Any]) -> str:
    """Return a digest of what a row held: by it the same row is known again in a later file, wherever it stands."""
    # 5 and 5.0 are one: a column of whole numbers is read as the one or the other, as gaps in it want.
    plain = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in payload.items()}
    written = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def read_payloads(payloads: Sequence[Mapping[str, Any]]) -> Raw:
    """Return rows as they came from their file again; their geometry must be in one CRS."""
    names = list(dict.fromkeys(name for one in payloads for name in one if name not in (SHAPE, PLACED)))
    frame = pd.DataFrame(
        {name: pd.Series([one.get(name) for one in payloads], dtype=object) for name in names},
        index=pd.RangeIndex(len(payloads)),
    )
    words = [one.get(SHAPE) for one in payloads]
    shapes = np.asarray(shapely.from_wkt(words, on_invalid="ignore"), dtype=object)
    reasons = pd.Series(None, index=frame.index, dtype=object)
    reasons[[bool(word) and shape is None for word, shape in zip(words, shapes, strict=True)]] = "geometry is not WKT"
    return Raw(frame, shapes, None, reasons)
