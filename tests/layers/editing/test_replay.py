"""Any sequence of edits and loads can be replayed: reads at every time, of both kinds, equal a plain list of events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import geopandas as gpd
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.editing.apply import apply_edits
from layers.editing.revert import revert_edit, revert_feature
from layers.editing.words import Edit, Op
from layers.errors import ConflictError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit, read_edit
from layers.store.features import upsert_features
from layers.store.origins import PRESENT, Interval, Past, build_origin
from layers.store.query.terms import Bindings
from tests.layers.editing.test_apply import X0, Y0, point

STOPS = read_vector_layer("stops")
START = datetime(2024, 1, 1, tzinfo=UTC)
BY_HAND, LOADED = "ab", "m"


class Event(NamedTuple):
    """From ``valid`` on a feature has ``value`` (None: it is not there), which the database says since ``recorded``."""

    valid: datetime
    recorded: datetime
    value: str | None
    edit: int


@dataclass
class Model:
    """What the database should know: the events of each feature in the order they were entered, the edits that load."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    loads: set[int] = field(default_factory=set)

    def now(self, name: str) -> str | None:
        own = self.events.get(name)
        return own[-1].value if own else None

    def is_by_hand(self, name: str) -> bool:
        own = self.events.get(name, [])
        return bool(own) and own[-1].edit not in self.loads

    def add(self, name: str, event: Event) -> None:
        self.events.setdefault(name, []).append(event)

    def read(self, past: Past = PRESENT) -> dict[str, str]:
        """Return the features there are at a time, each in its last version of that time."""
        found = {}
        for name, own in self.events.items():
            known = [one for one in own if past.recorded is None or one.recorded <= past.recorded]
            for event, ended in zip(known, [*(one.valid for one in known), None][1:], strict=True):
                if event.value is not None and _holds(event.valid, ended, past.during):
                    found[name] = event.value
        return found


def _holds(began: datetime, ended: datetime | None, during: Interval | None) -> bool:
    """Return whether what holds from ``began`` until before ``ended`` holds now, or at any moment of ``during``."""
    if during is None:
        return ended is None
    if ended is not None and (ended <= began or (during.start is not None and ended <= during.start)):
        return False
    return during.end is None or began <= during.end


Step = Callable[[Connection, Model], None]


def edit(op: Op, name: str, value: str, day: int | None) -> Step:
    """Return a step that creates, updates or deletes by hand, back-dated to a day or not."""
    since = None if day is None else START + timedelta(days=day)
    shape = point(0, 0) if op == "create" else None
    wanted = Edit(op, STOPS, name, {} if op == "delete" else {"name": value}, shape)

    def step(connection: Connection, model: Model) -> None:
        own, there = model.events.get(name, []), model.now(name)
        before = bool(own and since is not None and since < own[-1].valid)
        refused = there is not None if op == "create" else there is None
        try:
            with connection.begin_nested():
                done = apply_edits(connection, [wanted], author="An", reason="", valid_from=since)
        except (ConflictError, NotFoundError):
            assert refused or before
            return
        assert not refused
        assert not before
        record(connection, model, done.edit_id, {name: None if op == "delete" else value}, since)

    return step


def load(values: dict[str, str]) -> Step:
    """Return a step that loads features of a file; what was edited by hand is kept."""

    def step(connection: Connection, model: Model) -> None:
        frame = gpd.GeoDataFrame(
            {"id": list(values), "name": list(values.values())},
            geometry=[shapely.Point(X0, Y0)] * len(values),
            crs="EPSG:5897",
        )
        made = begin_edit(connection, author="twin load", reason="x", kind="load", source="s", layers=["stops"])
        upsert_features(connection, STOPS, frame, source_id="s")
        model.loads.add(made)
        taken = {name: value for name, value in values.items() if not model.is_by_hand(name)}
        record(connection, model, made, taken, None)

    return step


def record(
    connection: Connection, model: Model, made: int, values: dict[str, str | None], since: datetime | None
) -> None:
    """Note in the model what an edit did."""
    row = read_edit(connection, made)
    for name, value in values.items():
        if model.now(name) != value:
            model.add(name, Event(since or row.at, row.at, value, made))


def take_back(which: int) -> Step:
    """Return a step that reverts one of the edits by hand so far."""

    def step(connection: Connection, model: Model) -> None:
        made = sorted({one.edit for own in model.events.values() for one in own} - model.loads)
        if not made:
            return
        number = made[which % len(made)]
        (name,) = [name for name, own in model.events.items() if any(one.edit == number for one in own)]
        own = model.events[name]
        try:
            with connection.begin_nested():
                done = revert_edit(connection, number, author="Bình", reason="nhầm")
        except ConflictError:
            assert own[-1].edit != number
            return
        assert own[-1].edit == number
        record(connection, model, done.edit_id, {name: own[-2].value if len(own) > 1 else None}, None)

    return step


def bring_back(name: str, which: int) -> Step:
    """Return a step that makes a feature what it was in one of its versions."""

    def step(connection: Connection, model: Model) -> None:
        versions = [one.value for one in model.events.get(name, []) if one.value is not None]
        if not versions:
            return
        number = which % len(versions) + 1
        done = revert_feature(connection, STOPS, name, number, author="Bình", reason="")
        record(connection, model, done.edit_id, {name: versions[number - 1]}, None)

    return step


values = st.sampled_from(["x", "y", "z"])
days = st.one_of(st.none(), st.integers(0, 6))
names = st.sampled_from(BY_HAND + LOADED)
steps = st.one_of(
    st.builds(edit, st.just("create"), st.sampled_from(BY_HAND), values, days),
    st.builds(edit, st.just("update"), names, values, days),
    st.builds(edit, st.just("delete"), st.sampled_from(BY_HAND), values, days),
    st.builds(load, st.dictionaries(st.sampled_from(LOADED), values, min_size=1)),
    st.builds(take_back, st.integers(0, 20)),
    st.builds(bring_back, names, st.integers(0, 9)),
)


def read(connection: Connection, past: Past) -> dict[str, str]:
    bindings = Bindings()
    origin = build_origin(STOPS, ["name"], bindings, past)
    driver = connection.connection.driver_connection
    assert driver is not None
    return dict(driver.execute(f"select t.id, t.name from {origin} t", bindings.values).fetchall())


@st.composite
def lives(draw: st.DrawFn) -> list[Step]:
    """Return one feature's way from its creation to its end, back-dated day by day, some on the same day."""
    name = draw(st.sampled_from(BY_HAND))
    first, *later = sorted(draw(st.lists(st.integers(0, 6), min_size=3, max_size=4)))
    ops: list[Op] = [*["update"] * (len(later) - 1), draw(st.sampled_from(["update", "delete"]))]
    return [
        edit("create", name, draw(values), first),
        *(edit(op, name, draw(values), day) for op, day in zip(ops, later, strict=True)),
    ]


sequences = st.lists(st.one_of(steps.map(lambda one: [one]), lives()), min_size=2, max_size=5).map(
    lambda parts: [step for part in parts for step in part]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([edit("create", "a", "x", 1), edit("update", "a", "y", 3), edit("delete", "a", "", 5)])
@example([edit("create", "a", "x", 2), edit("update", "a", "y", 2), edit("delete", "a", "", 2)])
@example([load({"m": "x"}), edit("update", "m", "y", None), load({"m": "z"}), take_back(0), bring_back("m", 1)])
@given(sequences)
def test_any_sequence_of_edits_is_replayed_to_any_time(connection: Connection, sequence: list[Step]) -> None:
    with connection.begin_nested() as trial:
        model = Model()
        for step in sequence:
            step(connection, model)
        recorded = sorted({one.recorded for own in model.events.values() for one in own})
        valid = [START + timedelta(days=day) for day in range(-1, 8)]
        some = [Interval(valid[2], valid[2]), Interval(None, valid[4]), Interval(valid[4], None)]
        asked = [PRESENT]
        asked += [Past(during=Interval(known, known)) for known in [*valid, *recorded]]
        asked += [Past(during=during) for known in valid for during in (Interval(None, known), Interval(known, None))]
        asked += [Past(during=Interval(valid[3], valid[5]))]
        asked += [Past(recorded=moment) for moment in recorded]
        asked += [Past(during, moment) for moment in recorded for during in (*some, Interval(moment, moment))]
        for past in asked:
            assert read(connection, past) == model.read(past), past
        fids = connection.execute(
            text("select count(distinct fid) from (select id, fid from city.stops union select id, fid from "
                 "history.stops) each group by id")
        )  # fmt: skip
        assert all(count == 1 for count in fids.scalars())
        trial.rollback()
