"""What a map can show: declared layers, of rasters the run and the time that are meant."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection

from api.answers import write_moment
from api.maps.errors import MapError
from api.parameters import parse_moment
from layers.access import visible_layers, visible_rasters
from layers.errors import InputError
from layers.schema import RasterLayer, VectorLayer
from layers.store.rasters import RasterRow, list_rasters

MAX_LAYERS = 32
# How many runs are listed to choose from; older ones are reached by their id too.
LISTED_RUNS = 20


class Shown(NamedTuple):
    """A layer as one picture shows it: of a raster the file's entry and its band (from 1).

    ``time`` and ``run`` are what was chosen where the layer has that dimension.
    """

    layer: VectorLayer | RasterLayer
    row: RasterRow | None = None
    band: int = 1
    time: datetime | None = None
    run: str | None = None


def find_shown(connection: Connection, name: str, *, time: str | None = None, run: str | None = None) -> Shown:
    """Return the layer called ``name``, or the raster with that id, at ``time`` and of ``run``.

    A time between two steps means the nearer one. MapError: LayerNotDefined, InvalidDimensionValue.
    """
    if name in visible_layers():
        return Shown(visible_layers()[name])
    rows = list_rasters(connection, layer=name) if name in visible_rasters() else list_named(connection, name)
    layer = visible_rasters().get(rows[-1].layer) if rows else None
    if layer is None:
        raise MapError(
            f"layer '{name[:80]}' is not defined", word="LayerNotDefined", locator="LAYERS",
            hint="GetCapabilities lists the layers",
        )  # fmt: skip
    row = _choose_run(rows, run)
    if not row.times:
        return Shown(layer, row, run=row.run_id)
    place = find_step(row.times, time)
    return Shown(layer, row, place + 1, row.times[place], row.run_id)


def list_named(connection: Connection, raster_id: str) -> list[RasterRow]:
    """Return the raster with that id, as a list of one or none."""
    return [row for row in list_rasters(connection) if row.id == raster_id]


def list_shown(connection: Connection) -> dict[str, list[RasterRow]]:
    """Return the public raster layers that have rasters, each with all of them, the newest last."""
    found: dict[str, list[RasterRow]] = {}
    for row in list_rasters(connection):
        layer = visible_rasters().get(row.layer)
        if layer is not None:
            found.setdefault(row.layer, []).append(row)
    return found


def list_runs_of(rows: Sequence[RasterRow]) -> list[str]:
    """Return the runs the newest of these rasters come from, the newest first."""
    return list(dict.fromkeys(row.run_id for row in reversed(rows) if row.run_id))[:LISTED_RUNS]


def find_step(times: Sequence[datetime], asked: str | None) -> int:
    """Return the place of the step nearest to ``asked``, or to now where it is not given or says ``current``.

    MapError (InvalidDimensionValue) for what is no moment, and for one before the first or after the last step.
    """
    if asked is None or asked.lower() in ("", "current", "default"):
        return find_nearest(times, datetime.now(UTC))
    try:
        moment = parse_moment(asked, "TIME")
    except InputError as error:
        raise MapError(
            error.message, word="InvalidDimensionValue", locator="TIME", hint="one moment, such as 2026-11-22T10:00:00Z"
        ) from None
    # Half a step beyond either end is still nearest to it.
    slack = (times[1] - times[0]) / 2 if len(times) > 1 else timedelta(0)
    if not times[0] - slack <= moment <= times[-1] + slack:
        raise MapError(
            f"TIME '{asked[:40]}' lies outside of this series", word="InvalidDimensionValue", locator="TIME",
            hint=f"from {write_moment(times[0])} to {write_moment(times[-1])}",
        )  # fmt: skip
    return find_nearest(times, moment)


def find_nearest(times: Sequence[datetime], moment: datetime) -> int:
    """Return the place of the time nearest to ``moment``, of two the earlier."""
    return min(range(len(times)), key=lambda place: abs(times[place] - moment))


def write_times(times: Sequence[datetime]) -> str:
    """Return times as start/end/period where they are evenly spaced, else as a list (OGC 06-042, C.3)."""
    steps = {after - before for before, after in pairwise(times)}
    if len(times) > 2 and len(steps) == 1:
        return f"{write_moment(times[0])}/{write_moment(times[-1])}/{write_period(steps.pop())}"
    return ",".join(write_moment(moment) for moment in times)


def write_period(step: timedelta) -> str:
    """Return a length of time as ISO 8601 has it: PT10M, P1DT6H."""
    seconds = int(step.total_seconds())
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    day = f"{days}D" if days else ""
    rest = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return f"P{day}T{rest}" if rest else f"P{day or '0D'}"


def _choose_run(rows: Sequence[RasterRow], run: str | None) -> RasterRow:
    if run is None or run.lower() in ("", "newest", "default"):
        return rows[-1]
    found = next((row for row in reversed(rows) if row.run_id == run), None)
    if found is None:
        raise MapError(
            f"run '{run[:80]}' has no raster of layer '{rows[-1].layer}'", word="InvalidDimensionValue",
            locator="DIM_RUN", hint=f"the newest: {', '.join(list_runs_of(rows)[:3]) or 'none'}",
        )  # fmt: skip
    return found
