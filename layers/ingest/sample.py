"""The first rows of a file, decoded, and what a mapping would make of them: for looking before loading."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from pyproj import CRS

from layers.errors import SourceError
from layers.ingest.clean import Facts, clean_chunk
from layers.ingest.crs import choose_crs
from layers.ingest.mapping import Mapping
from layers.ingest.raw import Raw, cut_chunks
from layers.ingest.readers import OSM, open_file
from layers.ingest.stream import SAMPLE, Decoder
from layers.registry import read_vector_layer

_DEGREES = CRS.from_epsg(4326)
BESIDE = ".mapping.yml"


def find_beside(path: Path, table: str | None = None) -> Path:
    """Return where the mapping of a file, or of a table in it, is kept: ``<file>.mapping.yml`` beside it."""
    return path.with_name(f"{path.name}{f'.{table}' if table else ''}{BESIDE}")


def read_sample(path: Path, *, table: str | None = None, encoding: str | None = None) -> tuple[Raw, str | None]:
    """Return the first rows of a file in Unicode, and how its text was read.

    SourceError names a file that cannot be read, or one of OpenStreetMap, which has a mapping of its own.
    """
    if path.suffix.lower() in OSM:
        raise SourceError(f"{path} is OpenStreetMap, which needs no mapping", hint="load it without --propose")
    with open_file(path, table=table, encoding=encoding) as opened:
        raw = next(opened.read(SAMPLE))
        decoder = Decoder(opened, encoding)
        return decoder.decode(raw), decoder.words


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows as they would be loaded, by layer: values and the place in degrees; and why others would not be."""

    layer: str
    rows: tuple[dict[str, Any], ...]
    rejected: tuple[tuple[int, str], ...]


def preview_rows(raw: Raw, mapping: Mapping, path: Path, *, crs: str | None = None, rows: int = 8) -> list[Preview]:
    """Return what ``mapping`` makes of the first rows of a sample; CrsError where the file's CRS is not known."""
    first = next(cut_chunks(raw, rows))
    is_table = raw.shapes is None
    source = choose_crs(str(path), given=crs, declared=raw.crs, default=mapping.crs, is_table=is_table)
    made = []
    for rule in mapping.layers:
        cleaned = clean_chunk(first, read_vector_layer(rule.layer), (rule,), Facts(path, source, _DEGREES))
        centres = shapely.centroid(cleaned.frame.geometry.to_numpy())
        kept = [
            {**{str(name): _show(value) for name, value in row.items()}, "lon": lon, "lat": lat}
            for row, lon, lat in zip(
                cleaned.frame.drop(columns="geometry").to_dict("records"),
                shapely.get_x(centres).round(6).tolist(),
                shapely.get_y(centres).round(6).tolist(),
                strict=True,
            )
        ]
        reasons = tuple((one.row, "; ".join(found.words for found in one.problems)) for one in cleaned.rejections)
        made.append(Preview(rule.layer, tuple(kept), reasons))
    return made


def _show(value: Any) -> Any:
    """Return a value as JSON and a table can hold it."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)
