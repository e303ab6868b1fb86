"""A file of lines as it comes from an office, checked as a network before anybody loads it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from layers.errors import CrsError, SourceError
from layers.ingest.crs import read_crs, transform
from layers.ingest.readers import read_file
from network.topology import take_parts
from twin.networks.reading import Objects
from twin.networks.validating import NetworkReport, check_lines

_CRS84 = read_crs("OGC:CRS84")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What was found in a file: its faults, the projected CRS they are in, the column the lines are called by (None:
    their row numbers), and how many rows are no lines.
    """

    report: NetworkReport
    crs: CRS
    named_by: str | None
    left_out: int


def check_file(
    path: Path, *, table: str | None = None, id_column: str | None = None, crs: str | None = None, tolerance: float
) -> CheckedFile:
    """Return the faults of the lines in a file; ends within ``tolerance`` [m] of each other are joined.

    Coordinates that are not in metres are projected to UTM. SourceError for a file without lines or without the column;
    CrsError for one that does not say where it lies.
    """
    raw = read_file(path, table=table)
    if raw.shapes is None:
        raise SourceError(f"{path.name} has no geometry", hint="give a file of lines, such as .shp or .gpkg")
    named = crs or raw.crs
    if named is None:
        raise CrsError(f"{path.name} does not say its coordinate reference system", hint="name it: --crs EPSG:…")
    kinds = shapely.get_type_id(raw.shapes)
    chosen = np.isin(kinds, (1, 5)) & ~shapely.is_empty(raw.shapes)
    if not chosen.any():
        raise SourceError(f"{path.name} has no lines", hint="a network is checked by its lines")
    source, given = read_crs(named), shapely.force_2d(raw.shapes[chosen])
    target = _choose_metric(given, source)
    lines, owners = take_parts(given if target == source else transform(given, source, target))
    column = id_column if id_column is not None else _find_key(raw.frame)
    if column is not None and column not in raw.frame.columns:
        raise SourceError(
            f"{path.name} has no column '{column[:60]}'", hint=f"it has {', '.join(map(str, raw.frame.columns[:30]))}"
        )
    rows = np.flatnonzero(chosen)
    names: Objects = (rows + 1).astype(str) if column is None else raw.frame[column].astype(str).to_numpy(object)[rows]
    report = check_lines(lines, np.asarray(names, object)[owners], tolerance=tolerance)
    return CheckedFile(report, target, column, int(np.count_nonzero(~chosen)))


def _choose_metric(shapes: Objects, crs: CRS) -> CRS:
    """Return the CRS itself where it is projected in metres, else the UTM zone of the middle of the shapes."""
    if crs.is_projected and crs.axis_info[0].unit_name == "metre":
        return crs
    west, south, east, north = shapely.total_bounds(transform(shapes, crs, _CRS84))
    lon, lat = (west + east) / 2.0, (south + north) / 2.0
    found = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    if not found:
        raise CrsError(f"no UTM zone at {lon:.3f}, {lat:.3f}", hint="name the CRS of the file: --crs EPSG:…")
    return CRS.from_epsg(int(found[0].code))


def _find_key(frame: pd.DataFrame) -> str | None:
    """Return the first column that gives every row a name of its own, if there is one."""
    for name in frame.columns:
        column = frame[name]
        if not pd.api.types.is_float_dtype(column) and column.notna().all() and column.is_unique:
            return str(name)
    return None
