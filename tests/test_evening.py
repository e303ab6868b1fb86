"""The README's evening: its section is there and whole, and figure and table are made of the runs as they say."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest

from docs.evening import BEGIN, END, HEADINGS, PICTURE, README, STREETS, format_table, replace_between, tabulate_streets
from docs.evening_picture import LEAST_SHOWN, SUN, colour_depth, shade_relief
from layers.registry import read_raster_layer


def touch(*rows: tuple[str, str, float, float, float], layer: str = "road_links") -> gpd.GeoDataFrame:
    """Return touched roads: name, class, depth [m], seconds, length [m] each."""
    names, classes, depths, seconds, lengths = zip(*rows, strict=True)
    columns = {"asset_name": names, "category": classes, "depth_max": depths, "duration": seconds, "length": lengths}
    return gpd.GeoDataFrame({"asset_layer": [layer] * len(rows), **columns}, geometry=[None] * len(rows))


def test_the_section_of_the_readme_has_its_figure_and_its_table() -> None:
    section = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert f"](docs/images/{PICTURE.name})" in section
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert rows[0] == list(HEADINGS)
    assert 0 < len(rows[2:]) <= STREETS
    saved = [float(row[2]) - float(row[1]) for row in rows[2:]]
    # Depths are written to the centimetre, so that two differences may be 2 cm nearer than they were.
    assert all(later < earlier + 0.0201 for earlier, later in pairwise(saved))
    assert min(saved) >= 0.0


def test_the_figure_is_small() -> None:
    assert PICTURE.read_bytes()[:3] == b"\xff\xd8\xff"
    assert PICTURE.stat().st_size <= 300_000


def test_streets_are_those_the_pumps_help_most() -> None:
    running = touch(("A", "secondary", 0.25, 0.0, 80.0), ("B", "primary", 0.40, 7200.0, 100.0))
    off = touch(
        ("A", "secondary", 0.35, 3600.0, 90.0),
        ("A", "secondary", 0.31, 5400.0, 30.0),
        ("B", "primary", 0.42, 9000.0, 120.0),
        ("C", "tertiary", 0.20, 0.0, 50.0),
        ("Alley", "living_street", 0.90, 9000.0, 10.0),
    )
    found = tabulate_streets(running, off)
    assert found["street"].tolist() == ["C", "A", "B"]
    # A street is as deep and as long closed as its worst link; its length is that of all.
    assert found.iloc[1, 1:].tolist() == pytest.approx([0.25, 0.35, 0.0, 1.5, 80.0, 120.0])
    assert tabulate_streets(running, off, count=1)["street"].tolist() == ["C"]
    assert format_table(found)[3] == "| A | 0.25 | 0.35 | 0.0 | 1.5 | 80 | 120 |"


def test_a_section_replaces_only_what_is_between_its_markers() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replace_between(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert replace_between(replace_between(page, "new"), "new") == replace_between(page, "new")
    with pytest.raises(ValueError, match="no section"):
        replace_between("before\nafter\n", "new")


def test_relief_is_bright_towards_the_light() -> None:
    rows, cols = np.mgrid[0:6, 0:6].astype(float)
    flat, north_west, south_east = (shade_relief(plane, 10.0)[2, 2] for plane in (0 * rows, rows + cols, -rows - cols))
    assert flat == pytest.approx(np.sin(np.radians(SUN[1])))
    assert south_east < flat < north_west


def test_thin_water_and_no_water_are_clear() -> None:
    layer = read_raster_layer("flood_depth_max")
    painted = colour_depth(np.array([[np.nan, 0.0, LEAST_SHOWN / 2, 0.5]]), layer)
    assert painted[3].tolist() == [[0, 0, 0, int(dict(layer.ramp)[0.5][7:], 16)]]
    assert [f"{band:02x}" for band in painted[:3, 0, 3]] == [dict(layer.ramp)[0.5][at : at + 2] for at in (1, 3, 5)]
