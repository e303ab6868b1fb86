"""OGC API Maps: frames from boxes, centres and scales, headers that say what was drawn, grounds, times, collections."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyproj import Geod
from starlette.testclient import TestClient

from api.maps.subsets import parse_subset
from layers.datum import make_transformer
from layers.errors import InputError
from layers.registry import VECTOR_LAYERS
from tests.api.conftest import ADDRESS, X0, Y0

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
REL = "http://www.opengis.net/def/rel/ogc/1.0/map"
SOUTH = f"{X0},{Y0 - 900},{X0 + 500},{Y0 - 400}"


def ask(client: TestClient, collection: str, **asked: Any) -> Any:
    return client.get(f"/api/collections/{collection}/map", params={k.replace("_", "-"): v for k, v in asked.items()})


def read(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def box_of(answer: Any) -> list[float]:
    return [float(part) for part in answer.headers["content-bbox"].split(",")]


def degrees(lower: tuple[float, float], upper: tuple[float, float]) -> list[float]:
    return list(make_transformer("EPSG:5897", "OGC:CRS84").transform_bounds(*lower, *upper))


@pytest.mark.conformance(
    "ogcapi-maps-1/1.0/conf/core", "ogcapi-maps-1/1.0/conf/collection-map", "ogcapi-maps-1/1.0/conf/png"
)
def test_a_collection_is_linked_to_its_map_in_the_city_s_crs(client: TestClient) -> None:
    for name in ("buildings", "terrain"):
        described = client.get(f"/api/collections/{name}").json()
        link = next(link for link in described["links"] if link["rel"] == REL)
        answer = client.get(link["href"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert read(answer)[..., 3].any()
        # Without a crs it is that the collection is stored in.
        assert answer.headers["content-crs"] == f"<{described['storageCrs']}>"
        x0, y0, x1, y1 = box_of(answer)
        assert x0 < X0 + 600 < x1
        assert y0 < Y0 + 57 < y1
    assert client.get("/api/collections/none/map").status_code == 404


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/spatial-subsetting", "ogcapi-maps-1/1.0/conf/crs")
def test_boxes_come_in_any_crs_and_are_told_in_that_of_the_map(client: TestClient) -> None:
    west, south, east, north = degrees((X0, Y0 - 100), (X0 + 300, Y0 + 100))
    plain = ask(client, "buildings", bbox=f"{west},{south},{east},{north}", crs=CRS84, width=300, height=200)
    assert "content-crs" not in plain.headers
    assert box_of(plain) == pytest.approx([west, south, east, north], abs=1e-8)
    flipped = ask(client, "buildings", bbox=f"{south},{west},{north},{east}", bbox_crs=f"{EPSG}4326",
                  crs=f"{EPSG}4326", width=300, height=200)  # fmt: skip
    assert box_of(flipped) == pytest.approx([south, west, north, east], abs=1e-8)
    assert flipped.headers["content-crs"] == f"<{EPSG}4326>"
    assert (read(flipped) == read(plain)).all()
    subset = ask(client, "buildings", subset=[f"Lat({south}:{north})", f"Lon({west}:{east})"], crs="[OGC:CRS84]",
                 width=300, height=200)  # fmt: skip
    assert (read(subset) == read(plain)).all()
    city = ask(client, "buildings", subset=f"x({X0}:{X0 + 300}),y({Y0 - 100}:{Y0 + 100})", subset_crs=f"{EPSG}5897",
               width=300, height=200)  # fmt: skip
    assert box_of(city) == [X0, Y0 - 100, X0 + 300, Y0 + 100]


@pytest.mark.conformance(
    "ogcapi-maps-1/1.0/conf/spatial-subsetting",
    "ogcapi-maps-1/1.0/conf/scaling",
    "ogcapi-maps-1/1.0/conf/display-resolution",
)
def test_a_centre_and_a_scale_make_the_box(client: TestClient) -> None:
    lon, lat = make_transformer("EPSG:5897", "OGC:CRS84").transform(X0 + 200, Y0)
    for crs in (f"{EPSG}5897", f"{EPSG}3857", CRS84):
        answer = ask(client, "trees", center=f"{lon},{lat}", width=400, height=300, scale_denominator=2500, crs=crs)
        assert read(answer).shape[:2] == (300, 400)
        x0, y0, x1, y1 = box_of(answer)
        middle = ("OGC:CRS84" if crs == CRS84 else f"EPSG:{crs.rsplit('/', 1)[1]}", (y0 + y1) / 2.0)
        back = make_transformer(middle[0], "OGC:CRS84")
        left, right = back.transform(x0, middle[1]), back.transform(x1, middle[1])
        ground = Geod(ellps="WGS84").inv(*left, *right)[2]
        # 400 pixels of 0.28 mm at 1:2500 are 280 m; a sphere and the ellipsoid differ by 0.7 % at most.
        assert ground == pytest.approx(280.0, rel=0.007)
    fine = ask(client, "trees", center=f"{lon},{lat}", width=400, height=300, scale_denominator=2500, mm_per_pixel=0.14)
    x0, _, x1, _ = box_of(fine)
    assert x1 - x0 == pytest.approx(140.0, rel=0.007)


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/scaling")
def test_the_size_that_is_not_asked_for_follows_the_shape_of_the_box(client: TestClient) -> None:
    box = {"bbox": f"{X0},{Y0},{X0 + 400},{Y0 + 100}", "bbox_crs": f"{EPSG}5897"}
    assert read(ask(client, "terrain", **box)).shape[:2] == (256, 1024)
    assert read(ask(client, "terrain", width=200, **box)).shape[:2] == (50, 200)
    assert read(ask(client, "terrain", height=30, **box)).shape[:2] == (30, 120)
    scaled = read(ask(client, "terrain", scale_denominator=1000, **box))
    assert scaled.shape[1] == pytest.approx(400 / 0.28, rel=0.007)


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/background")
def test_the_ground_is_clear_unless_a_colour_is_asked_for(client: TestClient) -> None:
    size = {"bbox": f"{X0},{Y0 + 40},{X0 + 120},{Y0 + 80}", "bbox_crs": f"{EPSG}5897", "width": 120, "height": 40}

    def corner(**asked: Any) -> list[int]:
        return list(read(ask(client, "buildings", **size, **asked))[0, 0].tolist())

    assert corner() == [0, 0, 0, 0]
    assert corner(transparent="false") == [255, 255, 255, 255]
    assert corner(bgcolor="0xFFEEDD") == [255, 238, 221, 255]
    assert corner(bgcolor="Navy") == [0, 0, 128, 255]
    assert corner(bgcolor="0xFFEEDD", transparent="true")[3] == 0
    assert ask(client, "buildings", bgcolor="nice", **size).status_code == 400


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/png", "ogcapi-maps-1/1.0/conf/jpeg")
def test_formats_are_chosen_by_f_or_by_accept(client: TestClient) -> None:
    for f, kind in (("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")):
        answer = ask(client, "terrain", f=f, width=64)
        assert answer.headers["content-type"] == f"image/{f}"
        assert Image.open(io.BytesIO(answer.content)).format == kind
    jpeg = client.get("/api/collections/terrain/map?width=64", headers={"accept": "image/jpeg,*/*;q=0.5"})
    assert jpeg.headers["content-type"] == "image/jpeg"


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/datetime")
def test_a_time_chooses_the_step_and_is_told(client: TestClient) -> None:
    box = {"bbox": SOUTH, "bbox_crs": f"{EPSG}5897", "width": 40}
    wet = ask(client, "flood_depth", datetime="2026-11-01T02:00:00Z", **box)
    assert wet.headers["content-datetime"] == "2026-11-01T02:00:00Z"
    assert read(wet)[..., 3].all()
    dry = ask(client, "flood_depth", datetime="2026-11-01T00:10:00Z", **box)
    assert dry.headers["content-datetime"] == "2026-11-01T00:00:00Z"
    assert not read(dry)[..., 3].any()
    within = ask(client, "flood_depth", datetime="../2026-11-01T01:30:00Z", **box)
    assert within.headers["content-datetime"] == "2026-11-01T01:00:00Z"
    subset = ask(client, "flood_depth", subset='time("2026-11-01T02:00:00Z")', **box)
    assert subset.content == wet.content
    assert ask(client, "flood_depth", datetime="2027-01-01T00:00:00Z", **box).status_code == 204
    assert ask(client, "flood_depth", datetime="soon", **box).status_code == 400
    # What has no time is drawn at any; features as they were then.
    assert "content-datetime" not in ask(client, "terrain", datetime="2027-01-01T00:00:00Z", **box).headers
    near = {"bbox": f"{X0},{Y0 - 50},{X0 + 100},{Y0 + 50}", "bbox_crs": f"{EPSG}5897", "width": 100}
    assert read(ask(client, "trees", **near))[..., 3].any()
    assert not read(ask(client, "trees", datetime="2001-01-01T00:00:00Z", **near))[..., 3].any()


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/collections-selection")
def test_collections_lie_over_each_other_in_the_order_they_are_named(client: TestClient) -> None:
    box = {"bbox": f"{X0},{Y0 + 40},{X0 + 120},{Y0 + 80}", "bbox-crs": f"{EPSG}5897", "width": "120", "height": "40"}

    def draw(collections: str) -> np.ndarray:
        return read(client.get("/api/map", params={"collections": collections, **box}))

    over, under = draw("terrain,buildings"), draw("buildings,terrain")
    assert over[22, 10].tolist() == [0xE3, 0xCD, 0xB8, 0xFF]
    assert under[22, 10].tolist() != over[22, 10].tolist()
    assert (draw(f"{ADDRESS}/api/collections/terrain,{ADDRESS}/api/collections/buildings") == over).all()
    assert client.get("/api/map?collections=buildings,none").status_code == 404
    assert client.get(f"/api/map?collections={','.join(['trees'] * 33)}").status_code == 400
    landing = client.get("/api").json()["links"]
    whole = client.get(next(link["href"] for link in landing if link["rel"] == REL))
    assert read(whole)[..., 3].any()


def test_a_layer_of_small_things_is_shown_where_it_can_be_seen(client: TestClient) -> None:
    """The trees reach over 1.9 km: on 45 pixels they are not drawn yet, so it is their middle that is shown."""
    answer = ask(client, "trees", width=45)
    assert read(answer)[..., 3].any()
    x0, _, x1, _ = box_of(answer)
    assert (x1 - x0) / 45 == pytest.approx(
        559082264.0287 / 2 ** (VECTOR_LAYERS["trees"].min_zoom + 1) * 0.00028, rel=0.02
    )


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"bbox": "1,2,3"}, 400),
        ({"bbox": "3,2,1,4"}, 400),
        ({"bbox": "nan,1,2,3"}, 400),
        ({"bbox": "105,10,106,11", "center": "105,10"}, 400),
        ({"bbox": "105,10,106,11", "subset": "Lat(10:11)"}, 400),
        ({"bbox": "105,10,106,11", "scale_denominator": "1000", "width": "10"}, 400),
        ({"bbox": "105,10,106,11", "bbox_crs": "nonsense"}, 400),
        ({"crs": "EPSG:999999"}, 400),
        ({"width": "0"}, 400),
        ({"width": "5000"}, 413),
        ({"width": "4000", "height": "4000"}, 413),
        ({"bbox": "105,10,106,11", "scale_denominator": "10"}, 413),
        ({"center": "here"}, 400),
        ({"center": "inf,1"}, 400),
        ({"center": "0,-90", "crs": "EPSG:32661"}, 400),
        ({"bbox": "105.78,10.03,105.7800000001,10.0300000001", "bbox_crs": "EPSG:5897"}, 400),
        ({"mm_per_pixel": "-1"}, 400),
        ({"scale_denominator": "nan"}, 400),
        ({"subset": "Depth(1:2)"}, 400),
        ({"subset": "Lat(1"}, 400),
        ({"f": "gif"}, 400),
        ({"colour": "red"}, 400),
        ({"transparent": "maybe"}, 400),
    ],
)
def test_what_cannot_be_drawn_is_refused(client: TestClient, asked: dict[str, str], status: int) -> None:
    answer = ask(client, "terrain", **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_subsets_are_read_as_the_standard_writes_them() -> None:
    found = parse_subset(["Lat(-90:90),Lon(-180:180)", 'time("2018-02-12T23:20:52Z")'])
    assert (found.north, found.east, found.time) == ((-90.0, 90.0), (-180.0, 180.0), "2018-02-12T23:20:52Z")
    assert parse_subset(["E(*:5)"]).cut((1.0, 2.0, 3.0, 4.0)) == (1.0, 2.0, 5.0, 4.0)
    assert parse_subset(['time("2018-01-01":"2018-02-01")']).time == "2018-01-01/2018-02-01"
    with pytest.raises(InputError, match="needs low:high"):
        parse_subset(["Lat(10)"])


@pytest.mark.conformance("ogcapi-maps-1/1.0/conf/oas30")
def test_the_description_names_the_operations_as_the_standard_does(client: TestClient) -> None:
    paths = client.get("/api/openapi").json()["paths"]
    assert paths["/api/collections/{collection_id}/map"]["get"]["operationId"].endswith(".collection.getMap")
    assert paths["/api/map"]["get"]["operationId"].endswith(".dataset.getMap")
    names = {parameter["name"] for parameter in paths["/api/map"]["get"]["parameters"]}
    assert {"bbox", "bbox-crs", "crs", "width", "height", "datetime", "bgcolor", "transparent", "collections"} <= names
