"""Every folder of real data that holds layers: each file loads with its mapping, the counts add up, and loading again
changes nothing.

The figures were counted in the files by other means (pandas, a spreadsheet, the provenance notes): rows, rows that the
mapping's condition leaves out, identifiers that stand twice, rows without coordinates.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
import pytest
import rasterio
from sqlalchemy import Engine, text

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.ingest.mapping import read_mapping
from layers.ingest.quality import LoadReport
from layers.store.engine import open_engine

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
BOSTON, VERMONT, NANAIMO, CAN_THO, DELFT, POA = (
    "EPSG:26986", "EPSG:32145", "EPSG:26910", "EPSG:5897", "EPSG:28992", "EPSG:31982",
)  # fmt: skip
Shared = Callable[[str], Path]
OpenCity = Callable[[str], Engine]
LoadFile = Callable[["File"], dict[str, LoadReport]]


class File(NamedTuple):
    """A real file, the city it goes to, its mapping; by layer the rows read and quarantined; rows no layer wants."""

    path: str
    crs: str
    mapping: str
    rows: dict[str, tuple[int, int]]
    skipped: int = 0
    table: str | None = None


def list_drains() -> Iterator[File]:
    """Yield the fourteen files of thirteen towns: rows read, quarantined, left out."""
    for name, file, read, quarantined, skipped in (
        ("arlington", "Arlington_WGS84_v2_0_filtered", 3719, 1, 0),  # swIN-4165 stands twice
        ("burlington", "Burlington_CBN_WGS84_20220627", 2896, 0, 1),  # one is abandoned
        ("cambridge", "CambridgeSew_Catchbasin_filtered", 5439, 23, 18),  # 18 ABN
        ("chelsea", "Chelsea_catchbasins_WGS84_20220623_filtered", 1420, 0, 21),  # 13 proposed, 8 abandoned
        ("everett", "Everett_Drain_Catch_Basin_WGS84_20220421", 1852, 0, 0),
        ("lexington", "Lexington_storm_inlets_0", 7216, 0, 0),
        ("medford", "medford_drains_updated_07-13-21", 3400, 0, 0),
        ("melrose", "Melrose_ssCatchBasins_0", 1626, 2, 0),  # two have no coordinates
        ("reading", "Reading_catchbasins_WGS84_20220623", 3223, 0, 110),  # 110 AB
        ("somerville", "Somerville_Catch_Basins_0", 453, 0, 138),  # 132 proposed, 6 abandoned
        ("watertown", "Watertown_catchbasins_LatLong_20220623", 4436, 3, 0),
        ("winchester", "Winchester_swInlet_1", 3006, 0, 0),
        ("woburn", "Woburn_catchbasins_WGS84_20220623", 4201, 9, 0),
    ):
        path, rows = f"drains-boston-metro/{file}.csv", {"drainage_nodes": (read, quarantined)}
        yield File(path, BOSTON, f"drains_{name}", rows, skipped)


def list_sewers() -> Iterator[File]:
    """Yield the files of three towns of Vermont."""
    for town, links, nodes, areas, borders in (
        ("Barre", 1120, (1246, 0), 1, 2),
        ("RutlandCity", 4782, (4045, 0), 11, 1),
        ("Montpelier", 1133, (1053, 86), 1, 1),
    ):
        stem = f"sewer-vermont/{town}/{town}"
        kind = "vermont_rutland" if town == "RutlandCity" else "vermont"
        other = 6 if town == "Montpelier" else 0
        yield File(f"{stem}LinearFeatures.geojson", VERMONT, f"{kind}_links", {"drainage_links": (links, 0)})
        yield File(f"{stem}PointFeatures.geojson", VERMONT, f"{kind}_nodes", {"drainage_nodes": nodes}, other)
        yield File(f"{stem}ServiceArea.geojson", VERMONT, "vermont_service_areas", {"catchments": (areas, 0)})
        yield File(f"{stem}Border.geojson", VERMONT, "vermont_borders", {"wards": (borders, 0)})


OTHERS = (
    # 163 rows of 293 have a permit; of those 3 no place, 3 no capacity, and one permit stands twice.
    File(
        "sewer-vermont/Vermont_Treatment_Facilities.geojson", VERMONT, "vermont_facilities",
        {"discharge_permits": (163, 7)}, 130,
    ),
    # Five PIPEID stand twice.
    File("nanaimo-water/pipes.shp", NANAIMO, "nanaimo_pipes", {"water_pipes": (17755, 5)}),
    # Seven services lie exactly on another.
    File("nanaimo-water/services.shp", NANAIMO, "nanaimo_services", {"water_pipes": (26814, 7)}),
    File("cantho-bus/stops.csv", CAN_THO, "cantho_stops", {"stops": (1194, 0)}),
    File(
        "cantho-osm/cantho_osm_layers.gpkg", CAN_THO, "cantho_gpkg_points",
        {"stops": (33, 0), "signals": (22, 0), "road_nodes": (58, 0)}, 427, "points",
    ),
    # One road is only being built.
    File(
        "cantho-osm/cantho_osm_layers.gpkg", CAN_THO, "cantho_gpkg_lines",
        {"road_links": (510, 1), "waterways": (8, 0)}, 26, "lines",
    ),
    File(
        "cantho-osm/cantho_osm_layers.gpkg", CAN_THO, "cantho_gpkg_areas",
        {"buildings": (2165, 0), "water_bodies": (14, 0)}, 188, "multipolygons",
    ),
    # 570 objects: 160 buildings, 126 plant covers, 3 waters.
    File(
        "cityjson/delft.city.json", DELFT, "delft_buildings",
        {"buildings": (160, 0), "green_spaces": (126, 0), "water_bodies": (3, 0)}, 281,
    ),
    File("cityjson/rotterdam_subset.city.json", DELFT, "dutch_buildings", {"buildings": (16, 0)}),
    File("cityjson/DH_01_subs.city.json", DELFT, "dutch_buildings", {"buildings": (4, 0)}),
    File("porto-alegre/poa_points_of_interest.csv", POA, "poa_places", {"places": (15, 0)}),
)  # fmt: skip
FILES = (*list_drains(), *list_sewers(), *OTHERS)


@pytest.fixture(scope="module")
def open_city(make_database: Callable[..., str]) -> Iterator[OpenCity]:
    """Return a function that opens the empty database of a city in its CRS."""
    opened: dict[str, Engine] = {}

    def open_one(crs: str) -> Engine:
        if crs not in opened:
            opened[crs] = open_engine(make_database(f"folders_{crs.lower().replace(':', '_')}", crs=crs))
        return opened[crs]

    yield open_one
    for engine in opened.values():
        engine.dispose()


def make_source(name: str, path: Path, mapping: str | None, **given: str | None) -> Source:
    title = Words(vi="thử", en="test")
    words = {"layer": "", **{key: value for key, value in given.items() if value is not None}}
    return Source(
        id=name, uri=str(path), title=title, licence="as in the note", attribution="x", mapping=mapping, **words
    )


def load_twice(engine: Engine, source: Source, processed_dir: Path | None = None) -> dict[str, LoadReport]:
    first, second = (load_source(engine, source, Path(), processed_dir=processed_dir) for _ in range(2))
    for before, after in zip(first, second, strict=True):
        assert before.read == before.loaded + before.unchanged + before.quarantined
        assert (after.read, after.loaded, after.unchanged) == (before.read, 0, before.loaded)
        assert (after.quarantined, after.gone, after.skipped) == (before.quarantined, 0, before.skipped)
    return {report.layer: report for report in first}


@pytest.fixture(scope="module")
def load_file(open_city: OpenCity, shared: Shared) -> LoadFile:
    """Return a function that has a file loaded, once and once more, and gives its reports by layer."""
    known: dict[tuple[str, str, str | None], dict[str, LoadReport]] = {}

    def load(file: File) -> dict[str, LoadReport]:
        named = (file.path, file.mapping, file.table)
        if named not in known:
            path = shared(file.path)
            name = re.sub("[^a-z0-9]+", "-", f"{file.mapping} {path.stem}".lower())[:80]
            source = make_source(name, path, str(MAPPINGS / f"{file.mapping}.yml"), table=file.table)
            known[named] = load_twice(open_city(file.crs), source)
        return known[named]

    return load


@pytest.mark.parametrize("file", FILES, ids=[f"{file.mapping}-{Path(file.path).stem}" for file in FILES])
def test_counts_add_up(file: File, load_file: LoadFile) -> None:
    reports = load_file(file)
    assert {layer: (report.read, report.quarantined) for layer, report in reports.items()} == file.rows
    assert {report.skipped for report in reports.values()} == {file.skipped}


def test_placeholders_and_feet_of_the_drains(open_city: OpenCity, load_file: LoadFile) -> None:
    for file in list_drains():
        load_file(file)
    rows = "select id, installed, ground_elevation, owner from city.drainage_nodes"
    with open_city(BOSTON).connect() as connection:
        stored = pd.DataFrame([dict(row) for row in connection.execute(text(rows)).mappings()]).set_index("id")
    days = pd.to_datetime(stored["installed"].dropna())
    # Nothing is left of 1/1/1753, 9/9/99, 8/8/88, 1/1/70 and 9999; a two-digit 54 is 1954 and not 2054.
    assert days.dt.year.between(1850, 2023).all()
    assert not days.isin(pd.to_datetime(["1970-01-01", "1999-09-09", "1988-08-08"])).any()
    melrose = days[days.index.str.startswith("melrose-")].dt.year
    assert ((melrose == 1954).sum(), melrose.between(1926, 1928).sum()) == (9, 6)
    # In metres: the towns lie between the harbour and the hills of Woburn and Reading, below 110 m.
    heights = stored["ground_elevation"].dropna().astype(float)
    assert heights.between(-20.0, 110.0).all()
    # Main Street 1, Reading: 94.81 ft NGVD.
    assert stored.loc["reading-swCB-1", "ground_elevation"] == pytest.approx(94.81 * 1200 / 3937)


def test_conversions_of_the_drains_are_counted(open_city: OpenCity, shared: Shared) -> None:
    # Of 5,439 basins that stand, 4,798 have no surface elevation (999 or 0) and 2,857 were installed on 1/1/1753.
    path = shared("drains-boston-metro/CambridgeSew_Catchbasin_filtered.csv")
    source = make_source("counted", path, str(MAPPINGS / "drains_cambridge.yml"))
    (report,) = load_source(open_city(BOSTON), source, Path(), dry_run=True)
    counted = report.conversions
    assert counted["ground_elevation: nodata to null"] == 4798
    assert counted["ground_elevation: us-ft to m"] == 5439 - 4798
    assert counted["installed: placeholder dates to null"] == 2857
    assert "LASTEDITOR" not in report.ignored_columns


def test_mains_of_nanaimo(open_city: OpenCity, load_file: LoadFile) -> None:
    for file in OTHERS:
        if file.crs == NANAIMO:
            load_file(file)
    with open_city(NANAIMO).connect() as connection:
        query = "select pipe_type, count(*), min(diameter), max(diameter) from city.water_pipes group by 1 order by 1"
        found = {row[0]: row[1:] for row in connection.execute(text(query))}
    # Diameters of 25 to 1350 mm; 17,755 mains without the five that stand twice.
    assert found["distribution"][0] + found["transmission"][0] == 17750
    assert (float(found["distribution"][1]), float(found["transmission"][2])) == (0.025, 1.35)
    assert found["service"][0] == 26807


def test_bus_route_of_can_tho(open_city: OpenCity, shared: Shared, tmp_path: Path) -> None:
    # The answer of an Overpass server holds the same objects as an .osm file, in JSON.
    answer = json.loads(shared("cantho-osm/overpass_bus_route09_2025-06-23.json").read_text(encoding="utf-8"))
    path = tmp_path / "route09.osm"
    path.write_text(write_osm(answer["elements"]), encoding="utf-8")
    reports = load_twice(open_city(CAN_THO), make_source("route-09", path, "osm", layer="stops"))
    tagged = [one for one in answer["elements"] if one["type"] == "node" and "tags" in one]
    assert reports["stops"].read == sum(one["tags"].get("highway") == "bus_stop" for one in tagged)


def write_osm(elements: list[dict[str, object]]) -> str:
    """Return nodes with their tags as OpenStreetMap XML."""
    lines = ['<osm version="0.6">']
    for one in elements:
        if one["type"] == "node":
            tags: dict[str, str] = one.get("tags", {})  # type: ignore[assignment]
            inner = "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
            lines.append(f'<node id="{one["id"]}" version="1" lat="{one["lat"]}" lon="{one["lon"]}">{inner}</node>')
    return "\n".join([*lines, "</osm>"])


def test_terrain_of_porto_alegre(open_city: OpenCity, shared: Shared, tmp_path: Path) -> None:
    path = shared("porto-alegre/poa_elevation.tif")
    source = make_source("poa-terrain", path, None, layer="terrain", kind="raster")
    report = load_twice(open_city(POA), source, tmp_path)["terrain"]
    with rasterio.open(tmp_path / "rasters" / "terrain.tif") as stored, rasterio.open(path) as given:
        assert np.nanmax(stored.read(1)) == pytest.approx(given.read(1).max(), abs=2.0)
    assert report.quarantined == 0


def test_terrain_of_the_flood_benchmark(open_city: OpenCity, shared: Shared, tmp_path: Path) -> None:
    # The benchmark's plan begins at 0, 0, which is no place on Earth: the copy is put into the Netherlands.
    given = shared("flood/ea3/test3DEM.asc").read_text()
    for corner, moved in (("xllcorner -50", "xllcorner 90000"), ("yllcorner -20", "yllcorner 447000")):
        assert corner in given
        given = given.replace(corner, moved)
    (tmp_path / "ea3.asc").write_text(given)
    source = make_source("ea3", tmp_path / "ea3.asc", None, layer="terrain", kind="raster", crs=DELFT)
    report = load_twice(open_city(DELFT), source, tmp_path)["terrain"]
    cells = np.array([[float(cell) for cell in line.split()] for line in given.splitlines()[6:] if line.strip()])
    assert (report.read, report.quarantined) == (int((cells != -999).sum()), 0)
    with rasterio.open(tmp_path / "rasters" / "terrain.tif") as stored:
        assert np.nanmin(stored.read(1)) == pytest.approx(cells[cells != -999].min(), abs=1e-3)


def test_levels_of_vlissingen(open_city: OpenCity, shared: Shared, tmp_path: Path) -> None:
    # NOOS is a text of times in GMT and levels in metres; the observation reader takes it as a table.
    lines = shared("tide-gauge/VLISSGN_waterlevel_20180101_20180401.noos").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    times = pd.to_datetime([time for time, _ in rows], format="%Y%m%d%H%M", utc=True)
    readings = pd.DataFrame(
        {"datastream_id": "vlissingen", "phenomenon_time": times, "result": [one for _, one in rows]}
    )
    readings["phenomenon_time"] = readings["phenomenon_time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    readings.to_csv(tmp_path / "levels.csv", index=False)
    series = (
        "id,sensor_id,observed_property,unit,title_vi,title_en\nvlissingen,vlissingen,stage,m,Mực nước,Water level\n"
    )
    (tmp_path / "series.csv").write_text(series, encoding="utf-8")
    source = make_source("vlissingen", tmp_path / "levels.csv", None, datastreams=str(tmp_path / "series.csv"))
    report = load_twice(open_city(DELFT), source)["observations"]
    # The provenance note: 12,752 rows.
    assert (report.read, report.quarantined) == (12752, 0)


def read_tables(document: str) -> dict[str, list[list[str]]]:
    """Return the domain tables of the Vermont standard by the section and title they stand under."""
    tables: dict[str, list[list[str]]] = {}
    section = title = ""
    for line in document.splitlines():
        if line.startswith("## "):
            section = line.lstrip("# 0123456789.")
        elif line.startswith("### "):
            title = line.lstrip("# ")
        elif line.startswith("|") and not re.match(r"^\|[-| ]+\|$", line):
            cells = [cell.strip().strip('`"') for cell in line.strip("|").split("|")]
            tables.setdefault(f"{section}: {title}", []).append(cells)
    return {name: rows[1:] for name, rows in tables.items()}


SYSTEMS = {"Stormwater": "storm", "Wastewater": "sanitary", "Combined": "combined"}
# What the published labels call a thing, beside the code of ours that must hold it: decided on the labels alone.
KINDS = {
    "links": {
        "open_channel": ("Channel", "Swale", "Ditch", "Filter Strip"),
        "conduit": ("Pipe", "Culvert", "Combined Sewer", "Drain", "Underdrain", "Force Main"),
    },
    "nodes": {
        "manhole": ("Manhole", "Cleanout"),
        "outfall": (
            "Outfall",
            "Outlet Structure",
            "Detention Outlet",
            "Retention Outlet",
            "Underdrain Outlet",
            "Outlet /",
        ),
        "inlet": ("Inlet",),
        "junction": ("Junction", "Connection"),
        "storage": ("Interceptor",),
    },
}


@pytest.mark.parametrize(
    ("kind", "section"), [("links", "Vermont_Linear_Features"), ("nodes", "Vermont_Point_Features")]
)
def test_agreement_with_the_published_standard(
    kind: str, section: str, shared: Shared, capsys: pytest.CaptureFixture[str]
) -> None:
    from_standard = read_tables(shared("sewer-vermont/data_standards.md").read_text(encoding="utf-8"))
    tables = {name.split(": ")[1]: rows for name, rows in from_standard.items() if name.startswith(section)}
    rule = read_mapping(MAPPINGS / f"vermont_standard_{kind}.yml").layers[0]
    types = rule.properties["link_type" if kind == "links" else "node_type"].codes
    same = mapped = all_rows = 0
    different = []
    for code, label, system, count in tables["Type Code Domain (Integer)"]:
        rows = int(count.replace(",", ""))
        if system == "Water" or code == "null":
            continue
        all_rows += rows
        if code not in types:
            continue
        mapped += rows
        meant = next((ours for ours, words in KINDS[kind].items() if any(word in label for word in words)), None)
        same += rows if types[code] == meant else 0
        different += [] if types[code] == meant else [(code, label, types[code], meant)]
    with capsys.disabled():
        print(f"\nVermont standard, {kind}: {mapped:,} of {all_rows:,} rows mapped, {same:,} as published", end=" ")
    assert different == []
    assert mapped / all_rows > 0.96
    for value, _count in tables["SystemType Domain"]:
        if value in SYSTEMS:
            assert rule.properties["system"].codes[value] == SYSTEMS[value]
    if kind == "links":
        published = {value: value == "Existing" for value, _ in tables["Status Domain"] if value != "null"}
        ours = {value: flag == "yes" for value, flag in rule.properties["is_active"].codes.items()}
        assert ours == published


def test_the_towns_agree_with_the_published_standard(
    open_city: OpenCity, shared: Shared, load_file: LoadFile, capsys: pytest.CaptureFixture[str]
) -> None:
    shared("sewer-vermont/data_standards.md")
    # Where a town's own type names a system (Combined Sewer, Sanitary Manhole), the system stored must be that one.
    raw = [
        json.loads(shared(file.path).read_text(encoding="utf-8"))["features"]
        for file in list_sewers()
        if "_links" in file.mapping or "_nodes" in file.mapping
    ]
    told = [one["properties"] for features in raw for one in features]
    published = {"Sanitary": "Wastewater", "Combined": "Combined"}
    named = [(p["Type"].split()[0], p["System_Type"]) for p in told if p["Type"].split()[0] in published]
    same = sum(published[word] == system for word, system in named)
    with capsys.disabled():
        print(f"\nVermont towns: {same:,} of {len(named):,} rows whose type names a system say the same one", end=" ")
    assert same / len(named) > 0.98
    for file in list_sewers():
        load_file(file)
    with open_city(VERMONT).connect() as connection:
        query = "select count(*) filter (where system is null), count(*) from city.drainage_links"
        assert tuple(connection.execute(text(query)).one()) == (0, 1120 + 4782 + 1133)
