"""Pages under edits: whatever is inserted, changed and deleted meanwhile, every item comes exactly once."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.store.engine import plain_url

ITEMS = "/api/collections/antennas/items"
_PLACE = "ST_SetSRID(ST_MakePoint(580000, 1108000), 5897)"

edits = st.lists(
    st.tuples(st.sampled_from(["update", "insert", "delete", "rebuild"]), st.integers(0, 9), st.integers(-5, 5)),
    min_size=1,
    max_size=4,
)


@pytest.fixture(autouse=True)
def emptied(writer: Engine) -> Iterator[None]:
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    yield
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))


def insert(engine: Engine, heights: dict[str, float | None]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                f"insert into city.antennas (id, source_id, height, geom) values (:id, 'test', :height, {_PLACE}) "
                "on conflict (id) do update set height = excluded.height"
            ),
            [{"id": key, "height": value} for key, value in heights.items()],
        )


def carry_out(engine: Engine, edit: tuple[str, int, int]) -> None:
    kind, number, value = edit
    if kind == "insert":
        insert(engine, {f"new{number}": float(value)})
        return
    with engine.begin() as connection:
        named = {"id": f"k{number}", "value": float(value)}
        if kind == "update":
            connection.execute(text("update city.antennas set height = :value where id = :id"), named)
        elif kind == "delete":
            connection.execute(text("delete from city.antennas where id = :id"), named)
        else:
            connection.execute(text("update city.antennas set height = height + :value"), named)


def walk(client: TestClient, asked: dict[str, Any], between: Callable[[], None]) -> list[str]:
    """Return the ids of all pages; ``between`` runs before each but the first."""
    page = client.get(ITEMS, params=asked).json()
    found = [feature["id"] for feature in page["features"]]
    while following := next((link["href"] for link in page["links"] if link["rel"] == "next"), None):
        between()
        page = client.get(following).json()
        found += [feature["id"] for feature in page["features"]]
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    heights=st.lists(st.none() | st.integers(-3, 3).map(float), min_size=3, max_size=10),
    size=st.integers(1, 3),
    order=st.sampled_from(["height", "-height", "-height,id", "id", None]),
    meanwhile=st.lists(edits, min_size=1, max_size=6),
)
def test_every_item_comes_once_whoever_edits(
    client: TestClient,
    writer: Engine,
    heights: list[float | None],
    size: int,
    order: str | None,
    meanwhile: list[list[tuple[str, int, int]]],
) -> None:
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    insert(writer, {f"k{number}": height for number, height in enumerate(heights)})
    sort = {"sortby": order} if order else {}
    whole = [one["id"] for one in client.get(ITEMS, params={**sort, "limit": 1000}).json()["features"]]
    waiting = list(meanwhile)

    def between() -> None:
        for edit in waiting.pop() if waiting else ():
            carry_out(writer, edit)

    found = walk(client, {**sort, "limit": size}, between)
    assert len(found) == len(set(found))
    if order:
        # What the first reader saw, to the last page.
        assert found == whole
    else:
        gone = {f"k{number}" for edits in meanwhile for kind, number, _ in edits if kind == "delete"}
        assert [item for item in found if item in whole] == [item for item in whole if item in found]
        assert set(whole) - set(found) <= gone


def test_an_edit_that_is_open_while_the_first_page_is_read_moves_nothing(client: TestClient, writer: Engine) -> None:
    insert(writer, {f"k{number}": float(number) for number in range(6)})
    with psycopg.connect(plain_url(writer)) as open_edit:
        # Begun, stamped and written before the first page, committed after it.
        open_edit.execute("update city.antennas set height = 100 where id = 'k0'")

        def between() -> None:
            open_edit.commit()
            time.sleep(0.01)

        found = walk(client, {"sortby": "height", "limit": 2}, between)
    assert found == [f"k{number}" for number in range(6)]
    assert walk(client, {"sortby": "height", "limit": 2}, lambda: None)[-1] == "k0"


def test_a_pinned_reader_keeps_its_filter_and_its_columns(client: TestClient, writer: Engine) -> None:
    insert(writer, {f"k{number}": float(number) for number in range(6)})
    asked = {"sortby": "-height", "limit": 2, "filter": "height < 5", "properties": "height"}
    page = client.get(ITEMS, params=asked).json()
    insert(writer, {"k0": 4.5, "k9": 3.5})
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    read = client.get(following).json()["features"]
    assert [(one["id"], one["properties"]) for one in read] == [("k2", {"height": 2.0}), ("k1", {"height": 1.0})]


@pytest.mark.parametrize("cursor", ["", "x", "YW50ZW5uYXMgMUAyMDI2IFsxXQ", "YW50ZW5uYXMgeEB5IFsxXQ", "dHJlZXMgIFsxXQ"])
def test_a_cursor_nobody_gave_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get(ITEMS, params={"cursor": cursor})
    assert answer.status_code == 400, answer.text
