"""OpenStreetMap objects become points, lines and areas; what the extract cuts off is kept as a row without geometry."""

from pathlib import Path

import pytest
import shapely

from layers.errors import MappingError, SourceError
from layers.ingest.osm import read_osm

SMALL = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="hand">
 <node id="1" lat="10.00" lon="105.70" version="1"/>
 <node id="2" lat="10.00" lon="105.71" version="1"/>
 <node id="3" lat="10.01" lon="105.71" version="1"/>
 <node id="4" lat="10.005" lon="105.705" version="1"><tag k="natural" v="tree"/></node>
 <node id="5" lat="10.005" lon="105.706" version="1"><tag k="shop" v="kiosk"/></node>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/></way>
 <way id="11" version="1"><nd ref="1"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="name" v="Hẻm 1"/></way>
 <way id="12" version="1"><nd ref="1"/><nd ref="99"/><tag k="highway" v="service"/></way>
 <way id="13" version="1"><nd ref="1"/><nd ref="2"/></way>
 <way id="14" version="1"><nd ref="2"/><nd ref="3"/><nd ref="1"/></way>
 <relation id="20" version="1"><member type="way" ref="13" role="outer"/><member type="way" ref="14" role="outer"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="school"/></relation>
 <relation id="21" version="1"><member type="way" ref="98" role="outer"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="house"/></relation>
</osm>
"""
KEYS, TAGS = ("building", "highway", "natural"), ("building", "highway", "name", "natural")


def test_every_kind_of_object(tmp_path: Path) -> None:
    path = tmp_path / "s.osm"
    path.write_text(SMALL, encoding="utf-8")
    frame, shapes, reasons = read_osm(path, keys=KEYS, tags=TAGS)
    rows = {(row["@id"], row["@geometry"]): position for position, row in frame.iterrows()}
    assert set(rows) == {
        ("node/4", "point"), ("way/10", "line"), ("way/10", "area"), ("way/11", "line"), ("way/12", "line"),
        ("relation/20", "area"), ("relation/21", "area"),
    }  # fmt: skip
    assert frame["name"][rows["way/11", "line"]] == "Hẻm 1"
    assert shapely.to_wkt(shapes[rows["way/11", "line"]], rounding_precision=2) == "LINESTRING (105.7 10, 105.71 10.01)"
    assert shapely.area(shapes[rows["way/10", "area"]]) == pytest.approx(0.01 * 0.01 / 2)
    assert shapely.area(shapes[rows["relation/20", "area"]]) == pytest.approx(0.01 * 0.01 / 2)
    missing = {key for key, position in rows.items() if isinstance(reasons[position], str)}
    assert missing == {("way/12", "line"), ("relation/21", "area")}


@pytest.mark.parametrize("content", ["<osm version='0.6'><node id='1'", "no xml", "<osm version='0.6'></osm>"])
def test_broken_or_empty_files_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.osm"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"s\.osm"):
        read_osm(path, keys=KEYS, tags=TAGS)


def test_broken_pbf_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.osm.pbf"
    path.write_bytes(b"\x00\x00\x00\x0dgarbage, not blocks")
    with pytest.raises(SourceError, match=r"s\.osm\.pbf cannot be read as OpenStreetMap"):
        read_osm(path, keys=KEYS, tags=TAGS)


def test_a_mapping_must_ask_for_tags(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="needs 'where'"):
        read_osm(tmp_path / "s.osm", keys=(), tags=())


TURNS = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="hand">
 <node id="1" lat="10.00" lon="105.70" version="1"/>
 <node id="2" lat="10.00" lon="105.71" version="1"/>
 <node id="3" lat="10.01" lon="105.71" version="1"/>
 <node id="4" lat="10.01" lon="105.70" version="1"/>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
 <way id="11" version="1"><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/></way>
 <way id="12" version="1"><nd ref="3"/><nd ref="4"/><tag k="highway" v="primary"/></way>
 <relation id="20" version="1"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
  <member type="way" ref="11" role="to"/>
  <tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>
 <relation id="21" version="1"><member type="way" ref="10" role="from"/><member type="way" ref="11" role="via"/>
  <member type="way" ref="12" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_u_turn"/></relation>
 <relation id="22" version="1"><member type="way" ref="10" role="from"/><member type="node" ref="99" role="via"/>
  <member type="way" ref="11" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_u_turn"/></relation>
 <relation id="23" version="1"><member type="way" ref="98" role="from"/><member type="way" ref="97" role="via"/>
  <member type="way" ref="12" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_entry"/></relation>
</osm>
"""


@pytest.mark.parametrize("keys", [("restriction",), ("restriction", "highway")])
def test_turns_stand_where_they_begin(tmp_path: Path, keys: tuple[str, ...]) -> None:
    path = tmp_path / "t.osm"
    path.write_text(TURNS, encoding="utf-8")
    frame, shapes, reasons = read_osm(path, keys=keys, tags=("restriction", "highway"))
    signs = frame[frame["@type"] == "relation"]
    assert signs["@id"].tolist() == [f"relation/{number}" for number in (20, 21, 22, 23)]
    assert (frame["@type"] == "way").sum() == (3 if "highway" in keys else 0)
    # Over a node, over a way (where the first road meets it), over what the extract cuts off.
    where = [None if shape is None else (shape.x, shape.y) for shape in shapes[signs.index]]
    assert where == [(105.71, 10.0), (105.71, 10.0), None, None]
    assert signs[["@from", "@via", "@to"]].values.tolist()[:2] == [
        ["way/10", "node/2", "way/11"],
        ["way/10", "way/11", "way/12"],
    ]
    assert [isinstance(reason, str) for reason in reasons[signs.index]] == [False, False, True, True]
