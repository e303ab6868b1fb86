"""Objects of input files as items: units, places, what is missing, and no file that ends in anything but an error."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, SourceError, TwinError
from layers.ingest.model_items import Items, frame_items
from layers.ingest.swmm.anchor import choose_anchor, open_anchor
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import read_inp
from layers.ingest.swmm.items import describe_items
from layers.ingest.swmm.reading import read_hours
from layers.ingest.swmm.units import FLOW_UNITS, read_units
from layers.quantities import conversion_factor

CITY = "EPSG:5897"
ORIGIN = (105.78, 10.03)
TEXT = """\
[OPTIONS]
FLOW_UNITS CFS
LINK_OFFSETS DEPTH
[RAINGAGES]
G VOLUME 0:30 1 TIMESERIES T
H INTENSITY 0.25 1 FILE "x y.dat" S IN
[SUBCATCHMENTS]
S G J 10 25 500 1 0
T G S 1 0 10 1 0
[JUNCTIONS]
J 100 10 0 0 0
K 90
[DIVIDERS]
D 95 c WEIR 1 2 3 8 0 0 0
[OUTFALLS]
O 80 TIDAL curve YES
P 80 NORMAL
[STORAGE]
B 70 20 1 FUNCTIONAL 0 0 100 0 0
[CONDUITS]
c J D 400 0.02 1 2 0 0
d D O 100 0.0001 0 0
e K P 30000 0.02 0 0
[PUMPS]
p B K *
q B K Q
[ORIFICES]
o J B SIDE 2.5 0.6 NO
[WEIRS]
w J B TRANSVERSE 4 3 NO
[OUTLETS]
u B K 1.5 FUNCTIONAL/DEPTH 10 0.5
[XSECTIONS]
c CIRCULAR 5
d IRREGULAR transect
e TRAPEZOIDAL 90 6 1 1
o RECT_CLOSED 2 3
w RECT_OPEN 1 4
[CURVES]
Q PUMP1 10 1 20 2.5
Q 30 2
[MAP]
UNITS FEET
[COORDINATES]
J 0 0
O 1000 0
"""


def describe(text: str, counts: Counter[str] | None = None) -> Items:
    """Return the items of a file laid around the origin."""
    document = read_inp(text)
    return describe_items(document, "m", choose_anchor(document, CITY, origin=ORIGIN), counts)


def test_values_are_in_si() -> None:
    counts: Counter[str] = Counter()
    items = describe(TEXT, counts)
    foot = 0.3048
    nodes = {item.name: item.values for item in items["drainage_nodes"].values()}
    assert [nodes[name]["node_type"] for name in "JDOB"] == ["junction", "junction", "outfall", "storage"]
    assert (nodes["D"]["max_depth"], nodes["K"]["max_depth"]) == (8 * foot, None)
    assert (nodes["O"]["has_gate"], nodes["P"]["has_gate"]) == (True, False)
    links = {item.name: item.values for item in items["drainage_links"].values()}
    assert [links[name]["link_type"] for name in "cdepowu"] == [
        "conduit", "open_channel", "open_channel", "pump", "gate", "weir", "gate",
    ]  # fmt: skip
    assert [links["c"][name] for name in ("from_invert", "to_invert")] == pytest.approx([101 * foot, 97 * foot])
    assert [links[name]["crest_elevation"] for name in "owu"] == pytest.approx([102.5 * foot, 104 * foot, 71.5 * foot])
    assert (links["d"]["shape"], links["d"].get("height"), links["o"]["width"]) == (None, None, 3 * foot)
    assert (links["p"]["capacity"], links["q"]["capacity"]) == (None, pytest.approx(2.5 * foot**3))
    areas = {item.name: item.values for item in items["catchments"].values()}
    assert areas["S"]["area"] == pytest.approx(10 * 4046.8564224)
    assert [areas[name]["outlet_node"] for name in "ST"] == ["m.J", None]
    gauges = {item.name: item.values for item in items["rain_gauges"].values()}
    assert gauges == {"G": {"interval": 1800.0, "series": "T"}, "H": {"interval": 900.0, "series": "x y.dat"}}
    # n of d and the height of e; four nodes and two gauges; both catchments.
    assert counts == {"values_beyond_their_range": 2, "places_assumed": 6, "catchments_drawn_as_squares": 2}
    for layer, found in items.items():
        frame = frame_items(found, layer, "m", CITY)
        assert frame["model_id"].eq("m").all() and frame.geometry.is_valid.all()


def test_offsets_can_be_elevations() -> None:
    text = TEXT.replace("DEPTH\n[RAIN", "ELEVATION\n[RAIN").replace("c J D 400 0.02 1 2", "c J D 400 0.02 101 *")
    link = describe(text)["drainage_links"]["m.c"].values
    assert [link["from_invert"], link["to_invert"]] == pytest.approx([101 * 0.3048, 95 * 0.3048])


@pytest.mark.parametrize("unit", FLOW_UNITS)
def test_every_flow_unit_is_known(unit: str) -> None:
    units = read_units(read_inp(f"[OPTIONS]\nFLOW_UNITS {unit.lower()}\n"))
    metric = unit in ("CMS", "LPS", "MLD")
    assert units.length == (1.0 if metric else 0.3048)
    assert units.area == pytest.approx(conversion_factor("ha" if metric else "acre", "m2"))
    per_day = {"MGD": 3785.411784, "MLD": 1000.0, "CFS": 86400 * 0.3048**3, "CMS": 86400.0, "LPS": 86.4}
    assert units.flow * 86400 == pytest.approx(per_day.get(unit, 1440 * 0.003785411784))


def test_an_anchor_leads_there_and_back() -> None:
    local = choose_anchor(read_inp(TEXT), CITY, origin=ORIGIN)
    points = np.array([[0.0, 0.0], [1000.0, 0.0], [3.25, -7.5]])
    utm, degrees = (open_anchor({"crs": crs}, CITY) for crs in ("EPSG:32648", "EPSG:4326"))
    for anchor, own, close in (
        (local, points, 1e-6),
        (utm, points + np.array([584000.0, 1108000.0]), 1e-3),
        (degrees, points / 1e4 + np.array(ORIGIN), 1e-8),
    ):
        again = open_anchor(anchor.words, CITY)
        assert np.allclose(again.unplace(anchor.place(own)), own, rtol=0.0, atol=close)
    placed = local.place(points)
    assert np.hypot(*(placed[1] - placed[0])) == pytest.approx(304.8)


@pytest.mark.parametrize(("word", "hours"), [("0:30", 0.5), ("1", 1.0), ("0:00:36", 0.01)])
def test_hours_are_read_as_swmm_writes_them(word: str, hours: float) -> None:
    assert read_hours(word, "here") == pytest.approx(hours)


@pytest.mark.parametrize("word", ["1:2:3:4", "x", "1:x"])
def test_what_is_no_time_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="here has"):
        read_hours(word, "here")


def test_an_outlet_that_is_two_things_is_refused() -> None:
    check_document(read_inp(TEXT))
    with pytest.raises(SourceError, match="the outlet 'S' is a node and a subcatchment"):
        check_document(read_inp(TEXT.replace("K 90", "K 90\nS 80")))


def test_a_name_too_long_for_an_id_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[JUNCTIONS\] 'LLL.*…' has a name of 300 signs"):
        describe(TEXT.replace("K 90", f"K 90\n{'L' * 300} 80"))


LINES = st.integers(0, TEXT.count("\n") - 1)
PIECES = st.sampled_from(["", "x", "-1", "1e400", '"', ";", "*", "[", "J", "S", "0", "9999999999", "\t", "đ"])


@settings(max_examples=150)
@given(st.lists(st.tuples(LINES, st.integers(0, 8), PIECES), min_size=1, max_size=4), st.booleans())
def test_a_spoilt_file_is_read_or_refused(changes: list[tuple[int, int, str]], cut: bool) -> None:
    lines = TEXT.splitlines()
    for number, position, piece in changes:
        words = lines[number].split(" ")
        if cut:
            words = words[:position]
        elif position < len(words):
            words[position] = piece
        lines[number] = " ".join(words)
    found: Any
    try:
        document = read_inp("\n".join(lines))
        check_document(document)
        found = describe_items(document, "m", choose_anchor(document, CITY, origin=ORIGIN))
    except TwinError as error:
        assert str(error)
        return
    assert set(found) == {"drainage_nodes", "drainage_links", "catchments", "rain_gauges"}
