"""Live changes are written once for all who hear the same, and whoever is slow gets the newest of each series."""

from dataclasses import replace

import orjson

from api.live import Interest, Listener, Told
from layers.store.sensing.changes import Change

CHANGE = Change("S1.stage", "S1", "stage", "stage", "m", 1.0, "2026-11-20T00:00:00Z", 1, 10, 105.7, 10.0)


def read(event: bytes) -> tuple[str, dict[str, float]]:
    """Return the id of an event and its results by series."""
    fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if ": " in line)
    return fields["id"], {one["id"]: one["result"] for one in orjson.loads(fields["data"])["readings"]}


def test_who_hears_the_same_gets_the_same_bytes() -> None:
    told = Told([CHANGE, replace(CHANGE, datastream_id="S2.stage", result=2.0, stored=12)])
    listeners = [Listener(Interest()), Listener(Interest())]
    for listener in listeners:
        listener.offer(told, [])
    first, second = (listener.told for listener in listeners)
    assert first is not None and second is not None and first.event is second.event
    assert read(first.event) == ("12", {"S1.stage": 1.0, "S2.stage": 2.0})


def test_who_is_slow_gets_the_newest_of_each_series_and_others_are_not_touched() -> None:
    slow, quick = Listener(Interest()), Listener(Interest())
    for listener in (slow, quick):
        listener.offer(Told([CHANGE, replace(CHANGE, datastream_id="S2.stage")]), [])
    quick.told = None
    later = Told([replace(CHANGE, result=3.0, stored=20)])
    for listener in (slow, quick):
        listener.offer(later, [])
    assert slow.told is not None and quick.told is not None
    assert read(slow.told.event) == ("20", {"S1.stage": 3.0, "S2.stage": 1.0})
    assert read(quick.told.event) == ("20", {"S1.stage": 3.0})


def test_nothing_wakes_nobody() -> None:
    listener = Listener(Interest())
    listener.offer(Told([]), [])
    assert listener.told is None and not listener.woken.is_set()
    listener.offer(Told([]), [("alarm", "7")])
    assert listener.told is None and listener.woken.is_set() and list(listener.notices) == [("alarm", "7")]


def test_interests() -> None:
    assert Interest().wants(CHANGE)
    assert not Interest().wants(replace(CHANGE, hidden=True))
    assert Interest(sees_hidden=True).wants(replace(CHANGE, hidden=True))
    assert Interest(datastreams=frozenset({"S1.stage"})).wants(CHANGE)
    assert not Interest(datastreams=frozenset({"S2.stage"})).wants(CHANGE)
    assert not Interest(kind="rain").wants(CHANGE)
    assert Interest(bounds=(105.0, 9.0, 106.0, 11.0)).wants(CHANGE)
    assert not Interest(bounds=(106.0, 9.0, 107.0, 11.0)).wants(CHANGE)
    assert Interest(bounds=(105.6, 9.0, -105.0, 11.0)).wants(CHANGE), "a box over the date line"
    assert not Interest(bounds=(105.0, 9.0, 106.0, 11.0)).wants(replace(CHANGE, lon=None, lat=None))
