"""Pages for people: who gets one, what it holds, and that nothing a person wrote becomes part of it."""

import re
from html import unescape

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.negotiation import prefer_form
from api.pages.sketch import draw_sketch
from layers.registry import VECTOR_LAYERS
from layers.store.features import upsert_features
from tests.api.conftest import ADDRESS, X0, Y0

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"}
PAGES = {
    "/api": "Thành phố thử",
    "/api/conformance": "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "/api/collections": "Nhà và công trình",
    "/api/collections/buildings": "Chiều cao",
    "/api/collections/terrain": "Cao độ",
    "/api/collections/buildings/items": "Nhà phố thương mại",
    "/api/collections/buildings/items/b3": "Trường học",
    "/api/collections/buildings/queryables": "Cao độ nền",
    "/api/collections/buildings/sortables": "Cao độ nền",
    "/api/collections/buildings/schema": "Cao độ nền",
    "/api/functions": "near(places, 50",
    "/api/processes": "Dự báo ngập",
    "/api/processes/flood-forecast": "Kích thước ô",
    "/api/jobs": "xong",
}


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/html", "ogcapi-common-1/1.0/conf/html")
@pytest.mark.parametrize(("address", "found"), PAGES.items())
def test_a_browser_gets_a_page_and_a_program_gets_json(client: TestClient, address: str, found: str) -> None:
    page = client.get(address, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert found in page.text
    assert page.headers["vary"].lower().startswith("accept")
    assert client.get(address, params={"f": "html"}).headers["content-type"].startswith("text/html")
    for accept in ("*/*", "application/json", "application/geo+json, text/html;q=0.5", ""):
        assert "json" in client.get(address, headers={"accept": accept}).headers["content-type"], accept
    assert "json" in client.get(address, params={"f": "json"}, headers=BROWSER).headers["content-type"]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_needs_no_script_and_its_links_lead_somewhere(client: TestClient, address: str) -> None:
    page = client.get(address, headers=BROWSER)
    assert "<script" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for href in sorted({unescape(link) for link in re.findall(r'href="([^"]+)"', page.text)})[:30]:
        if href.startswith((ADDRESS, "/api")) and not href.endswith("/execution"):
            assert client.get(href, headers=BROWSER).status_code == 200, href


def test_pages_of_items_are_turned_and_searched(client: TestClient) -> None:
    seen: list[str] = []
    address: str | None = "/api/collections/trees/items?f=html&limit=100"
    while address:
        page = client.get(address).text
        seen += re.findall(r"/items/(t\d+)\?f=html", page)
        following = re.search(r'href="([^"]+)">Trang sau', page)
        address = unescape(following[1]) if following else None
    assert sorted(seen) == [f"t{number:05d}" for number in range(237)]
    found = client.get("/api/collections/trees/items", params={"f": "html", "q": "t00007"}).text
    assert re.findall(r"/items/(t\d+)\?f=html", found) == ["t00007"]
    assert "value='t00007'" in found


def test_what_a_person_wrote_stays_text(client: TestClient, writer: Engine) -> None:
    evil = "<script>alert(1)</script>'\"&"
    frame = gpd.GeoDataFrame(
        {"id": ["<b>&'\""], "name": [evil], "category": "school"},
        geometry=[shapely.Point(X0, Y0 + 40)],
        crs="EPSG:5897",
    )
    with writer.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["places"], frame, source_id="test")
    many = client.get("/api/collections/places/items", params={"f": "html", "q": "alert"}).text
    own = unescape(re.findall(r'href="([^"]+/items/[^"?]+\?f=html)"', many)[0])
    for page in (many, client.get(own).text):
        assert "<script" not in page
        assert "<b>&'" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    searched = client.get("/api/collections/places/items", params={"f": "html", "q": "'><script>"}).text
    assert "<script" not in searched
    # Others search among the places too.
    with writer.begin() as connection:
        connection.execute(text("delete from city.places where id = :id"), {"id": frame["id"][0]})


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/collections/none?f=html", 404),
        ("/api/collections/trees/items/none?f=html", 404),
        ("/api/collections/trees/items?f=html&bbox=a", 400),
        ("/api/collections?f=html&x=1", 400),
    ],
)
def test_a_failure_is_a_page_too(client: TestClient, address: str, status: int) -> None:
    page = client.get(address)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("text/csv;q=0.5, application/geo+json;q=0.9", "json"),
        ("text/csv;q=0", "json"),
        ("image/png", "json"),
        ("text/csv;q=x, */*;q=0.1", "json"),
        ("TEXT/CSV ; q=0.9,application/geo+json;q=0.8", "csv"),
    ],
)
def test_the_form_is_what_the_client_likes_best(accept: str, form: str) -> None:
    assert prefer_form(accept, {"json": "application/geo+json", "csv": "text/csv; charset=utf-8"}, "json") == form


def test_a_sketch_holds_all_kinds_of_shapes_within_its_frame() -> None:
    shapes = [
        {"type": "Point", "coordinates": [105.7, 10.0]},
        {"type": "LineString", "coordinates": [[105.7, 10.0], [105.8, 10.1]]},
        {"type": "MultiPolygon", "coordinates": [[[[105.7, 10.0], [105.8, 10.0], [105.8, 10.1], [105.7, 10.0]]]]},
        None,
    ]
    drawn = draw_sketch(shapes)
    assert (drawn.count("<circle"), drawn.count("class='line'"), drawn.count("class='area'")) == (1, 1, 1)
    numbers = [float(number) for path in re.findall(r" d='([^']+)'", drawn) for number in re.findall(r"[\d.]+", path)]
    assert min(numbers) >= 0
    assert max(numbers) <= 640
    assert draw_sketch([None]) == ""
