"""The table of VN-2000 is EPSG's own, and a grid is known by its parameters and nothing else."""

import re
import unicodedata

import pytest
from pyproj import CRS
from pyproj.database import query_crs_info

from layers.ingest.vn2000 import GRIDS, GRIDS_3, GRIDS_6, MERGED, PROVINCES, list_grids, recognise


def write_prj(name: str, gcs: str, datum: str, meridian: float, scale: float = 0.9999, easting: float = 5e5) -> str:
    """Return a projection file as ESRI's programs write them, without an authority."""
    return (
        f'PROJCS["{name}",GEOGCS["{gcs}",DATUM["{datum}",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
        'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
        f'PARAMETER["False_Easting",{easting}],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],'
        f'PARAMETER["Scale_Factor",{scale}],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )


def test_every_grid_epsg_lists_is_here_with_its_parameters() -> None:
    listed = {int(one.code) for one in query_crs_info("EPSG") if one.name.startswith("VN-2000 /")}
    assert listed == set(GRIDS)
    for grids, scale in ((GRIDS_3, 0.9999), (GRIDS_6, 0.9996)):
        for meridian, code in grids.items():
            operation = CRS.from_epsg(code).coordinate_operation
            assert operation is not None
            assert [float(one.value) for one in operation.params] == [0.0, meridian, scale, 500_000.0, 0.0]


def test_every_province_is_in_the_area_epsg_names_for_its_grid() -> None:
    areas: dict[int, str] = {}
    for one in query_crs_info("EPSG"):
        if one.name.startswith("VN-2000 / TM-3") and one.area_of_use:
            areas[int(one.code)] = f"{areas.get(int(one.code))} {one.area_of_use.name}"
    for name, meridian in PROVINCES.items():
        assert bare(name) in bare(areas[GRIDS_3[meridian]]), name
    assert len(PROVINCES) == 63


def bare(words: str) -> str:
    plain = unicodedata.normalize("NFD", words.replace("Đ", "D").replace("đ", "d"))
    return re.sub("[^a-z]", "", "".join(one for one in plain if not unicodedata.combining(one)).lower())


def test_thirty_four_provinces_are_made_of_all_sixty_three() -> None:
    assert len(MERGED) == 34
    assert sorted(old for parts in MERGED.values() for old in parts) == sorted(PROVINCES)


@pytest.mark.parametrize(
    ("title", "grids"),
    [
        ("Thành phố Cần Thơ", (5897, 9209)),
        ("Can Tho City", (5897, 9209)),
        ("Tỉnh Vĩnh Long", (9209, 9210)),
        ("Sóc Trăng", (9209,)),
        ("Porto Alegre", ()),
    ],
)
def test_grids_of_a_title(title: str, grids: tuple[int, ...]) -> None:
    assert list_grids(title) == grids


@pytest.mark.parametrize("code", GRIDS)
def test_every_grid_is_known_without_its_code(code: int) -> None:
    assert recognise(CRS.from_wkt(CRS.from_epsg(code).to_wkt("WKT1_ESRI"))) == code


UNNAMED = ("GCS_Unknown", "D_Unknown")
VN = ("GCS_VN_2000", "D_Vietnam_2000")
WGS = ("GCS_WGS_1984", "D_WGS_1984")


@pytest.mark.parametrize(
    ("prj", "code"),
    [
        (write_prj("VN_2000_3deg_105_30", "GCS_VN_2000", "D_VN_2000", 105.5), 9209),
        (write_prj("VN-2000_CanTho", "GCS_VN-2000", "D_VN-2000", 105.0), 5897),
        (write_prj("VN2000_KTT_105", *WGS, 105.0), 5897),
        (write_prj("noname", *UNNAMED, 105.75), 9210),
        (write_prj("VN_2000_UTM_Zone_48N", *VN, 105.0, 0.9996), 3405),
        # A grid on WGS 84, a meridian of no grid, another scale, a false easting with the zone before it: not exact.
        (write_prj("TM_105_45", *WGS, 105.75), None),
        (write_prj("WGS_1984_UTM_Zone_48N", *WGS, 105.0, 0.9996), None),
        (write_prj("VN_2000", *VN, 105.1), None),
        (write_prj("VN_2000", *VN, 105.0, 1.0), None),
        (write_prj("VN_2000", *VN, 105.0, 0.9996, 48_500_000.0), None),
    ],
)
def test_projection_files_without_authority(prj: str, code: int | None) -> None:
    assert recognise(CRS.from_wkt(prj)) == code


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        ("-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278", 9215),
        ("-192.873,-39.382,-111.202,-0.00205,-0.0005,0.00335,0.0188", 9215),
        ("1,2,3,0,0,0,0", None),
        ("0,0,0,0,0,0,0", None),
    ],
)
def test_a_shift_of_its_own_names_the_datum(shift: str, code: int | None) -> None:
    words = f"+proj=tmerc +lon_0=107.25 +k=0.9999 +x_0=500000 +ellps=WGS84 +towgs84={shift}"
    assert recognise(CRS.from_user_input(words)) == code


@pytest.mark.parametrize("code", [32648, 2044, 4326, 2263, 3857, 6957])
def test_other_systems_are_none_of_them(code: int) -> None:
    assert recognise(CRS.from_epsg(code)) is None
