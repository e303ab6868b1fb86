"""The short way of an Observation: from the body of a POST to the database, with no entity read on the way."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import State

from api.resources import Resources
from api.sta.gathering import Gatherer
from api.sta.incoming_arrays import Series, list_features, read_arrays, sort_rows
from api.writing import Writer
from layers.errors import NotFoundError
from layers.store.sensing.arrival import store_live
from layers.store.sensing.creating import find_all_series, find_features
from layers.store.sensing.documents import ID, read_id
from layers.store.sensing.observing import Row, make_id, read_observation
from layers.store.sensing.writing import SENT_AGAIN

MOST_KNOWN = 200_000


class Observing:
    """Stores Observations and knows the series they are of; one a server."""

    def __init__(self, resources: Resources) -> None:
        self._engine, self._storing = resources.engine, resources.storing
        self._series: dict[str, Series] = {}
        self._features: set[str] = set()
        self._gatherer = Gatherer(self._store)

    def forget(self) -> None:
        """Ask anew for every series: one may be gone, or have another feature of interest."""
        self._series.clear()
        self._features.clear()

    async def create(self, sent: dict[str, Any], datastream_id: str, writer: Writer) -> str:
        """Store an Observation of a series that is there, and return its id."""
        row = read_observation(sent, datastream_id, datetime.now(UTC))
        fid, _ = await self._find(datastream_id)
        await self._keep([row], writer)
        return make_id(fid, row["phenomenon_time"])

    async def create_from_arrays(self, sent: Any, writer: Writer, prefix: str) -> list[str]:
        """Store the rows of CreateObservations; return for each its address below ``prefix``, or ``error: …``."""
        entries = read_arrays(sent)
        names = {entry.datastream_id for entry in entries}
        features = list_features(entries)
        if not (names <= self._series.keys() and features <= self._features):
            await asyncio.to_thread(self._learn, names, features)
        rows, answers = sort_rows(entries, self._series, self._features, prefix)
        if rows:
            await self._keep(rows, writer)
        return answers

    async def _keep(self, rows: Sequence[Row], writer: Writer) -> None:
        try:
            await self._gatherer.store(rows, writer.author, writer.reason)
        except NotFoundError:
            self.forget()
            raise

    async def _find(self, datastream_id: str) -> Series:
        if datastream_id not in self._series:
            await asyncio.to_thread(self._learn, {datastream_id}, set())
        known = self._series.get(datastream_id)
        if known is None:
            raise NotFoundError(f"Datastream '{datastream_id[:80]}' does not exist")
        return known

    def _learn(self, names: set[str], features: set[str]) -> None:
        """Look up series and features of interest that are not known yet."""
        if len(self._series) + len(self._features) > MOST_KNOWN:
            self.forget()
        with self._engine.begin() as connection:
            self._series.update(find_all_series(connection, names - self._series.keys()))
            self._features |= find_features(connection, features - self._features)

    def _store(self, rows: Sequence[Row], author: str, reason: str) -> None:
        with self._storing.begin() as connection:
            store_live(connection, rows, author=author, reason=reason or SENT_AGAIN)


def give_observing(state: State) -> Observing:
    """Return what stores the Observations of the application that holds ``state``."""
    held: Observing | None = getattr(state, "observing", None)
    if held is None:
        held = state.observing = Observing(state.resources)
    return held


def find_datastream(sent: Any) -> str | None:
    """Return the id of the Datastream an Observation names, None where it holds more than that.

    Only an Observation that links a Datastream by its id and leaves its feature of interest to the server is short.
    """
    if not isinstance(sent, dict) or sent.get("FeatureOfInterest") is not None or sent.get(ID) is not None:
        return None
    link = sent.get("Datastream")
    if not isinstance(link, dict) or link.keys() != {ID}:
        return None
    return read_id(link[ID])
