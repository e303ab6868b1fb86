"""Wards of Can Tho as old offices keep them (local grid, no .prj, TCVN3) land, readable, on the official boundary."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import Engine, text

from layers.errors import CrsError
from layers.ingest.catalog import Source
from layers.ingest.crs import Shapes
from layers.ingest.load import load_source
from tests.layers.ingest.legacy import write_tcvn3

WARDS = "vn-admin-2025/can_tho_wards_2025.geojson"
WARD = "31135"
MAPPING = """
layers:
  - layer: wards
    id: MA
    properties:
      ward_code: MA
      name: TEN
      ward_type: {column: LOAI, codes: {Phường: ward, Xã: commune}}
"""
# WGS 84 → VN-2000 by EPSG:6960 and onto a 3° grid, written out by hand from the EPSG registry, step for step.
PIPELINE = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 "
    "+step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 +rx=-0.00928836 +ry=0.01975479 "
    "+rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame +step +inv +proj=cart +ellps=WGS84 +step +proj=pop "
    "+v_3 +step +proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"
)


def move(shapes: Shapes, moving: Transformer) -> Shapes:
    moved: Shapes = shapely.transform(shapes, lambda points: np.column_stack(moving.transform(*points.T)))
    return moved


def write_old_shapefile(wards: gpd.GeoDataFrame, meridian: float, path: Path) -> None:
    """Write wards as MapInfo and ArcView users of the 1990s left them: bytes of TCVN3, no word of encoding or CRS."""
    shapes = move(wards.geometry.to_numpy(), Transformer.from_pipeline(PIPELINE.format(meridian=meridian)))
    kind = wards["fullName"].str.split(" ").str[0]
    frame = gpd.GeoDataFrame(
        {"MA": wards["code"], "TEN": wards["name"].map(write_tcvn3), "LOAI": kind.map(write_tcvn3)}, geometry=shapes
    )
    frame.to_file(path, encoding="ISO-8859-1")
    for suffix in (".prj", ".cpg"):
        path.with_suffix(suffix).unlink(missing_ok=True)


def read_official(path: Path) -> gpd.GeoDataFrame:
    wards = gpd.read_file(path)
    assert len(wards) == 103
    return wards


@pytest.mark.parametrize(("meridian", "code"), [(105.0, 5897), (105.5, 9209)])
def test_a_ward_lands_on_its_boundary(
    engine: Engine,
    tmp_path: Path,
    shared: Callable[[str], Path],
    make_source: Callable[..., Source],
    write_mapping: Callable[[str], str],
    meridian: float,
    code: int,
) -> None:
    wards = read_official(shared(WARDS))
    file = tmp_path / "phuong.shp"
    write_old_shapefile(wards, meridian, file)
    source = make_source(file, id=f"wards-{code}", layer="wards", mapping=write_mapping(MAPPING))
    with engine.begin() as connection:
        connection.execute(text("delete from city.wards"))
        words = '{"title": {"vi": "Thành phố Cần Thơ"}, "bounds": [105.226, 9.245, 106.298, 10.325]}'
        connection.execute(text("update meta.city set declaration = cast(:words as jsonb)"), {"words": words})
    with pytest.raises(CrsError) as caught:
        load_source(engine, source, tmp_path)
    assert f"--crs EPSG:{code} (" in str(caught.value)
    assert "does not say its coordinate reference system" in str(caught.value)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from city.wards")).scalar_one() == 0

    (report,) = load_source(engine, source, tmp_path, crs=f"EPSG:{code}")
    assert (report.loaded, report.quarantined) == (103, 0)
    assert report.encoding is not None and "tcvn3" in report.encoding
    with engine.connect() as connection:
        rows = connection.execute(
            text("select id, name, ward_type, st_asbinary(st_transform(geom, 32648)) as wkb from city.wards order by 1")
        ).all()
    official = wards.sort_values("code")
    assert [row.id for row in rows] == official["code"].tolist()
    # TCVN3 has no capitals with tone marks: of "Nhơn Ái" it keeps "Nhơn ái".
    names = list(zip([row.name for row in rows], official["name"], strict=True))
    assert all(kept.casefold() == name.casefold() for kept, name in names)
    assert [name for kept, name in names if kept != name] == ["Nhơn Ái"]
    assert {row.ward_type for row in rows} == {"ward", "commune"}
    truth = move(official.geometry.to_numpy(), Transformer.from_crs(4326, 32648, always_xy=True))
    stored: Shapes = np.asarray(shapely.from_wkb([row.wkb for row in rows]), dtype=object)
    same = [shapely.get_coordinates(shapely.normalize(shapes)) for shapes in (stored, truth)]
    assert np.hypot(*(same[0] - same[1]).T).max() < 0.01
    at = [row.id for row in rows].index(WARD)
    assert rows[at].name == "Ninh Kiều"
    odd = shapely.area(shapely.symmetric_difference(stored[at], truth[at]))
    assert odd < 0.01 * shapely.length(truth[at])
