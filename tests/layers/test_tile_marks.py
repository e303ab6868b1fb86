"""Marks: whatever a tile shows of a feature, it is as new as the last write of that feature."""

import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.store.tile_marks import FINEST, LayerMarks
from layers.store.tiles import HALF_WORLD, TileAddress

places = st.tuples(
    st.integers(0, FINEST).flatmap(
        lambda z: st.tuples(st.just(z), st.integers(0, (1 << z) - 1), st.integers(0, (1 << z) - 1))
    )
).map(lambda found: found[0])
near = st.tuples(st.integers(0, 22), st.floats(-0.3, 1.3), st.floats(-0.3, 1.3))


def shows(tile: TileAddress, mark: TileAddress) -> bool:
    """Return whether ``tile`` with its buffer shows some of ``mark``; one deeper than it needs to lie inside."""
    margin = (tile.width / 64.0 if tile.z < mark.z else 0.0) - 1e-6
    x0, y0, x1, y1 = tile.bounds
    a0, b0, a1, b1 = mark.bounds
    return x0 - margin < a1 and a0 < x1 + margin and y0 - margin < b1 and b0 < y1 + margin


@given(places, st.lists(near, max_size=30))
def test_a_mark_is_found_from_every_tile_that_shows_it(
    marked: tuple[int, int, int], asked: list[tuple[int, float, float]]
) -> None:
    marks, mark = LayerMarks(), TileAddress(*marked)
    marks.add([(*marked, 7)])
    x0, y0, _, _ = mark.bounds
    for zoom, right, up in asked:
        x, y = x0 + right * mark.width, y0 + up * mark.width
        side = 2.0 * HALF_WORLD / (1 << zoom)
        column, row = int((x + HALF_WORLD) // side), int((HALF_WORLD - y) // side)
        if 0 <= column < 1 << zoom and 0 <= row < 1 << zoom:
            found = marks.find(zoom, column, row)
            assert found == 7 or not shows(TileAddress(zoom, column, row), mark)


@given(st.lists(st.tuples(places, st.integers(1, 50)), max_size=20), places)
def test_the_order_of_marks_says_nothing(
    found: list[tuple[tuple[int, int, int], int]], tile: tuple[int, int, int]
) -> None:
    one, two = LayerMarks(), LayerMarks()
    one.add([(*place, moment) for place, moment in found])
    two.add([(*place, moment) for place, moment in reversed(found)])
    assert one.find(*tile) == two.find(*tile)
    assert one.newest == two.newest


def read_layer_marks(connection: Connection, layer: str) -> LayerMarks:
    marks = LayerMarks()
    rows = connection.execute(
        text("select z, x, y, extract(epoch from changed) * 1e6 from meta.tile_mark where layer = :layer"),
        {"layer": layer},
    )
    marks.add([(row[0], row[1], row[2], int(row[3])) for row in rows])
    return marks


def test_a_write_marks_the_tiles_that_show_the_feature_before_and_after(connection: Connection) -> None:
    tile = TileAddress(13, 6503, 3867)
    x0, y0, x1, _ = tile.bounds
    for name, shape in (
        ("inside", shapely.LineString([(x0 + 900, y0 + 900), (x0 + 1200, y0 + 950)])),
        ("beside", shapely.LineString([(x1 + 20, y0 + 900), (x1 + 40, y0 + 900)])),
        ("across", shapely.LineString([(x0 - 30_000, y0 + 900), (x1 + 30_000, y0 + 950)])),
    ):
        connection.execute(
            text(
                "insert into city.rail_links (id, source_id, geom) "
                "values (:id, 'test', ST_Transform(ST_GeomFromText(:shape, 3857), 5897))"
            ),
            {"id": name, "shape": shape.wkt},
        )
        moment = connection.execute(
            text("select extract(epoch from changed) * 1e6 from meta.layer_version where layer = 'rail_links'")
        ).scalar_one()
        marks = read_layer_marks(connection, "rail_links")
        assert marks.find(13, 6503, 3867) == int(moment) == marks.newest, name
        assert marks.find(13, 6503, 3880) < int(moment), name
    connection.execute(text("update city.rail_links set geom = ST_Translate(geom, 0, 60000) where id = 'inside'"))
    moved = read_layer_marks(connection, "rail_links")
    assert moved.find(13, 6503, 3867) == moved.newest
    connection.execute(text("truncate city.rail_links"))
    gone = read_layer_marks(connection, "rail_links")
    assert gone.find(13, 0, 0) == gone.find(3, 5, 2) == gone.newest > moved.newest
