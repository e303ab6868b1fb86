"""The state of assets at a time: what a reading, a forecast, a lamp program or a flood run says, and which of them.

For a time past it is what was so then; with ``known``, what was known then. For a time to come stages are those of the
newest forecast, depths those of the newest flood run. What nothing speaks of is unknown, and said to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from layers.errors import NotFoundError
from layers.schema import Text, VectorLayer
from layers.states import ALARMED, FAILED, TITLES, UNKNOWN, find_word, rank_property
from layers.store.mercator import Bounds
from layers.store.sensing.state import WatchedItem, WatchingReading, select_places, select_watching
from twin.state.flooding import Flooding, find_flooding
from twin.state.programs import LampPrograms, read_programs
from twin.store_state import ForecastValue, select_forecasts

STALE_INTERVALS, STALE_S = 3.0, 3600.0
"""A reading is stale after three intervals of its series; after an hour where the interval is not known."""

LAMPS = ("luminaires", "lighting_cabinets")
MACHINES = ("drainage_links", "sensors", "parking_spaces", "waste_bins")
"""Layers whose state is what they do: water around them does not tell it."""


@dataclass(frozen=True, slots=True)
class StateReading:
    """One series that speaks of the item: its reading, the ``word`` it means, its age [s] at the time asked for."""

    source: WatchingReading
    word: str
    age_s: float | None
    stale: bool
    forecast: ForecastValue | None

    @property
    def speaks(self) -> bool:
        """Whether it tells the state: it is there, not stale and did not fail."""
        return self.source.time is not None and not self.stale and self.source.quality != FAILED


@dataclass(frozen=True, slots=True)
class AssetState:
    """The state of an item at a time.

    ``basis`` is what says so: reading, forecast, members, feeder, program, flood, or none. ``note`` says what is not
    known or presumed.
    """

    layer: str
    item: WatchedItem
    at: datetime
    known: datetime | None
    word: str
    basis: str
    value: object
    unit: str | None
    time: datetime | None
    age_s: float | None
    quality: int | None
    stale: bool
    note: Text | None
    readings: tuple[StateReading, ...]
    flooding: Flooding | None

    @property
    def title(self) -> Text:
        """The word as a person reads it."""
        return TITLES[self.word]


@dataclass(frozen=True, slots=True)
class _Told:
    word: str
    basis: str
    value: object = None
    unit: str | None = None
    reading: StateReading | None = None
    note: Text | None = None


NO_SENSOR = Text("không có cảm biến", "no sensor watches it")
NO_READING = Text("cảm biến chưa gửi số đo", "its sensor has not sent a reading")
STALE = Text("số đo đã cũ", "the reading is stale")
PRESUMED_PROGRAM = Text("giả định bật từ lúc mặt trời lặn đến lúc mọc", "presumed lit from sunset to sunrise")


def find_states(
    connection: Connection,
    layer: VectorLayer,
    processed: Path,
    *,
    zone: ZoneInfo,
    items: Sequence[str] | None = None,
    bbox: Bounds | None = None,
    at: datetime | None = None,
    known: datetime | None = None,
    limit: int = 10_000,
    now: datetime | None = None,
) -> list[AssetState]:
    """Return the state of items of ``layer``, by id: those named, or those in ``bbox`` [°], at most ``limit``.

    ``at`` is the time asked for, now without it; ``known`` the time whose knowledge counts. ``processed`` is the folder
    of rasters, ``zone`` that of lamp programs.
    """
    present = now or datetime.now(UTC)
    moment = at or known or present
    places = select_places(connection, layer, items=items, bbox=bbox, limit=limit)
    wanted = [place.id for place in places] if items is not None or bbox is not None else None
    watching = select_watching(connection, layer, items=wanted, at=at, known=known)
    forecasts = {}
    if moment > (known or present):
        stages = [each.datastream_id for each in watching if each.observed_property == ALARMED]
        forecasts = select_forecasts(connection, stages, moment, known) if stages else {}
    flooding = find_flooding(connection, layer, processed, places, moment, known)
    by_item = {
        item: [_judge(each, moment, forecasts.get(each.datastream_id)) for each in same]
        for item, same in groupby(watching, lambda each: each.item)
    }
    programs = (
        read_programs(connection, layer.id, [each.id for each in places], moment, zone) if layer.id in LAMPS else None
    )
    states = []
    for place in places:
        readings = sorted(
            by_item.get(place.id, []),
            key=lambda each: (each.source.via != "own", rank_property(each.source.observed_property)),
        )
        told = _tell(layer, place, readings, programs, flooding.get(place.id))
        shown = told.reading
        states.append(
            AssetState(
                layer.id, place, moment, known, told.word, told.basis, told.value, told.unit,
                shown.source.time if shown else None, shown.age_s if shown else None,
                shown.source.quality if shown else None, shown.stale if shown else False, told.note,
                tuple(each for each in readings if each.source.via == "own" or len(readings) <= 50),
                flooding.get(place.id),
            )
        )  # fmt: skip
    return states


def find_state(
    connection: Connection,
    layer: VectorLayer,
    item_id: str,
    processed: Path,
    *,
    zone: ZoneInfo,
    at: datetime | None = None,
    known: datetime | None = None,
    now: datetime | None = None,
) -> AssetState:
    """Return the state of one item; NotFoundError when the layer has no such item."""
    found = find_states(connection, layer, processed, zone=zone, items=[item_id], at=at, known=known, now=now)
    if not found:
        raise NotFoundError(f"layer '{layer.id}' has no item '{item_id[:80]}'")
    return found[0]


def _judge(source: WatchingReading, at: datetime, forecast: ForecastValue | None) -> StateReading:
    word = find_word(source.observed_property, source.result, source.quality, source.alarms, source.speed_limit)
    if source.time is None:
        return StateReading(source, word, None, False, forecast)
    age = (at - source.time).total_seconds()
    limit = STALE_INTERVALS * source.interval_s if source.interval_s else STALE_S
    return StateReading(source, word, age, age > limit, forecast)


def _tell(
    layer: VectorLayer,
    place: WatchedItem,
    readings: Sequence[StateReading],
    programs: LampPrograms | None,
    flooding: Flooding | None,
) -> _Told:
    """Return what says most of an item."""
    own = [each for each in readings if each.source.via == "own"]
    forecast = next((each for each in own if each.forecast is not None), None)
    if forecast is not None and forecast.forecast is not None:
        says = forecast.forecast
        # One warns from a quantile, not from the middle of what may come.
        word = find_word(ALARMED, says.warning, None, forecast.source.alarms)
        return _Told(word, "forecast", says.q50, forecast.source.unit, forecast)
    if programs is not None:
        return _tell_lamp(readings, place, programs)
    members = [each for each in readings if each.source.via == "member"]
    if members:
        return _count_members(members)
    speaking = next((each for each in own if each.speaks), None)
    if speaking is not None:
        return _Told(speaking.word, "reading", _value(speaking), speaking.source.unit, speaking)
    if flooding is not None and not own and layer.id not in MACHINES:
        return _Told("flooded" if flooding.is_wet else "not_flooded", "flood", flooding.deepest, "m")
    if not own:
        return _Told(UNKNOWN, "none", note=NO_SENSOR)
    last = own[0]
    if last.source.time is None:
        return _Told(UNKNOWN, "none", unit=last.source.unit, note=NO_READING)
    return _Told(last.word, "reading", _value(last), last.source.unit, last, STALE if last.stale else None)


def _tell_lamp(readings: Sequence[StateReading], place: WatchedItem, programs: LampPrograms) -> _Told:
    """Return whether a lamp is lit: by its own controller, by that of its cabinet, else by its program."""
    for via in ("own", "feeder"):
        for each in readings:
            if each.source.via == via and each.source.observed_property == "light_level" and each.speaks:
                basis = "reading" if via == "own" else "feeder"
                return _Told(each.word, basis, each.source.result, each.source.unit, each)
    level = programs.find_level(place)
    note = None if programs.is_declared(place.id) else PRESUMED_PROGRAM
    return _Told(find_word("light_level", level, None), "program", level, "1", note=note)


def _count_members(members: Sequence[StateReading]) -> _Told:
    """Return how many bays are free, of those whose sensors speak."""
    speaking = [each for each in members if each.speaks and each.source.observed_property == "bay_occupied"]
    if not speaking:
        return _Told(UNKNOWN, "none", note=STALE)
    free = sum(each.word == "free" for each in speaking)
    newest = max(speaking, key=lambda each: each.source.time or datetime.min.replace(tzinfo=UTC))
    note = Text(f"đếm {len(speaking)} chỗ có cảm biến", f"of {len(speaking)} bays with a sensor")
    return _Told("room" if free else "full", "members", free, "{#}", newest, note)


def _value(reading: StateReading) -> object:
    return reading.source.value if reading.source.result is None else reading.source.result
