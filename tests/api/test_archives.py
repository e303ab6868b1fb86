"""Archives over HTTP: listed, read in ranges by a client of PMTiles, and never half old and half new."""

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from pmtiles.reader import Reader
from sqlalchemy import Engine
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.engine import open_engine, plain_url
from layers.store.features import upsert_features
from tests.api.conftest import TREE_TILE, make_trees
from twin.baking.bake import Order, bake
from twin.settings import Settings

ADDRESS = "/tiles/archives/trees.pmtiles"


@pytest.fixture(scope="module")
def archive(settings: Settings, database_url: str) -> Iterator[Path]:
    """Return the path of a baked archive that the server finds."""
    path = settings.archives_dir / "trees.pmtiles"
    engine = open_engine(database_url)
    trees = (VECTOR_LAYERS["trees"],)
    order = Order(trees, range(14, 17), None, Text("Cây xanh", "Trees"), "nobody")
    asyncio.run(bake(plain_url(engine), order, path, connections=1, report=lambda share, words: None))
    engine.dispose()
    yield path
    path.unlink()


def test_a_client_of_pmtiles_reads_the_tile_that_the_server_makes(client: TestClient, archive: Path) -> None:
    asked = []

    def read(offset: int, length: int) -> bytes:
        answer = client.get(ADDRESS, headers={"range": f"bytes={offset}-{offset + length - 1}"})
        assert answer.status_code == 206
        asked.append(len(answer.content))
        return answer.content

    reader = Reader(read)
    z, x, y = (int(part) for part in TREE_TILE.split("/"))
    body = reader.get(z, x, y)
    assert body is not None
    assert gzip.decompress(body) == client.get(f"/tiles/trees/{TREE_TILE}.mvt").content
    assert reader.get(16, 0, 0) is None
    assert reader.metadata()["name:vi"] == "Cây xanh"
    assert max(asked) < archive.stat().st_size


def test_archives_are_listed_with_what_they_hold(client: TestClient, archive: Path, writer: Engine) -> None:
    listed = client.get("/tiles/archives").json()
    (found,) = listed["archives"]
    assert found["name"] == "trees"
    assert found["title"] == {"vi": "Cây xanh", "en": "Trees"}
    assert found["layers"] == ["trees"]
    assert found["bytes"] == archive.stat().st_size
    assert (found["minzoom"], found["maxzoom"]) == (14, 16)
    assert found["truncated_tiles"] == 0
    assert found["links"][0]["type"] == "application/vnd.pmtiles"
    assert client.get(found["links"][0]["href"]).content == archive.read_bytes()
    assert found["changed_layers"] == []
    with writer.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["trees"], make_trees(1, height=9.0), source_id="s-trees")
    try:
        assert client.get("/tiles/archives").json()["archives"][0]["changed_layers"] == ["trees"]
    finally:
        with writer.begin() as connection:
            upsert_features(connection, VECTOR_LAYERS["trees"], make_trees(1), source_id="s-trees")


def test_a_range_is_answered_with_its_place(client: TestClient, archive: Path) -> None:
    whole = archive.read_bytes()
    for asked, expected in (("0-126", whole[:127]), ("100-", whole[100:]), ("-50", whole[-50:])):
        answer = client.get(ADDRESS, headers={"range": f"bytes={asked}"})
        start = whole.index(expected)
        assert answer.status_code == 206
        assert answer.content == expected
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
        assert answer.headers["content-type"] == "application/vnd.pmtiles"


def test_a_range_beyond_the_end_is_416_with_the_length(client: TestClient, archive: Path) -> None:
    size = archive.stat().st_size
    answer = client.get(ADDRESS, headers={"range": f"bytes={size}-{size + 10}"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("asked", ["bytes=9-2", "lines=1-2", "bytes", "bytes=a-b"])
def test_a_range_that_is_none_is_refused(client: TestClient, archive: Path, asked: str) -> None:
    assert client.get(ADDRESS, headers={"range": asked}).status_code in (400, 416)


def test_many_ranges_come_as_parts_and_overlapping_ones_once(client: TestClient, archive: Path) -> None:
    whole = archive.read_bytes()
    answer = client.get(ADDRESS, headers={"range": "bytes=0-9,20-29"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert whole[:10] in answer.content
    assert whole[20:30] in answer.content
    again = client.get(ADDRESS, headers={"range": "bytes=" + ",".join(["0-"] * 90)})
    assert len(again.content) < len(whole) + 200


def test_a_changed_archive_is_sent_whole_to_who_holds_the_old_one(client: TestClient, archive: Path) -> None:
    etag = client.get(ADDRESS, headers={"range": "bytes=0-9"}).headers["etag"]
    assert not etag.startswith("W/")
    assert client.get(ADDRESS, headers={"range": "bytes=0-9", "if-range": etag}).status_code == 206
    assert client.get(ADDRESS, headers={"range": "bytes=0-9", "if-range": '"old"'}).status_code == 200
    unchanged = client.get(ADDRESS, headers={"if-none-match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert client.get(ADDRESS, headers={"if-none-match": '"old"'}).status_code == 200


def test_head_tells_the_size(client: TestClient, archive: Path) -> None:
    answer = client.head(ADDRESS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == archive.stat().st_size
    assert answer.headers["accept-ranges"] == "bytes"


def test_another_page_may_ask_for_ranges_and_see_their_place(client: TestClient, archive: Path) -> None:
    page = {"origin": "https://elsewhere.example"}
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "range,if-range"}
    assert client.options(ADDRESS, headers=page | asked).status_code == 200
    answer = client.get(ADDRESS, headers=page | {"range": "bytes=0-9"})
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"etag", "content-range"} <= exposed
    assert answer.headers["access-control-allow-origin"] == "*"


def test_tiles_come_one_by_one_too(client: TestClient, archive: Path) -> None:
    told = client.get("/tiles/archives/trees.json").json()
    assert (told["minzoom"], told["maxzoom"]) == (14, 16)
    assert told["vector_layers"][0]["id"] == "trees"
    z, x, y = TREE_TILE.split("/")
    address = told["tiles"][0].replace("{z}", z).replace("{x}", x).replace("{y}", y)
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.content == client.get(f"/tiles/trees/{TREE_TILE}.mvt").content
    assert client.get(address, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    plain = client.get(address, headers={"accept-encoding": "identity"})
    assert (plain.content, "content-encoding" in plain.headers) == (answer.content, False)
    assert client.get("/tiles/archives/trees/16/0/0.mvt").status_code == 204
    assert client.get("/tiles/archives/trees/99/0/0.mvt").status_code == 400
    assert client.get("/tiles/archives/none/16/0/0.mvt").status_code == 404


def test_a_replaced_archive_is_read_anew(client: TestClient, archive: Path) -> None:
    address = f"/tiles/archives/trees/{TREE_TILE}.mvt"
    before, etag = archive.read_bytes(), client.get(address).headers["etag"]
    broken = archive.with_name("trees.new")
    broken.write_bytes(before[:200])
    broken.replace(archive)
    try:
        assert client.get(address, headers={"if-none-match": etag}).status_code == 400
    finally:
        broken.write_bytes(before)
        broken.replace(archive)
    assert client.get(address).status_code == 200


def test_an_archive_is_never_compressed_on_the_way(client: TestClient, archive: Path) -> None:
    assert "content-encoding" not in client.get(ADDRESS, headers={"accept-encoding": "gzip"}).headers


@pytest.mark.parametrize("name", ["none", "..%2F..%2Fterrain", ".hidden", "a" * 200, "%2Fetc%2Fpasswd"])
def test_a_name_that_is_no_archive_is_not_found(client: TestClient, archive: Path, name: str) -> None:
    (archive.parent / ".hidden.pmtiles").write_bytes(b"x")
    try:
        assert client.get(f"/tiles/archives/{name}.pmtiles").status_code == 404
    finally:
        (archive.parent / ".hidden.pmtiles").unlink()


def test_an_unknown_parameter_is_refused(client: TestClient, archive: Path) -> None:
    assert client.get(f"{ADDRESS}?x=1").status_code == 400
    assert client.get("/tiles/archives?x=1").status_code == 400
