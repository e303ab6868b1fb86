"""Incidents on streets as inputs of alarms: how sure one is in each section at each reading of its two stations."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from layers.store.migrate import read_city
from twin.alarms.applying import INCIDENTS
from twin.alarms.board import Board
from twin.alarms.state import Reading
from twin.store_traffic import Arrival, select_arrived, select_many
from twin.traffic.counting import Section
from twin.traffic.incident_detection import LEAD_S, READ, Readings, Usual, judge_section, learn
from twin.traffic.street_sections import list_sections

LEARN_S = 86_400.0
"""What is usual is learnt anew once a day."""


class IncidentFeed:
    """Readings of counters, each as how sure an incident in its section is (0 to 1).

    What is usual at a station is kept in memory for a day; it follows from readings, so losing it loses nothing.
    """

    def __init__(self) -> None:
        self._usual: dict[str, tuple[float, Usual]] = {}

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime) -> list[Reading]:
        """Return what the readings that were stored at ``since`` ≤ time < ``before`` tell of their sections."""
        wanted = {source.removeprefix(INCIDENTS) for source in board.by_source if source.startswith(INCIDENTS)}
        if not wanted:
            return []
        sections = [one for one in list_sections(connection, before) if one.id in wanted]
        series = sorted({name for one in sections for name in _list_series(one)})
        arrived = select_arrived(connection, series, since, before)
        told: list[Reading] = []
        for section in sections:
            own = set(_list_series(section))
            news = [one for one in arrived if one.series in own]
            if news:
                told += self._judge(connection, section, news)
        return told

    def _judge(self, connection: Connection, section: Section, news: Sequence[Arrival]) -> list[Reading]:
        step = section.upstream.interval_s
        stored: dict[float, float] = {}
        for one in news:
            slot = round(one.time / step) * step
            stored[slot] = max(stored.get(slot, 0.0), one.stored)
        start, end = min(stored) - step, max(stored)
        first, last = datetime.fromtimestamp(start - LEAD_S, UTC), datetime.fromtimestamp(end, UTC)
        readings = select_many(connection, _list_series(section), first, last)
        judged = judge_section(section, self._learn(connection, section, start), readings, start, end)
        return [
            Reading(f"{INCIDENTS}{section.id}", time, stored[time], sure, 1)
            for time, sure in zip(judged.times.tolist(), judged.confidence.tolist(), strict=True)
            if time in stored and np.isfinite(sure)
        ]

    def _learn(self, connection: Connection, section: Section, at: float) -> Usual:
        day = at // LEARN_S
        known = self._usual.get(section.id)
        if known is None or known[0] != day:
            moment = datetime.fromtimestamp(day * LEARN_S, UTC)
            zone = ZoneInfo(str(read_city(connection).declaration.get("timezone") or "UTC"))
            offset = round((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())

            def read(ids: Sequence[str], start: datetime, end: datetime) -> Readings:
                return select_many(connection, ids, start, end)

            known = day, learn(section.upstream, read, moment, offset)
            self._usual[section.id] = known
        return known[1]


def _list_series(section: Section) -> list[str]:
    stations = section.upstream, section.downstream
    return [one.series[name].id for one in stations for name in READ if name in one.series]
