"""Overviews: what is kept is what would be made at once, whatever was edited in between."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from sqlalchemy import Engine, text

from layers.errors import DeclarationError
from layers.registry import VECTOR_LAYERS
from layers.schema import Overview
from layers.store.engine import plain_url
from layers.store.overviews import refresh_overviews
from layers.store.tile_queries import bind_tile, build_inline_query
from layers.store.tiles import TileAddress, make_tile

LAYERS = [VECTOR_LAYERS[name] for name in ("trees", "road_links", "green_spaces")]
TILE = TileAddress(12, 3251, 1933)
X0, Y0, X1, Y1 = TILE.bounds
SPAN = X1 - X0
CODES = ("primary", "residential")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Event loop of this file."""
    opened = asyncio.new_event_loop()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def reader(engine: Engine, loop: asyncio.AbstractEventLoop) -> Iterator[AsyncConnection[Any]]:
    """Connection that makes tiles."""
    opened = loop.run_until_complete(AsyncConnection.connect(plain_url(engine), autocommit=True))
    yield opened
    loop.run_until_complete(opened.close())


def put(engine: Engine, layer: str, item: str, shape: Any, **values: object) -> None:
    names = "".join(f", {name}" for name in values)
    with engine.begin() as connection:
        connection.execute(
            text(
                f"insert into city.{layer} (id, source_id, geom{names}) values (:id, 'test', "
                f"ST_Transform(ST_GeomFromText(:shape, 3857), 5897){''.join(f', :{name}' for name in values)}) "
                "on conflict (id) do update set geom = excluded.geom"
                + "".join(f", {name} = excluded.{name}" for name in values)
            ),
            {"id": item, "shape": shape.wkt, **values},
        )


def remove(engine: Engine, layer: str, item: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"delete from city.{layer} where id = :id"), {"id": item})


async def read_both(reader: AsyncConnection[Any], tile: TileAddress) -> tuple[list[bytes], list[bytes]]:
    """Return the tile of each layer from its overview, and as made at once from the table."""
    kept = [(await make_tile(reader, [layer], tile)).data for layer in LAYERS]
    made = []
    for layer in LAYERS:
        if tile.z < layer.min_zoom:
            made.append(b"")
            continue
        cursor = await reader.execute(build_inline_query(layer, tile.z), bind_tile(tile.bounds, 50_001))
        made += [bytes(row[0]) for row in await cursor.fetchall()]
    return kept, made


def decode(data: bytes, tile: TileAddress, folder: Path) -> list[tuple[object, ...]]:
    """Return the features of all layers of a tile, in an order of their own."""
    path = folder / str(tile.z) / str(tile.x) / f"{tile.y}.mvt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    found: list[tuple[object, ...]] = []
    for name, _ in pyogrio.list_layers(path) if data else ():
        frame: gpd.GeoDataFrame = pyogrio.read_dataframe(path, layer=name, X=tile.x, Y=tile.y, Z=tile.z)
        shapes = shapely.to_wkt(shapely.normalize(frame.geometry.to_numpy()), rounding_precision=0)
        rows = frame.drop(columns="geometry").to_dict("records")
        for shape, row in zip(shapes, rows, strict=True):
            told = {key: value for key, value in row.items() if pd.notna(value)}
            found.append((name, shape, sorted(told.items())))
    return sorted(found, key=repr)


place = st.tuples(st.floats(-0.02, 1.02), st.floats(-0.02, 1.02)).map(lambda at: (X0 + at[0] * SPAN, Y0 + at[1] * SPAN))
edit: st.SearchStrategy[tuple[str, int, Any, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("trees"), st.integers(0, 8), place.map(shapely.Point), st.just({})),
    st.tuples(
        st.just("road_links"),
        st.integers(0, 5),
        st.lists(place, min_size=2, max_size=4, unique=True).map(shapely.LineString),
        st.fixed_dictionaries({"road_class": st.sampled_from(CODES), "name": st.sampled_from(["A", "B"])}),
    ),
    st.tuples(
        st.just("green_spaces"),
        st.integers(0, 4),
        st.tuples(place, st.floats(5.0, 4000.0)).map(
            lambda at: shapely.MultiPolygon([shapely.box(at[0][0], at[0][1], at[0][0] + at[1], at[0][1] + at[1])])
        ),
        st.fixed_dictionaries({"name": st.sampled_from(["P", "Q"])}),
    ),
    st.tuples(st.sampled_from(["trees", "road_links", "green_spaces"]), st.integers(0, 5), st.none(), st.just({})),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(edit, min_size=1, max_size=6), st.sampled_from([11, 12, 13]), st.integers(0, 3))
def test_what_is_kept_is_what_would_be_made_at_once(
    engine: Engine,
    reader: AsyncConnection[Any],
    loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
    edits: Sequence[tuple[str, int, Any, dict[str, Any]]],
    zoom: int,
    corner: int,
) -> None:
    for name, number, shape, values in edits:
        if shape is None:
            remove(engine, name, str(number))
        else:
            put(engine, name, str(number), shape, **values)
    tile = TileAddress(11, TILE.x // 2, TILE.y // 2) if zoom == 11 else TILE
    if zoom == 13:
        tile = TileAddress(13, 2 * TILE.x + corner % 2, 2 * TILE.y + corner // 2)
    kept, made = loop.run_until_complete(read_both(reader, tile))
    for layer, one, two in zip(LAYERS, kept, made, strict=True):
        assert decode(one, tile, tmp_path) == decode(two, tile, tmp_path), layer.id


def test_clusters_count_every_point_once(
    engine: Engine, reader: AsyncConnection[Any], loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(text("truncate city.trees"))
        connection.execute(
            text(
                "insert into city.trees (id, source_id, geom) select 'c' || n, 'test', ST_Transform(ST_SetSRID("
                "ST_MakePoint(:x + 37.7 * (n % 60), :y + 41.3 * (n / 60)), 3857), 5897) from generate_series(0, 2999) n"
            ),
            {"x": X0 + 0.3 * SPAN, "y": Y0 + 0.7 * SPAN},
        )
    for zoom in (11, 12, 13):
        side = 2.0 ** (zoom - 12)
        first = TileAddress(zoom, int(TILE.x * side), int(TILE.y * side))
        total, most = 0, 0
        for column in range(first.x, first.x + 3):
            for row in range(first.y - 1, first.y + 3):
                tile = TileAddress(zoom, column, row)
                data = loop.run_until_complete(make_tile(reader, [LAYERS[0]], tile)).data
                if not data:
                    continue
                path = tmp_path / str(zoom) / str(column) / f"{row}.mvt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                frame = pyogrio.read_dataframe(path, layer="trees", X=column, Y=row, Z=zoom)
                total += int(frame["point_count"].fillna(1).sum())
                most = max(most, len(frame))
        assert total == 3000, zoom
        assert most <= 64


def test_merged_lines_keep_their_length_and_single_ones_their_id(
    engine: Engine, reader: AsyncConnection[Any], loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(text("truncate city.road_links"))
    y = Y0 + 0.55 * SPAN
    for number in range(20):
        line = shapely.LineString([(X0 + 600 + 100 * number, y), (X0 + 700 + 100 * number, y)])
        put(engine, "road_links", f"s{number}", line, road_class="primary", name="Đường 30/4")
    put(engine, "road_links", "alone", shapely.LineString([(X0 + 600, y + 50), (X0 + 900, y + 50)]), road_class="trunk")
    tile = TileAddress(13, 2 * TILE.x, 2 * TILE.y)
    data = loop.run_until_complete(make_tile(reader, [LAYERS[1]], tile)).data
    path = tmp_path / f"{tile.z}" / f"{tile.x}" / f"{tile.y}.mvt"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    frame = pyogrio.read_dataframe(path, layer="road_links", X=tile.x, Y=tile.y, Z=tile.z)
    counted = Counter(frame["road_class"])
    assert counted["trunk"] == 1
    assert counted["primary"] <= 2, "one a cell"
    assert frame[frame["road_class"] == "primary"].length.sum() == pytest.approx(2000.0, abs=5.0)
    assert list(frame[frame["road_class"] == "trunk"]["id"]) == ["alone"]
    assert frame[frame["road_class"] == "primary"]["id"].isna().all()


def test_a_large_area_is_named_in_one_tile(
    engine: Engine, reader: AsyncConnection[Any], loop: asyncio.AbstractEventLoop
) -> None:
    x, y = X0 + 3.3 * SPAN, Y0 + 3.4 * SPAN
    put(engine, "green_spaces", "wide", shapely.MultiPolygon([shapely.box(x, y, x + 2 * SPAN, y + SPAN)]), name="Rừng")
    tiles = [TileAddress(12, TILE.x + right, TILE.y - up) for right in (3, 4, 5) for up in (3, 4)]
    made = [loop.run_until_complete(make_tile(reader, [LAYERS[2]], tile)).data for tile in tiles]
    assert sum(b"green_spaces" in data for data in made) == 6
    assert sum(b"green_spaces-label" in data for data in made) == 1


def test_in_a_transaction_an_old_overview_is_not_asked(
    engine: Engine, reader: AsyncConnection[Any], loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    """A snapshot cannot draw anew what others see, and must not wait for them."""
    middle = shapely.Point(X0 + SPAN / 2.5, Y0 + SPAN / 2.5)

    async def read() -> tuple[bytes, bytes]:
        async with reader.transaction():
            held = (await make_tile(reader, [LAYERS[0]], TILE)).data
        return held, (await make_tile(reader, [LAYERS[0]], TILE)).data

    loop.run_until_complete(make_tile(reader, [LAYERS[0]], TILE))
    put(engine, "trees", "late", middle)
    held, drawn = loop.run_until_complete(read())
    assert b"late" in held
    assert decode(held, TILE, tmp_path) == decode(drawn, TILE, tmp_path)


def test_all_that_is_marked_is_drawn_at_once(engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
    put(engine, "trees", "marked", shapely.Point(X0, Y0))
    assert loop.run_until_complete(refresh_overviews(plain_url(engine)))["trees"] >= 1
    assert loop.run_until_complete(refresh_overviews(plain_url(engine))) == {}
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from meta.overview_mark")).scalar_one() == 0


def test_an_overview_is_declared_with_care() -> None:
    with pytest.raises(DeclarationError, match="spaces points by 30 pixels"):
        Overview(spacing=30)
    with pytest.raises(DeclarationError, match="do not ascend"):
        Overview(kept=((12, ("a",)), (11, ("a",))))


def test_no_name_of_a_property_disturbs_a_tile(
    reader: AsyncConnection[Any], loop: asyncio.AbstractEventLoop, engine: Engine
) -> None:
    """A layer may have a property ``size`` as leaks do, whatever the statements call their own columns."""
    x, y = 0.5 * (X0 + X1), 0.5 * (Y0 + Y1)
    put(engine, "leak_alarms", "r.1", shapely.Point(x, y), run_id="r", leak_kind="abrupt", state="running", size=0.005)
    tile = loop.run_until_complete(make_tile(reader, [VECTOR_LAYERS["leak_alarms"]], TILE))
    remove(engine, "leak_alarms", "r.1")
    assert tile.data
    for layer in VECTOR_LAYERS.values():
        loop.run_until_complete(make_tile(reader, [layer], TILE))
