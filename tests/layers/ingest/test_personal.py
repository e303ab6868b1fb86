"""Personal data are found by the name of a column or by what is in it; what only looks so is left."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from layers.ingest.personal import find_personal_columns

# The columns of the thirteen inventories that hold names of persons, by reading them.
BOSTON = {
    "Arlington_WGS84_v2_0_filtered.csv": {"lasteditor", "mapped_by", "map_by_ot"},
    "Burlington_CBN_WGS84_20220627.csv": {"EDITBY"},
    "CambridgeSew_Catchbasin_filtered.csv": {"LASTEDITOR"},
    "Chelsea_catchbasins_WGS84_20220623_filtered.csv": set(),
    "Everett_Drain_Catch_Basin_WGS84_20220421.csv": {"Inspector"},
    "Lexington_storm_inlets_0.csv": {"Editor"},
    "Melrose_ssCatchBasins_0.csv": {"INITIAL", "CREW"},
    "Reading_catchbasins_WGS84_20220623.csv": {"LASTEDITOR"},
    "Somerville_Catch_Basins_0.csv": set(),
    "Watertown_catchbasins_LatLong_20220623.csv": {"Last Editor"},
    "Winchester_swInlet_1.csv": {"LASTEDITOR"},
    "Woburn_catchbasins_WGS84_20220623.csv": {"p_lastedit", "p_mapped_b", "p_map_by_o"},
    "medford_drains_updated_07-13-21.csv": set(),
    "somerville-catch-basins-2023-05-07.csv": {"created_user", "last_edited_user"},
}


@pytest.mark.parametrize(("file", "expected"), BOSTON.items())
def test_real_drains(file: str, expected: set[str], shared: Callable[[str], Path]) -> None:
    table = pd.read_csv(shared(f"drains-boston-metro/{file}"), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert set(find_personal_columns(table)) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("sewer-vermont/Montpelier/MontpelierPointFeatures.geojson", {"Creator"}),
        ("nanaimo-water/pipes.shp", set()),
        ("vn-admin-2025/can_tho_wards_2025.geojson", set()),
        ("cantho-osm/healthcare_facilities_cantho.geojson", {"email", "phone"}),
    ],
)
@pytest.mark.filterwarnings("ignore:Several features with id")
def test_other_real_tables(file: str, expected: set[str], shared: Callable[[str], Path]) -> None:
    table = pyogrio.read_dataframe(shared(file), read_geometry=False)
    assert set(find_personal_columns(pd.DataFrame(table))) == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("nguoi_nhap", ["An"]), ("Người cập nhật", ["An"]), ("nguoi_sua", [""]), ("CREATED_US", ["x"]),
        ("LAST_EDITE", ["gis"]), ("chu_ho", ["x"]), ("SĐT", ["x"]), ("Số điện thoại", ["x"]), ("CCCD", ["x"]),
        ("so_cmnd", ["x"]), ("E-mail", ["x"]), ("Họ và tên", ["x"]), ("DienThoai", ["x"]), ("ngay_sinh", ["1/1/1980"]),
        ("a", ["an@cantho.gov.vn", "ghi chú"]), ("a", ["0292 3 822 255"]), ("a", ["+84 912 345 678; 0912345678"]),
        ("a", ["(0710) 3.822.255".replace("710", "292")]), ("a", ["617-555-0123"]), ("a", ["092085001234"]),
        ("chu_so_huu", ["Nguyễn Văn An", "Trần Thị Bé"]), ("Owner", ["Hộ ông Ba", "City"]), ("owner", ["LE VAN TAM"]),
    ],
)  # fmt: skip
def test_personal(name: str, values: list[str]) -> None:
    assert list(find_personal_columns(pd.DataFrame({name: values}))) == [name]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("chu_so_huu", ["Công ty Cấp nước Cần Thơ", "UBND phường"]), ("Owner", ["City", "Private"]), ("OWNEDBY", ["1"]),
        ("LAST_EDITE", ["2020-01-01", "2021-05-06"]), ("EDITDATE", ["11/26/08"]), ("ten_duong", ["Nguyễn Trãi"]),
        ("fullName", ["Phường Ninh Kiều"]), ("ghi_chu", ["gọi 0912345678 trước", "nắp vỡ", "mới"]),
        ("ma", ["1234567890", "2345678901"]), ("phone", [""]), ("INSTALLDAT", ["1/1/1753"]), ("credits", ["x"]),
    ],
)  # fmt: skip
def test_not_personal(name: str, values: list[str]) -> None:
    assert find_personal_columns(pd.DataFrame({name: values})) == {}


def test_numbers_are_no_telephones_and_keep_overrules() -> None:
    assert find_personal_columns(pd.DataFrame({"a": [912345678, 2923822255]})) == {}
    frame = pd.DataFrame({"phone": ["0292 3 822 255"], "editor": ["An"]})
    assert find_personal_columns(frame, keep=["phone"]) == {"editor": "by its name"}
