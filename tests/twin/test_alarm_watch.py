"""The watch on a real database: from readings to alarms, restarts, parents, incidents, thousands of series."""

import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection, Engine, text

from layers.ingest.catalog import Source
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import store_observations
from layers.store.sources import register_source
from tests.commands import TwinProcess, start_twin
from twin.alarms.engine import Point, advance
from twin.alarms.forecasts import ForecastFeed, LoopFeed
from twin.alarms.lifecycle import Action
from twin.alarms.rules import parse_rule
from twin.alarms.state import AlarmState, Transition, begin_state
from twin.alarms.watch import Watch
from twin.store_alarm_follow import Listener, select_recent
from twin.store_alarm_incidents import list_incidents
from twin.store_alarm_rules import end_rule, list_rules, put_rule
from twin.store_alarms import AlarmQuery, AlarmRow, act_on_alarm, list_alarm_events, list_alarms, read_now

LEVELS = (1.8, 1.9, 2.0)
X0, Y0 = 580_000.0, 1_108_000.0


@pytest.fixture(autouse=True)
def empty(engine: Engine) -> None:
    """Begin each test with a city without sensors and alarms: the watch commits."""
    with engine.begin() as connection:
        connection.execute(text("truncate alarm.event, alarm.alarm, alarm.rule, alarm.incident, alarm.cursor"))
        connection.execute(text("truncate sensing.thing, sensing.observation cascade"))
        connection.execute(text("delete from city.sensors"))


def add_gauges(connection: Connection, count: int, *, levels: tuple[float | None, ...] = LEVELS) -> list[str]:
    """Enter stage gauges on one canal and return their series."""
    names = [f"G-{k:04d}" for k in range(count)]
    source = Source(
        id="s", uri="x.gpkg", layer="sensors", title={"vi": "Nguồn", "en": "Source"}, licence="CC0-1.0",
        attribution="nobody", synthetic=True,
    )  # fmt: skip
    register_source(connection, source, uri="x.gpkg", fingerprint="f")
    frame = gpd.GeoDataFrame(
        {
            "id": names,
            "name": [f"Trạm {name}" for name in names],
            "kind": "stage",
            "alarm_1": levels[0],
            "alarm_2": levels[1],
            "alarm_3": levels[2],
            "watched_layer": "water_bodies",
            "watched_id": "canal",
        },
        geometry=[shapely.Point(X0 + 10 * k, Y0) for k in range(count)],
        crs="EPSG:5897",
    )
    upsert_features(connection, VECTOR_LAYERS["sensors"], frame, source_id="s")
    streams = [Datastream(f"{name}.stage", name, "stage", "m", "Mực nước", "Stage") for name in names]
    upsert_datastreams(connection, streams, "s")
    return [stream.id for stream in streams]


def store(engine: Engine, *rows: tuple[str, datetime, float | None, int]) -> None:
    named = [
        {"datastream_id": series, "phenomenon_time": at.isoformat(), "result": value, "quality": flag}
        for series, at, value, flag in rows
    ]
    with engine.begin() as connection:
        store_observations(connection, named, author="test")


def settle(engine: Engine) -> None:
    """Let a pass come that no reading is too young for: a rule holds them for 30 s, so make them older."""
    with engine.begin() as connection:
        connection.execute(text("update sensing.observation set stored = stored - interval '1 minute'"))


def read_states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.rule: row.state for row in list_alarms(connection, AlarmQuery(states=()))}


def find_alarm(engine: Engine, rule: str) -> AlarmRow:
    with engine.connect() as connection:
        (found,) = list_alarms(connection, AlarmQuery(states=(), rule=rule))
    return found


def prompt(engine: Engine) -> None:
    """Write the derived rules again without waiting for late readings."""
    with engine.begin() as connection:
        for one in list_rules(connection):
            put_rule(connection, one.rule.model_copy(update={"lateness_s": 0.0}), origin="hand", author="test")


def test_levels_of_a_gauge_become_rules_and_the_higher_suppresses_the_lower(engine: Engine) -> None:
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1)
    watch = Watch(engine)
    watch.pass_once()
    with engine.connect() as connection:
        rules = list_rules(connection)
    assert [(one.rule.id, one.rule.level, one.rule.priority, one.origin) for one in rules] == [
        ("flood-1.G-0000", 1, "medium", "derived"),
        ("flood-2.G-0000", 2, "high", "derived"),
        ("flood-3.G-0000", 3, "critical", "derived"),
    ]
    assert all("05/2020" in (one.rule.legal_source or "") for one in rules)
    prompt(engine)
    now = datetime.now(UTC)
    store(engine, (series, now - timedelta(seconds=50), 1.85, 1))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "UNACK", "flood-2.G-0000": "NORMAL", "flood-3.G-0000": "NORMAL"}
    store(engine, (series, now - timedelta(seconds=40), 2.05, 1))
    watch.pass_once()
    assert read_states(engine) == {
        "flood-1.G-0000": "SUPPRESSED", "flood-2.G-0000": "SUPPRESSED", "flood-3.G-0000": "UNACK"
    }  # fmt: skip
    with engine.connect() as connection:
        (incident,) = list_incidents(connection)
        (standing,) = list_alarms(connection)
    assert (incident.standing, incident.alarms, incident.level, incident.priority) == (1, 3, 3, "critical")
    assert (incident.layer, incident.feature) == ("water_bodies", "canal")
    assert (standing.rule, standing.value, standing.thing) == ("flood-3.G-0000", 2.05, "G-0000")
    with engine.begin() as connection:
        act_on_alarm(connection, standing.id, Action("acknowledge", read_now(), "an", "đã biết"))
        events = list_alarm_events(connection, standing.id)
    assert [(one.kind, one.author) for one in reversed(events)][-3:] == [
        ("raise", "engine"), ("escalate", "engine"), ("acknowledge", "an")
    ]  # fmt: skip


def test_what_a_person_hides_no_longer_suppresses(engine: Engine) -> None:
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(1.8, 1.9, None))
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    store(engine, (series, datetime.now(UTC) - timedelta(seconds=50), 1.95, 1))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "SUPPRESSED", "flood-2.G-0000": "UNACK"}
    number = find_alarm(engine, "flood-2.G-0000").id
    with engine.begin() as connection:
        now = read_now()
        act_on_alarm(connection, number, Action("shelve", now - 5.0, "an", "bảo trì", until=now + 600))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "UNACK", "flood-2.G-0000": "SHELVED"}
    with engine.begin() as connection:
        act_on_alarm(connection, number, Action("unshelve", read_now() - 5.0, "an"))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "SUPPRESSED", "flood-2.G-0000": "UNACK"}


def test_overriding_and_ending_derived_rules_lasts(engine: Engine) -> None:
    with engine.begin() as connection:
        add_gauges(connection, 1, levels=(1.8, 1.9, None))
    watch = Watch(engine)
    watch.pass_once()
    with engine.begin() as connection:
        own = list_rules(connection)[0].rule.model_copy(update={"priority": "low"})
        put_rule(connection, own, origin="hand", author="an", reason="thử")
        end_rule(connection, "flood-2.G-0000", author="an", reason="thử")
        connection.execute(text("update city.sensors set alarm_1 = 1.5, alarm_2 = 1.6"))
    watch.pass_once()
    with engine.connect() as connection:
        (left,) = list_rules(connection)
        (alarm,) = list_alarms(connection, AlarmQuery(states=()))
    assert (left.rule, left.version, alarm.priority) == (own, 2, "low")


def test_a_level_changed_in_the_layer_is_a_new_version(engine: Engine) -> None:
    with engine.begin() as connection:
        add_gauges(connection, 1, levels=(1.8, None, None))
    watch = Watch(engine)
    watch.pass_once()
    with engine.begin() as connection:
        connection.execute(text("update city.sensors set alarm_1 = 1.7"))
    Watch(engine).pass_once()
    with engine.connect() as connection:
        (rule,) = list_rules(connection)
    assert (rule.version, rule.rule.conditions[0].on) == (2, 1.7)  # type: ignore[union-attr]
    assert find_alarm(engine, "flood-1.G-0000").rule_version == 2
    with engine.begin() as connection:
        connection.execute(text("update city.sensors set alarm_1 = null"))
    Watch(engine).pass_once()
    assert read_states(engine) == {}


def test_a_new_alarm_begins_with_the_readings_of_the_last_hours(engine: Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(1.8, None, None))
    store(engine, (series, now - timedelta(hours=5), 1.9, 1), (series, now - timedelta(hours=1), 1.85, 1))
    settle(engine)
    Watch(engine).pass_once()
    alarm = find_alarm(engine, "flood-1.G-0000")
    assert alarm.state == "UNACK" and alarm.raised is not None
    assert abs(alarm.raised - (now - timedelta(hours=1))) < timedelta(seconds=1)


def test_failed_readings_raise_nothing_and_a_silent_gauge_does(engine: Engine) -> None:
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(1.8, None, None))
        silent = {
            "id": "silent", "title": {"vi": "Mất tín hiệu", "en": "No data"}, "event": "no-data", "priority": "low",
            "target": {"kind": "stage"}, "conditions": [{"kind": "no_data", "after_s": 600}],
        }  # fmt: skip
        put_rule(connection, parse_rule(silent), origin="file", author="an")
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    now = datetime.now(UTC)
    store(engine, (series, now - timedelta(seconds=700), 1.2, 1), (series, now - timedelta(seconds=30), 2.5, 4))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "NORMAL", "silent": "UNACK"}
    store(engine, (series, now - timedelta(seconds=5), 1.2, 1))
    watch.pass_once()
    assert read_states(engine) == {"flood-1.G-0000": "NORMAL", "silent": "RTN-UNACK"}


def test_two_hundred_stations_on_one_canal_are_one_line(engine: Engine) -> None:
    with engine.begin() as connection:
        series = add_gauges(connection, 200, levels=(1.8, None, None))
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    now = datetime.now(UTC)
    store(engine, *((one, now - timedelta(seconds=200 - k), 1.9, 1) for k, one in enumerate(series)))
    assert watch.pass_once() == 400  # raised, and the first step of the ladder
    with engine.connect() as connection:
        (incident,) = list_incidents(connection)
        standing = list_alarms(connection)
    assert (incident.standing, incident.unacknowledged, len(standing)) == (200, 200, 200)
    store(engine, *((one, now + timedelta(seconds=k / 1000), 1.0, 1) for k, one in enumerate(series)))
    store(engine, *((one, now + timedelta(seconds=100), 1.0, 1) for one in series))
    watch.pass_once()
    with engine.connect() as connection:
        (incident,) = list_incidents(connection)
    assert (incident.standing, incident.closed) == (200, None)


RESTLESS = {
    "id": "restless",
    "title": {"vi": "Mực nước cao", "en": "High stage"},
    "event": "flood",
    "priority": "high",
    "target": {"kind": "stage"},
    "conditions": [{"kind": "limit", "on": 1.8, "off": 1.7, "on_delay_s": 60, "off_delay_s": 60}],
    "lateness_s": 0.3,
    "escalation": [{"after_min": 0, "group": "duty"}, {"after_min": 0.01, "group": "command"}],
}


def test_killed_at_any_moment_it_says_what_it_would_have_said(engine: Engine, tmp_path: Path) -> None:
    """A watch of its own process is killed again and again; what is on record is what one pass over all would say."""
    with engine.begin() as connection:
        series = add_gauges(connection, 3, levels=(None, None, None))
        put_rule(connection, parse_rule(RESTLESS), origin="file", author="an")
    Watch(engine).pass_once()
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    at = datetime.now(UTC) - timedelta(minutes=110)
    for life in range(3):
        log = tmp_path / f"{life}.log"
        process = start_twin("alarms", "watch", settings={**os.environ, "TWIN_DATABASE_URL": url}, log=log)
        try:
            deadline = time.monotonic() + 60.0
            for step in range(200):
                level = 1.75 + 0.15 * math.sin((25 * life + step) / 2.0)
                store(engine, *((one, at + timedelta(seconds=20 * k), level, 1) for k, one in enumerate(series)))
                at += timedelta(seconds=30)
                time.sleep(0.05)
                if step >= 22 and "watching" in log.read_text():
                    break
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.17 * life)
        finally:
            process.kill()
            process.wait()
    time.sleep(2.0)
    Watch(engine).pass_once()
    with engine.connect() as connection:
        for alarm in list_alarms(connection, AlarmQuery(states=())):
            events = list(reversed(list_alarm_events(connection, alarm.id)))
            assert alarm.datastream is not None
            state, told = replay(connection, alarm.datastream, events[-1].known.timestamp())
            assert [(one.kind, one.state_after) for one in events] == [(one.kind, one.after) for one in told]
            for event, step in zip(events, told, strict=True):
                assert abs(event.at.timestamp() - step.at) < 1e-5 and abs(event.known.timestamp() - step.known) < 1e-5
            assert len(events) > 5 and alarm.occurrence == state.occurrence


def test_it_goes_on_when_its_connections_are_cut(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(None, None, None))
        steady = {**RESTLESS, "id": "steady", "conditions": [{"kind": "limit", "on": 1.8}], "lateness_s": 0}
        put_rule(connection, parse_rule(steady), origin="file", author="an")
    log = tmp_path / "watch.log"
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    process = start_twin("alarms", "watch", settings={**os.environ, "TWIN_DATABASE_URL": url}, log=log)
    try:
        wait_for(process, log, lambda: "watching" in log.read_text())
        with Listener(url) as other:
            assert not other.become_watcher()
        with engine.begin() as connection:
            cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            connection.execute(text(f"{cut} and pid <> pg_backend_pid()"))
        store(engine, (series, datetime.now(UTC) - timedelta(minutes=1), 1.9, 1))
        wait_for(process, log, lambda: read_states(engine) == {"steady": "UNACK"})
        assert "cannot be reached" in log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_watch_that_ends_before_its_first_page_misses_nothing(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("alarm_first_page"))
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(None, None, None))
        steady = {**RESTLESS, "id": "steady", "conditions": [{"kind": "limit", "on": 1.8}], "lateness_s": 0}
        put_rule(connection, parse_rule(steady), origin="file", author="an")
    with engine.begin() as connection:
        Watch(engine)._bring_in_line(connection)
    store(engine, (series, datetime.now(UTC) - timedelta(minutes=1), 1.9, 1))
    time.sleep(1.0)
    Watch(engine).pass_once()
    assert read_states(engine) == {"steady": "UNACK"}
    engine.dispose()


def wait_for(process: TwinProcess, log: Path, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not done():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def replay(connection: Connection, series: str, end: float) -> tuple[AlarmState, list[Transition]]:
    """Return what the engine says of all readings of a series in one batch."""
    begun = connection.execute(
        text("select extract(epoch from begun)::double precision from alarm.alarm where datastream = :id"),
        {"id": series},
    ).scalar_one()
    readings = select_recent(connection, [series], datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC))
    point = Point(parse_rule(RESTLESS), (series,))
    return advance(point, begin_state(begun, 1), readings, end)


def test_one_by_one_or_all_at_once_the_family_says_the_same(engine: Engine) -> None:
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1)
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    watch.pass_once()
    begun = datetime.now(UTC) - timedelta(hours=2)
    levels = [1.5, 1.82, 1.93, 2.02, 1.96, 1.88, 1.8, 1.7, 2.1, 2.1, 1.2, 1.2, 1.2, 1.2]
    for step, level in enumerate(levels):
        store(engine, (series, begun + timedelta(minutes=8 * step), level, 1))
        watch.pass_once()
    one_by_one = read_lives(engine)
    with engine.begin() as connection:
        connection.execute(text("truncate alarm.event, alarm.alarm, alarm.incident, alarm.cursor"))
    Watch(engine).pass_once()
    assert read_lives(engine) == one_by_one
    assert [kind for kind, *_ in one_by_one["flood-2.G-0000"]].count("suppress") == 2


def read_lives(engine: Engine) -> dict[str, list[tuple[str, str, datetime | None]]]:
    """Return the steps of every alarm, with when it came and went; what was over when it was heard calls nobody."""
    found = {}
    with engine.connect() as connection:
        for alarm in list_alarms(connection, AlarmQuery(states=())):
            found[alarm.rule] = [
                (one.kind, one.state_after, one.at if one.kind in ("raise", "clear") else None)
                for one in reversed(list_alarm_events(connection, alarm.id))
                if one.kind not in ("rule-change", "escalate")
            ]
    return found


def insert_issue(connection: Connection, series: str, issued: datetime, levels: dict[int, float]) -> None:
    """Keep a forecast whose quantiles at each lead [s] are 5 cm apart around its median."""
    number = connection.execute(
        text(
            "insert into forecast.issue (datastream, issue_time, origin, model) "
            "select fid, :at, :at, 'test' from sensing.datastream where id = :id returning id"
        ),
        {"id": series, "at": issued},
    ).scalar_one()
    names = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
    for lead, middle in levels.items():
        row = {name: middle + 0.05 * (place - 3) for place, name in enumerate(names)}
        connection.execute(
            text(
                f"insert into forecast.value (issue, lead_s, time, {', '.join(names)}, warning) values "
                f"(:issue, :lead, :time, {', '.join(f':{name}' for name in names)}, :q90)"
            ),
            {"issue": number, "lead": lead, "time": issued + timedelta(seconds=lead), **row},
        )


def test_a_forecast_that_passes_the_level_with_enough_probability_raises(engine: Engine) -> None:
    expected = {
        "id": "expected", "title": {"vi": "Dự báo vượt báo động II", "en": "Level II expected"}, "event": "flood",
        "priority": "high", "lateness_s": 0,
        "conditions": [{"kind": "forecast", "level": 1.9, "lead_s": 7200, "on": 0.5, "off": 0.2}],
    }  # fmt: skip
    with engine.begin() as connection:
        (series,) = add_gauges(connection, 1, levels=(None, None, None))
        put_rule(connection, parse_rule({**expected, "target": {"series": series}}), origin="file", author="an")
    watch = Watch(engine, (ForecastFeed(), LoopFeed()))
    watch.pass_once()
    begun = datetime.now(UTC) - timedelta(minutes=30)
    seen = []
    # The third rises beyond the lead only; the fourth has 25 % above the level, the last none.
    for step, levels in enumerate(
        (
            {3600: 1.7, 7200: 1.7},
            {3600: 1.7, 7200: 1.9},
            {3600: 1.85, 10_800: 2.5},
            {3600: 1.85, 7200: 1.8},
            {3600: 1.5},
        )
    ):
        with engine.begin() as connection:
            insert_issue(connection, series, begun + timedelta(minutes=step), levels)
        watch.pass_once()
        alarm = find_alarm(engine, "expected")
        seen.append((alarm.state, alarm.value and round(alarm.value, 2)))
    assert seen == [("NORMAL", 0.0), ("UNACK", 0.5), ("UNACK", 0.25), ("UNACK", 0.25), ("RTN-UNACK", 0.0)]


def test_a_loop_that_does_not_finish_is_late(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into forecast.loop_state (name, interval_s, since) "
                "values ('flood', 600, clock_timestamp() - interval '19 minutes')"
            )
        )
    try:
        watch = Watch(engine, (ForecastFeed(), LoopFeed()))
        watch.pass_once()
        assert find_alarm(engine, "forecast-late.flood").state == "NORMAL"
        with engine.begin() as connection:
            connection.execute(text("delete from alarm.alarm"))
            connection.execute(text("update forecast.loop_state set since = since - interval '2 minutes'"))
        watch = Watch(engine, (ForecastFeed(), LoopFeed()))
        watch.pass_once()
        assert find_alarm(engine, "forecast-late.flood").state == "UNACK"
        with engine.begin() as connection:
            connection.execute(
                text("update forecast.loop_state set skipped = clock_timestamp(), skipped_why = 'unchanged'")
            )
        watch.pass_once()
        assert find_alarm(engine, "forecast-late.flood").state == "RTN-UNACK"
    finally:
        with engine.begin() as connection:
            connection.execute(text("delete from forecast.loop_state"))


def test_a_slow_writer_is_not_overlooked(engine: Engine) -> None:
    """What is committed after younger readings were taken in is taken in too, in its place."""
    with engine.begin() as connection:
        first, second = add_gauges(connection, 2, levels=(1.8, None, None))
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    watch.pass_once()
    at = datetime.now(UTC) - timedelta(minutes=5)
    slow = engine.connect()
    row = {"datastream_id": first, "phenomenon_time": at.isoformat(), "result": 1.9, "quality": 1}
    store_observations(slow, [row], author="slow")
    store(engine, (second, at, 1.9, 1))
    watch.pass_once()
    assert set(read_states(engine).values()) == {"NORMAL"}
    slow.commit()
    slow.close()
    watch.pass_once()
    assert set(read_states(engine).values()) == {"UNACK"}


def test_pages_are_taken_one_after_another(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.alarms.watch.PAGE", 7)
    with engine.begin() as connection:
        series = add_gauges(connection, 5, levels=(1.8, None, None))
    watch = Watch(engine)
    watch.pass_once()
    prompt(engine)
    watch.pass_once()
    at = datetime.now(UTC) - timedelta(minutes=50)
    for step in range(8):
        level = 1.0 if 2 <= step < 6 else 1.9
        store(engine, *((one, at + timedelta(minutes=6 * step), level, 1) for one in series))
    watch.pass_once()
    with engine.connect() as connection:
        for alarm in list_alarms(connection, AlarmQuery(states=())):
            kinds = [one.kind for one in list_alarm_events(connection, alarm.id) if one.kind in ("raise", "clear")]
            assert kinds == ["raise", "clear", "raise"]


def test_a_rule_comes_in_force_and_ends_at_its_time(engine: Engine) -> None:
    with engine.begin() as connection:
        add_gauges(connection, 1, levels=(None, None, None))
        now = datetime.now(UTC)
        put_rule(
            connection,
            parse_rule({**RESTLESS, "id": "soon"}),
            origin="file",
            author="an",
            valid_from=now + timedelta(seconds=1.0),
            valid_to=now + timedelta(seconds=2.0),
        )
    watch = Watch(engine)
    watch.pass_once()
    assert read_states(engine) == {}
    time.sleep(1.0)
    watch.pass_once()
    assert read_states(engine) == {"soon": "NORMAL"}
    time.sleep(1.0)
    watch.pass_once()
    assert read_states(engine) == {}


def test_alarms_know_the_ward_they_lie_in(engine: Engine) -> None:
    with engine.begin() as connection:
        add_gauges(connection, 2, levels=(1.8, None, None))
        ward = gpd.GeoDataFrame(
            {"id": ["W-1"], "name": ["Phường Bến Sậy"], "ward_code": ["31117"]},
            geometry=[shapely.MultiPolygon([shapely.box(X0 - 5, Y0 - 5, X0 + 5, Y0 + 5)])],
            crs="EPSG:5897",
        )
        upsert_features(connection, VECTOR_LAYERS["wards"], ward, source_id="s")
    Watch(engine).pass_once()
    with engine.connect() as connection:
        (inside,) = list_alarms(connection, AlarmQuery(states=(), ward="31117"))
    assert (inside.thing, inside.ward_name) == ("G-0000", "Phường Bến Sậy")
