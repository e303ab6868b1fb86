"""How old a tile is: the newest mark that any write of a layer left on it, above it or below it.

Marks lie on tiles of zoom 0 to 16 (migration 0013) and are kept in memory: a tile's age takes one look-up a zoom.
"""

from collections.abc import Iterable, Mapping
from math import ceil, floor

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

FINEST = 16
_BUFFER = 1.0 / 64.0
Mark = tuple[int, int, int, int]


class LayerMarks:
    """The marks of one layer. ``newest`` is its clock [µs since 1970]."""

    __slots__ = ("_above", "_own", "newest")

    def __init__(self) -> None:
        self.newest = 0
        # By (zoom, column, row): marks on the tile itself, and the newest of those on tiles below that it shows.
        self._own: dict[tuple[int, int, int], int] = {}
        self._above: dict[tuple[int, int, int], int] = {}

    def add(self, marks: Iterable[Mark]) -> None:
        """Take up marks (zoom, column, row, moment [µs]), which may come in any order."""
        for z, x, y, moment in marks:
            self.newest = max(self.newest, moment)
            if z == 0:
                self._own = {tile: kept for tile, kept in self._own.items() if kept > moment}
                self._above = {tile: kept for tile, kept in self._above.items() if kept > moment}
            self._own[z, x, y] = max(moment, self._own.get((z, x, y), 0))
            for zoom in range(z - 1, -1, -1):
                # A tile shows its neighbours within its buffer, and the mark fills its own tile.
                side = 1 << (z - zoom)
                for column in _span(x, side):
                    for row in _span(y, side):
                        tile = (zoom, column, row)
                        if self._above.get(tile, 0) < moment:
                            self._above[tile] = moment

    def find(self, z: int, x: int, y: int) -> int:
        """Return the moment [µs since 1970] the tile last changed, 0 for one nobody ever wrote to."""
        if z > FINEST:
            x, y, z = x >> (z - FINEST), y >> (z - FINEST), FINEST
        own, found = self._own, self._above.get((z, x, y), 0)
        while z >= 0:
            moment = own.get((z, x, y), 0)
            if moment > found:
                found = moment
            z, x, y = z - 1, x >> 1, y >> 1
        return found


def _span(place: int, side: int) -> range:
    """Return the columns of tiles ``side`` times as wide whose buffers reach the tile in column ``place``."""
    return range(max(0, ceil(place / side - _BUFFER) - 1), floor((place + 1) / side + _BUFFER) + 1)


async def read_marks(
    connection: AsyncConnection[TupleRow], known: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, list[Mark]]]:
    """Return the version token of every layer that ever changed, and marks of the layers in ``known``.

    Marks are those newer than the moment [µs since 1970] of their layer. A token names the counter and the moment it
    moved, so that a restored database never repeats one.
    """
    cursor = await connection.execute(
        "with moved as materialized (select layer, version, changed from meta.layer_version) "
        "select layer, null::smallint, null::integer, null::integer, (extract(epoch from changed) * 1e6)::bigint, "
        "version from moved union all "
        "select m.layer, m.z, m.x, m.y, (extract(epoch from m.changed) * 1e6)::bigint, 0 "
        "from unnest(%s::text[], %s::bigint[]) as k (layer, moment) join meta.tile_mark m on m.layer = k.layer "
        "and (extract(epoch from m.changed) * 1e6)::bigint > k.moment",
        (list(known), list(known.values())),
        binary=True,
    )
    tokens: dict[str, str] = {}
    marks: dict[str, list[Mark]] = {layer: [] for layer in known}
    for layer, z, x, y, moment, version in await cursor.fetchall():
        if z is None:
            tokens[layer] = f"{version}-{moment}"
        else:
            marks[layer].append((z, x, y, moment))
    return tokens, marks
