"""Personal data over HTTP: shown for a purpose to who may, recorded, and nowhere else."""

import json
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import quote

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from api.routes import personal as routes
from layers.ingest.catalog import Source
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.sources import register_source
from tests.api.conftest import ADDRESS, X0, Y0
from twin.personal.key import PersonalKey, make_key, read_key
from twin.personal.loading import put_all
from twin.personal.owners import LandRight, NewOwner
from twin.settings import Settings
from twin.store_audit import EntryQuery, list_entries

SECRET = ("Trần Thị Kín", "092099000123", "0909 123 456", "7 đường Giấu Kín")
WHY = {"purpose": "compensation", "ground": "hồ sơ 12/2026"}
TOKEN = "token-of-sixteen-and-more"


@pytest.fixture(scope="module")
def settings(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server on a database of its own, with a token and a key."""
    folder = tmp_path_factory.mktemp("personal")
    url = make_database("personal_api")
    made = Settings(
        database_url=url, data_dir=folder, web_dir=folder / "web", personal_key_file=folder / "personal.key",
        write_token=TOKEN,
    )  # fmt: skip
    make_key(made)
    return made


@pytest.fixture(scope="module")
def key(settings: Settings) -> PersonalKey:
    """The key of personal data of the server."""
    return read_key(settings)


@pytest.fixture(scope="module")
def people(settings: Settings, key: PersonalKey) -> Iterator[TestClient]:
    """Client of that server with two parcels and their owners; it asks as administrator where it sends the token."""
    app = create_app(settings)
    with TestClient(app, ADDRESS, raise_server_exceptions=False) as opened:
        fill(app.state.resources.engine, key)
        yield opened


@pytest.fixture
def writer(settings: Settings) -> Iterator[Engine]:
    """Engine beside the server."""
    engine = open_engine(str(settings.database_url))
    yield engine
    engine.dispose()


def fill(engine: Engine, key: PersonalKey) -> None:
    boxes = [shapely.MultiPolygon([shapely.box(X0 + 40 * k, Y0 + 90, X0 + 40 * k + 30, Y0 + 120)]) for k in range(2)]
    frame = gpd.GeoDataFrame({"id": ["p/1", "p2"], "map_sheet": "1"}, geometry=boxes, crs="EPSG:5897")
    source = Source(
        id="s-parcels", uri="x.gpkg", layer="parcels", title={"vi": "Thửa", "en": "Parcels"}, licence="CC0-1.0",
        attribution="nobody", synthetic=True,
    )  # fmt: skip
    name, identity, phone, address = SECRET
    owners = [
        NewOwner(name, "person", identity, phone, address, rights=(LandRight("p/1", 0.5), LandRight("p2", 1.0))),
        NewOwner("Công ty Thử", "organisation", rights=(LandRight("p/1", 0.5),)),
    ]
    with engine.begin() as connection:
        register_source(connection, source, uri="x.gpkg", fingerprint="f")
        upsert_features(connection, VECTOR_LAYERS["parcels"], frame, source_id=source.id)
        put_all(connection, key, owners, "test")


def named(client: TestClient) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}", "x-request-id": f"p-{uuid.uuid4().hex[:12]}"}


def why(given: dict[str, str] = WHY) -> dict[str, str]:
    return {f"twin-{name}": quote(words) for name, words in given.items()}


def test_owners_of_a_parcel_are_shown_and_recorded(people: TestClient, writer: Engine) -> None:
    headers = named(people)
    answer = people.get("/api/personal/parcels/p/1/owners", headers=headers | why())
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    first, second = sorted(answer.json()["owners"], key=lambda one: one["kind"], reverse=True)
    assert (first["name"], first["identity"], first["phone"], first["address"]) == SECRET
    assert second["rights"] == [{"parcel": "p/1", "share": 0.5, "basis": "", "since": None, "until": None}]
    with writer.connect() as connection:
        found = list_entries(connection, EntryQuery(action="personal-read"), limit=1)[0]
    assert (found.request_id, found.subject, found.object) == (headers["x-request-id"], "token", "parcel:p/1")
    assert found.detail["purpose"] == "compensation" and found.detail["ground"] == "hồ sơ 12/2026"
    assert set(found.detail["owners"]) == {first["id"], second["id"]}
    assert found.detail["fields"] == ["name", "kind", "identity", "phone", "address"]
    assert not any(words in str(found.as_dict()) for words in SECRET)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"purpose": "compensation"},
        {"purpose": "curiosity", "ground": "hồ sơ 1"},
        {"purpose": "works", "ground": "x"},
        {**WHY, "ground": "y" * 300},
    ],
)
def test_without_a_purpose_nothing_is_shown(people: TestClient, query: dict[str, str]) -> None:
    answer = people.get("/api/personal/parcels/p2/owners", headers=named(people) | why(query))
    assert answer.status_code == 400
    assert SECRET[0] not in answer.text


def test_who_may_not_is_refused(people: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert people.get("/api/personal/parcels/p2/owners", headers=why()).status_code == 401
    assert people.post("/api/personal/search", json={**WHY, "name": "Trần"}).status_code == 401
    purposes = people.get("/api/personal/purposes")
    assert purposes.status_code == 200 and purposes.json()["allowed"] is False
    assert people.get("/api/personal/purposes", headers=named(people)).json()["allowed"] is True


def test_several_parcels_at_once_are_few(people: TestClient) -> None:
    headers = named(people)
    found = people.post("/api/personal/lookups", json={**WHY, "parcels": ["p/1", "p2"]}, headers=headers).json()
    assert {parcel: len(owners) for parcel, owners in found["parcels"].items()} == {"p/1": 2, "p2": 1}
    many = {**WHY, "parcels": [f"p{n}" for n in range(21)]}
    assert people.post("/api/personal/lookups", json=many, headers=headers).status_code == 400
    lost = people.post("/api/personal/lookups", json={**WHY, "parcels": ["p9"]}, headers=headers)
    assert lost.status_code == 404


def test_a_search_by_name_has_purposes_of_its_own(people: TestClient, writer: Engine) -> None:
    body = {"purpose": "search", "ground": "văn bản 7/2026", "name": "tran kin"}
    found = people.post("/api/personal/search", json=body, headers=named(people))
    assert [one["name"] for one in found.json()["owners"]] == [SECRET[0]]
    assert {right["parcel"] for right in found.json()["owners"][0]["rights"]} == {"p/1", "p2"}
    assert people.post("/api/personal/search", json={**body, **WHY}, headers=named(people)).status_code == 403
    for name in ("ab", "%%%%", "x" * 101):
        answer = people.post("/api/personal/search", json={**body, "name": name}, headers=named(people))
        assert answer.status_code == 400 or answer.json()["owners"] == []
    with writer.connect() as connection:
        last = list_entries(connection, EntryQuery(action="personal-search", outcome="done"), limit=5)
    assert all("tran kin" not in str(one.as_dict()) for one in last)


@pytest.mark.parametrize("odd", ["\u0000abcd", "\ud800abcd", "ab\ncd\u0007"])
@pytest.mark.parametrize("field", ["name", "ground"])
def test_odd_characters_are_refused(people: TestClient, odd: str, field: str) -> None:
    body = {"purpose": "search", "ground": "văn bản 7/2026", "name": "tran kin", field: odd}
    headers = named(people) | {"content-type": "application/json"}
    answer = people.post("/api/personal/search", content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    lookup = {**WHY, "parcels": [odd]}
    assert people.post("/api/personal/lookups", content=json.dumps(lookup), headers=headers).status_code == 400


def test_who_asks_very_often_is_stopped_and_that_is_recorded(
    people: TestClient, writer: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST_AN_HOUR", 1)
    people.get("/api/personal/parcels/p2/owners", headers=named(people) | why())
    answer = people.get("/api/personal/parcels/p2/owners", headers=named(people) | why())
    assert answer.status_code == 429
    with writer.connect() as connection:
        assert list_entries(connection, EntryQuery(action="personal-read", outcome="refused"), limit=1)


def test_nothing_of_it_is_anywhere_else(people: TestClient) -> None:
    headers = named(people)
    for address in (
        "/api/collections/parcels/items?limit=100", "/api/collections/parcels/items?f=csv",
        "/api/search?q=tran thi kin",
        "/api/collections/parcels/schema", "/api/collections/parcels/queryables", "/api/catalog", "/api/openapi",
        "/api/collections/parcels/items/p2", "/api/collections/parcels/items/p2/versions", "/api/collections",
        "/metrics",
        "/api/audit?limit=1000",
    ):  # fmt: skip
        answer = people.get(address, headers=headers)
        assert answer.status_code == 200, address
        assert not any(words in answer.text for words in (*SECRET, "Tran Thi Kin")), address
    assert people.get("/api/collections/owner/items", headers=headers).status_code == 404


@pytest.mark.parametrize("role", ["twin_public", "twin_staff", "twin_restricted", "twin_restricted_editor"])
@pytest.mark.parametrize("table", ["owner", "land_right", "rejected", "erasure"])
def test_no_role_of_layers_reads_it(people: TestClient, writer: Engine, role: str, table: str) -> None:
    with writer.connect() as connection:
        asked = text("select has_any_column_privilege(:role, :table, 'select, insert, update')")
        assert not connection.execute(asked, {"role": role, "table": f"personal.{table}"}).scalar_one()


def test_its_own_role_reads_it_and_nothing_more(people: TestClient, writer: Engine) -> None:
    with writer.connect() as connection:
        allowed = connection.execute(
            text(
                "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p', 'v') "
                "and n.nspname not in ('pg_catalog', 'information_schema', 'public') "
                "and has_any_column_privilege('twin_personal', c.oid, 'select, insert, update')"
            )
        ).scalars()
        assert set(allowed) == {"personal.owner", "personal.land_right"}
        marked = text("select has_column_privilege('twin_personal', 'personal.owner', 'mark', 'select')")
        assert not connection.execute(marked).scalar_one()


def test_sealed_fields_are_not_readable_in_the_database(people: TestClient, writer: Engine, key: PersonalKey) -> None:
    with writer.connect() as connection:
        row = connection.execute(
            text("select id, sealed_identity, sealed_phone from personal.owner where sealed_identity is not null")
        ).one()
    assert SECRET[1].encode() not in bytes(row.sealed_identity)
    assert key.open(row.id, "identity", bytes(row.sealed_identity)) == SECRET[1]
    with pytest.raises(Exception, match="changed since"):
        key.open(row.id, "phone", bytes(row.sealed_identity))
    with pytest.raises(Exception, match="another key"):
        PersonalKey.of(bytes(32)).open(row.id, "identity", bytes(row.sealed_identity))
