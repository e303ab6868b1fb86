"""The page of file formats, from the tables of readers and writers."""

from layers.ingest.readers import RASTERS, READERS
from layers.ingest.writers import WRITERS


def describe_formats() -> str:
    """Return the page of formats that are read and written, and how exactly what is written comes back."""
    lines = [
        "# File formats",
        "",
        "Derived from `layers/ingest/readers.py` and `layers/ingest/writers.py`; run `make docs` after a change.",
        "",
        "## Read",
        "",
        "`twin load` takes files, folders (`.gdb`) and http(s) addresses. A zip may hold any of them, at any depth.",
        "",
        "| ending | format |",
        "|---|---|",
    ]
    lines += [f"| `{ending}` | {reader.kind} |" for ending, reader in READERS.items()]
    lines += [f"| {', '.join(f'`{ending}`' for ending in RASTERS)} | rasters: GeoTIFF, ESRI ASCII grid |", ""]
    lines += [
        "## Written",
        "",
        "Text, whole numbers, dates, times, yes and no, and null come back the same; decimal numbers to 15 digits. How "
        "far a coordinate may come back from where it was is held by `tests/layers/ingest/test_round_trip.py`, to "
        "which a projection there and back adds 0.1 µm.",
        "",
        "| ending | format | CRS | coordinates come back within [m] |",
        "|---|---|---|---|",
    ]
    for ending, writer in WRITERS.items():
        crs = "WGS 84" if writer.only_degrees else "WGS 84, UTM" if writer.only_wgs84 else "any"
        lines.append(f"| `{ending}` | {writer.kind} | {crs} | {writer.tolerance:g} |")
    lines += [
        "",
        "Shapefiles cut names to ten letters and MapInfo to 31; a table `fields.csv` has them in full. Text longer "
        "than a format holds is refused. MapInfo knows no null but in text: a column of numbers with nulls is written "
        "as text. A drawing keeps the geometry, one entity a part, on a layer named as ours.",
        "",
    ]
    return "\n".join(lines)
