"""Proposed mappings: right about real files, valid as written, silent about nothing.

The hand-made mappings in tests/mappings are the truth the proposals are measured by; the Vietnamese tables below were
written for this test, in the manner of district inventories, and no synonym was added for their sake.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import NotFoundError
from layers.ingest.mapping import LayerRule, read_mapping
from layers.ingest.proposal.draft import SURE, Draft, write_draft
from layers.ingest.proposal.propose import propose_mapping
from layers.ingest.raw import Raw, cut_chunks
from layers.ingest.readers import read_file
from layers.store.area import CityArea

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
DRAINS = "drains-boston-metro"
# The synonyms were written with these in view.
TUNED = (
    ("drains_arlington", f"{DRAINS}/Arlington_WGS84_v2_0_filtered.csv", None),
    ("drains_burlington", f"{DRAINS}/Burlington_CBN_WGS84_20220627.csv", None),
    ("drains_cambridge", f"{DRAINS}/CambridgeSew_Catchbasin_filtered.csv", None),
    ("drains_chelsea", f"{DRAINS}/Chelsea_catchbasins_WGS84_20220623_filtered.csv", None),
    ("drains_everett", f"{DRAINS}/Everett_Drain_Catch_Basin_WGS84_20220421.csv", None),
    ("drains_lexington", f"{DRAINS}/Lexington_storm_inlets_0.csv", None),
    ("drains_medford", f"{DRAINS}/medford_drains_updated_07-13-21.csv", None),
    ("drains_melrose", f"{DRAINS}/Melrose_ssCatchBasins_0.csv", None),
    ("drains_reading", f"{DRAINS}/Reading_catchbasins_WGS84_20220623.csv", None),
    ("drains_somerville", f"{DRAINS}/Somerville_Catch_Basins_0.csv", None),
    ("drains_somerville_2023", f"{DRAINS}/somerville-catch-basins-2023-05-07.csv", None),
    ("drains_watertown", f"{DRAINS}/Watertown_catchbasins_LatLong_20220623.csv", None),
    ("drains_winchester", f"{DRAINS}/Winchester_swInlet_1.csv", None),
    ("drains_woburn", f"{DRAINS}/Woburn_catchbasins_WGS84_20220623.csv", None),
    ("vermont_links", "sewer-vermont/Montpelier/MontpelierLinearFeatures.geojson", None),
    ("vermont_nodes", "sewer-vermont/Montpelier/MontpelierPointFeatures.geojson", None),
    ("nanaimo_pipes", "nanaimo-water/pipes.shp", None),
    ("vn_wards", "vn-admin-2025/can_tho_wards_2025.geojson", None),
    ("poa_hexgrid", "porto-alegre/poa_hexgrid.csv", None),
    ("cantho_healthcare", "cantho-osm/healthcare_facilities_cantho.geojson", None),
)
# No synonym or rule was written for the sake of these: what a city never seen may expect.
UNSEEN = (
    ("vermont_links", "sewer-vermont/Barre/BarreLinearFeatures.geojson", None),
    ("vermont_nodes", "sewer-vermont/Barre/BarrePointFeatures.geojson", None),
    ("vermont_rutland_links", "sewer-vermont/RutlandCity/RutlandCityLinearFeatures.geojson", None),
    ("vermont_rutland_nodes", "sewer-vermont/RutlandCity/RutlandCityPointFeatures.geojson", None),
    ("vermont_facilities", "sewer-vermont/Vermont_Treatment_Facilities.geojson", None),
    ("vermont_service_areas", "sewer-vermont/RutlandCity/RutlandCityServiceArea.geojson", None),
    ("vermont_borders", "sewer-vermont/RutlandCity/RutlandCityBorder.geojson", None),
    ("cantho_stops", "cantho-bus/stops.csv", None),
    ("cantho_gpkg_lines", "cantho-osm/cantho_osm_layers.gpkg", "lines"),
    ("cantho_gpkg_areas", "cantho-osm/cantho_osm_layers.gpkg", "multipolygons"),
    ("poa_places", "porto-alegre/poa_points_of_interest.csv", None),
    ("delft_buildings", "cityjson/rotterdam_subset.city.json", None),
)
Shared = Callable[[str], Path]


def list_truth(rule: LayerRule) -> dict[str, set[str]]:
    """Return what a hand-made rule says: names of properties, id and coordinates, and what each may come from."""
    truth = {name: set(one.columns) for name, one in rule.properties.items()}
    truth |= {name: {str(value)} for name, value in rule.constants.items()}
    truth["@id"] = {rule.id or ""}
    if rule.geometry.x and rule.geometry.y:
        truth |= {"@x": {rule.geometry.x}, "@y": {rule.geometry.y}}
    return truth


def list_proposed(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield what a draft says that it is sure of, in the same words."""
    yield from ((line.name, line.columns[0]) for line in draft.lines if line.is_sure)
    yield from ((name, str(guess.value)) for name, guess in draft.constants.items())
    yield "@id", draft.id.value
    if draft.geometry is not None and "x" in draft.geometry.value:
        yield from ((f"@{axis}", draft.geometry.value[axis]) for axis in ("x", "y"))


def is_right(name: str, source: str, truth: dict[str, set[str]], draft: Draft, frame: pd.DataFrame) -> bool:
    """Return whether a proposal comes to what the hand-made mapping does.

    Another column with the same values is as right, and so is a column whose every code is the constant set by hand.
    """
    if source in truth.get(name, ()):
        return True
    for column in truth.get(name, ()):
        if {column, source} <= set(frame.columns) and frame[column].astype(str).equals(frame[source].astype(str)):
            return True
    line = next((one for one in draft.lines if one.name == name), None)
    codes = line.parts.get("codes") if line else None
    return codes is not None and {code for code in codes.value.values() if code} == truth.get(name)


def measure(files: Sequence[tuple[str, str, str | None]], shared: Shared) -> tuple[float, float, int]:
    """Return precision and recall of the proposals by the hand-made mappings, and how many layers are right.

    Where the layer is wrong the lines are measured with the right one given.
    """
    right = wrong = missed = layers = 0
    for name, relative, table in files:
        path = shared(relative)
        rule = read_mapping(MAPPINGS / f"{name}.yml").layers[0]
        raw = next(cut_chunks(read_file(path, table=table), 2000))
        draft = propose_mapping(raw, path, table=table)
        layers += draft.layer.id == rule.layer
        if draft.layer.id != rule.layer:
            draft = propose_mapping(raw, path, table=table, layer_id=rule.layer)
        truth, proposed = list_truth(rule), list(list_proposed(draft))
        good = {what for what, source in proposed if is_right(what, source, truth, draft, raw.frame)}
        right, wrong, missed = right + len(good), wrong + len(proposed) - len(good), missed + len(set(truth) - good)
    return right / (right + wrong), right / (right + missed), layers


@pytest.mark.parametrize(
    ("files", "least"), [(TUNED, (0.93, 0.87, 20)), (UNSEEN, (0.8, 0.68, 10))], ids=["tuned", "unseen"]
)
def test_proposals_for_real_files_are_right(
    files: Sequence[tuple[str, str, str | None]],
    least: tuple[float, float, int],
    shared: Shared,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured = measure(files, shared)
    with capsys.disabled():
        words = "proposals: precision {:.3f}, recall {:.3f}, layers {}".format(*measured)
        print(f"\n{words} of {len(files)}", end=" ")
    assert all(found >= wanted for found, wanted in zip(measured, least, strict=True))


def make_raw(**columns: Any) -> Raw:
    return Raw(pd.DataFrame(columns), None, None)


MANHOLES = make_raw(
    **{
        "Mã hố ga": [f"HG-{n:03}" for n in range(40)],
        "Kinh độ": [105.77 + n * 1e-4 for n in range(40)],
        "Vĩ độ": [10.03 + n * 1e-4 for n in range(40)],
        "Loại": ["Hố ga", "Cửa thu", "Cửa xả", "Hố ga"] * 10,
        "Cao độ đáy (m)": [-1.2 + n * 0.01 for n in range(40)],
        "Vật liệu": ["BTCT", "Gạch", "Bê tông", "BTCT"] * 10,
        "Hiện trạng": ["Tốt", "Hư hỏng", "Trung bình", "Tốt"] * 10,
        "Ngày lắp đặt": ["25/03/2011", "01/12/1998", "14/07/2005", "30/06/2015"] * 10,
        "Người nhập": ["Nguyễn Văn A"] * 40,
    }
)
PIPES = make_raw(
    ma_tuyen=[f"C{n}" for n in range(30)],
    WKT=[f"LINESTRING (105.77 {10 + n / 1000}, 105.78 {10 + n / 1000})" for n in range(30)],
    DUONG_KINH=["600", "800", "1000"] * 10,
    CHIEU_DAI=["32.5", "41", "28.75"] * 10,
    MAT_CAT=["Tròn", "Hộp", "Tròn"] * 10,
    HE_THONG=["Nước mưa", "Nước thải", "Chung"] * 10,
    LOAI_CONG=["Cống tròn", "Mương hở", "Cống hộp"] * 10,
)
LIGHTS = make_raw(
    id=[f"d{n}" for n in range(30)],
    lon=[105.7 + n / 1000 for n in range(30)],
    lat=[10.0 + n / 1000 for n in range(30)],
    cong_suat=["150W", "250W", "100W"] * 10,
    loai_bong=["LED", "Cao áp", "LED"] * 10,
    chieu_cao_cot=[8, 9, 10] * 10,
    ma_tu=["T1", "T2", "T3"] * 10,
)


@pytest.mark.parametrize(
    ("raw", "file", "layer", "expected"),
    [
        (
            MANHOLES, "ho_ga_ninh_kieu.csv", "drainage_nodes",
            {"node_type": "Loại", "invert_elevation": "Cao độ đáy (m)", "material": "Vật liệu",
             "condition": "Hiện trạng", "installed": "Ngày lắp đặt", "@id": "Mã hố ga", "@x": "Kinh độ", "@y": "Vĩ độ"},
        ),
        (
            PIPES, "TUYEN_CONG.csv", "drainage_links",
            {"link_type": "LOAI_CONG", "system": "HE_THONG", "shape": "MAT_CAT", "height": "DUONG_KINH",
             "length": "CHIEU_DAI", "@id": "ma_tuyen"},
        ),
        (
            LIGHTS, "den_chieu_sang.xlsx", "luminaires",
            {"power": "cong_suat", "lamp_type": "loai_bong", "mounting_height": "chieu_cao_cot", "cabinet_id": "ma_tu",
             "@id": "id", "@x": "lon", "@y": "lat"},
        ),
    ],
    ids=["manholes", "pipes", "lights"],
)  # fmt: skip
def test_vietnamese_tables(raw: Raw, file: str, layer: str, expected: dict[str, str]) -> None:
    draft = propose_mapping(raw, Path(file))
    assert draft.layer.id == layer
    assert expected.items() <= dict(list_proposed(draft)).items()


def test_units_codes_and_dates_of_vietnamese_tables(tmp_path: Path) -> None:
    rule = write_and_read(propose_mapping(PIPES, Path("cong.csv"), layer_id="drainage_links"), tmp_path)
    # 600 to 1000 cannot be metres of a sewer.
    assert rule.properties["height"].unit == "mm"
    assert rule.properties["system"].codes == {"Nước mưa": "storm", "Nước thải": "sanitary", "Chung": "combined"}
    assert rule.geometry.wkt == "WKT"
    rule = write_and_read(propose_mapping(MANHOLES, Path("ho_ga.csv")), tmp_path)
    assert rule.properties["material"].codes["BTCT"] == "reinforced_concrete"
    assert rule.properties["condition"].codes["Hư hỏng"] == "failed"
    assert rule.ignore == ("Người nhập",)


def write_and_read(draft: Draft, folder: Path) -> LayerRule:
    path = folder / "written.yml"
    path.write_text(write_draft(draft), encoding="utf-8")
    return read_mapping(path).layers[0]


def test_sentinels_apart_from_all_others_are_declared() -> None:
    raw = make_raw(x=[105.7] * 50, y=[10.0] * 50, rim_elevation=["2.5", "1.9", "9999", "3.1", "2.2"] * 10)
    draft = propose_mapping(raw, Path("manholes.csv"), layer_id="drainage_nodes")
    (line,) = (line for line in draft.lines if line.name == "ground_elevation")
    assert line.parts["nodata"].value == [9999]


def test_survey_axes_of_viet_nam_are_exchanged() -> None:
    # X of the survey points north: 1,109,000 m; Y east: 586,000 m (VN-2000, Can Tho).
    raw = make_raw(
        X=[1109000.0 + n for n in range(20)], Y=[586000.0 + n for n in range(20)], ma=list("abcdefghijklmnopqrst")
    )
    draft = propose_mapping(raw, Path("cay.csv"), layer_id="trees")
    assert draft.geometry is not None
    assert draft.geometry.value == {"x": "Y", "y": "X"}


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"vi_tri": ["10.03, 105.77", "10.04, 105.78"]}, {"xy": "vi_tri", "swap": "yes"}),
        ({"location": ["105.77, 10.03", "105.78, 10.04"]}, {"xy": "location"}),
        ({"hinh": ["POINT (105.7 10)", "POINT (105.8 10)"]}, {"wkt": "hinh"}),
        ({"ma_xa": ["31135", "31147"]}, {"ward": "ma_xa", "as": "point"}),
    ],
)
def test_places_in_one_column(columns: dict[str, Any], rule: dict[str, str], tmp_path: Path) -> None:
    draft = propose_mapping(make_raw(ten=["a", "b"], **columns), Path("diem.csv"), layer_id="stops")
    assert draft.geometry is not None
    assert draft.geometry.value == rule
    assert write_and_read(draft, tmp_path).geometry.columns == (next(iter(columns)),)


def test_a_file_without_any_place_is_told(tmp_path: Path) -> None:
    draft = propose_mapping(make_raw(ten=["a", "b"]), Path("diem.csv"), layer_id="stops")
    assert "# geometry" in write_draft(draft)
    assert write_and_read(draft, tmp_path).geometry.columns == ()


def test_a_crs_is_listed_and_not_chosen(tmp_path: Path) -> None:
    # In the grid of Can Tho (VN-2000, 105°, 3° zone); the city is where the wards of Ninh Kieu are.
    raw = make_raw(x=[584000.0, 586000.0], y=[1109000.0, 1110000.0], ma=["a", "b"])
    area = CityArea("Cần Thơ", (105.2, 9.2, 106.3, 10.4), 5897, True)
    draft = propose_mapping(raw, Path("cay.csv"), layer_id="trees", find_area=lambda: area)
    assert "EPSG:5897" in [guess.value for guess in draft.crs]
    written = write_draft(draft)
    assert "# crs:" in written
    assert "\ncrs:" not in written
    unknown = propose_mapping(raw, Path("cay.csv"), layer_id="trees")
    assert "REQUIRED: the file does not say its CRS" in write_draft(unknown)
    assert write_and_read(unknown, tmp_path).layer == "trees"


def test_what_is_not_sure_is_commented_out(tmp_path: Path) -> None:
    raw = make_raw(x=[105.7, 105.8], y=[10.0, 10.1], danh_gia=["Tốt", "Kém"], stt=["1", "2"])
    draft = propose_mapping(raw, Path("cay.csv"), layer_id="trees")
    (line,) = (line for line in draft.lines if line.columns == ("danh_gia",))
    assert line.confidence < SURE
    written = write_draft(draft)
    assert "# condition:" in written
    assert "condition" not in write_and_read(draft, tmp_path).properties
    assert "condition" in read_after_uncommenting(written, tmp_path).properties


def read_after_uncommenting(written: str, folder: Path) -> LayerRule:
    path = folder / "reviewed.yml"
    lines = [line.replace("# ", "", 1) if line.startswith("      # ") else line for line in written.splitlines()]
    path.write_text("\n".join(lines).replace("    # properties:", "    properties:"), encoding="utf-8")
    return read_mapping(path).layers[0]


def test_a_required_property_without_column_is_told() -> None:
    raw = make_raw(x=[105.7, 105.8], y=[10.0, 10.1], ghi_chu=["a", "b"])
    draft = propose_mapping(raw, Path("tram_do.csv"), layer_id="sensors")
    assert set(draft.missing) == {"name", "kind"}
    assert "REQUIRED" in write_draft(draft)


def test_unknown_layer_is_named() -> None:
    with pytest.raises(NotFoundError, match="shrubs"):
        propose_mapping(MANHOLES, Path("a.csv"), layer_id="shrubs")


_CELLS = st.one_of(
    st.none(), st.text(max_size=12), st.integers(-(10**6), 10**6).map(str), st.just("9999"), st.just("1/1/1753")
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=14), st.lists(_CELLS, min_size=6, max_size=6), min_size=1, max_size=6)
)
def test_any_table_gets_a_mapping_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, Any]
) -> None:
    draft = propose_mapping(make_raw(**columns), Path("bảng # 1: lạ.csv"), layer_id="drainage_nodes")
    written = write_draft(draft)
    assert write_and_read(draft, tmp_path_factory.mktemp("drafts")).layer == "drainage_nodes"
    assert set(yaml.safe_load(written)) <= {"layers", "crs"}
    # Every column is somewhere: used, left out as personal, or listed as not mapped.
    used = {name for line in draft.lines for name in line.columns} | set(draft.ignored) | {draft.id.value}
    geometry = set(draft.geometry.value.values()) if draft.geometry is not None else set()
    assert set(columns) <= used | geometry | {one.column for one in draft.unmapped}
