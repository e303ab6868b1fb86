"""One moment of the database seen by several connections, and whether anything lies in a tile then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import TupleRow

from layers.schema import VectorLayer
from layers.store.assuming import assume
from layers.store.names import quote
from layers.store.tables import CITY
from layers.store.tiles import TileAddress

# What a tile draws beyond its edge, as a part of its width.
_MARGIN = 1.0 / 64.0


@asynccontextmanager
async def share_snapshot(url: str, count: int) -> AsyncIterator[list[AsyncConnection[TupleRow]]]:
    """Yield ``count`` connections that read the database as it is at this moment, whatever is written meanwhile."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(await AsyncConnection.connect(url, application_name="twin bake"))
            for _ in range(count)
        ]
        for connection in connections:
            await connection.set_autocommit(True)
            await assume(connection)
            await connection.set_autocommit(False)
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
        snapshot = None
        for connection in connections:
            if snapshot is None:
                row = await (await connection.execute("select pg_export_snapshot()")).fetchone()
                assert row is not None
                snapshot = str(row[0])
            else:
                await connection.execute(f"set transaction snapshot '{snapshot}'")
        yield connections


async def find_filled(
    connection: AsyncConnection[TupleRow], layers: Sequence[VectorLayer]
) -> dict[str, tuple[float, float, float, float]]:
    """Return (x_min, y_min, x_max, y_max) in EPSG:3857 [m] of every layer that has features, by id."""
    found = {}
    for layer in layers:
        cursor = await connection.execute(
            "select ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) from "
            f"(select ST_Extent(geom_3857) as box from {CITY}.{quote(layer.id)}) as whole"
        )
        row = await cursor.fetchone()
        if row is not None and row[0] is not None:
            found[layer.id] = (row[0], row[1], row[2], row[3])
    return found


async def is_occupied(connection: AsyncConnection[TupleRow], layers: Sequence[VectorLayer], tile: TileAddress) -> bool:
    """Return whether a feature of ``layers`` lies in ``tile`` or its margin, drawn at this zoom or not.

    Where none does, none lies in any tile below it.
    """
    envelope = "ST_Expand(ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, 3857), %(margin)s)"
    probes = " or ".join(
        f"exists (select from {CITY}.{quote(layer.id)} where ST_Intersects(geom_3857, {envelope}))" for layer in layers
    )
    parameters: dict[str, object] = dict(zip(("x0", "y0", "x1", "y1"), tile.bounds, strict=True))
    cursor = await connection.execute(
        f"select {probes}", parameters | {"margin": tile.width * _MARGIN}, prepare=True, binary=True
    )
    row = await cursor.fetchone()
    return bool(row and row[0])
