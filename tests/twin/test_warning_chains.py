"""Chains: an alert is updated and cancelled by reference, one is open in a ward at a time, nothing issued changes."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import capvalidator
import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from layers.errors import ConflictError, InputError, NotFoundError, SetupError, TwinError
from layers.ingest.catalog import Source
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.features import upsert_features
from layers.store.sources import register_source
from twin.store_outbox import list_deliveries, take_untold
from twin.store_warnings import find_wards_near, list_messages, read_body, read_message
from twin.warning.flood import EVENT, FloodWarning, Station
from twin.warning.issuing import cancel, issue
from twin.warning.message import Originator
from twin.warning.message import read_message as parse
from twin.warning.policy import Policy

X0, Y0 = 580_000.0, 1_108_000.0
POLICY = Policy("ct", Originator("floods@ct.example", Text("Cần Thơ", "Can Tho"), UTC))
NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
WARDS = ("31117", "31120", "31123")


def fill_wards(engine: Engine) -> None:
    """Write three wards in a row and a gauge in the first."""
    squares = [
        shapely.MultiPolygon([shapely.box(X0 + 5000 * k, Y0, X0 + 5000 * k + 5000, Y0 + 3000)]) for k in range(3)
    ]
    frames = {
        "wards": gpd.GeoDataFrame(
            {"id": list(WARDS), "name": [f"Phường {k}" for k in range(3)], "ward_code": list(WARDS)},
            geometry=squares, crs="EPSG:5897",
        ),
        "sensors": gpd.GeoDataFrame(
            {"id": ["S-HAU-01"], "name": ["Trạm sông Hậu"], "kind": ["stage"], "alarm_1": [1.8], "alarm_2": [1.9],
             "alarm_3": [2.0]},
            geometry=[shapely.Point(X0 + 500, Y0 + 300)], crs="EPSG:5897",
        ),
    }  # fmt: skip
    with engine.begin() as connection:
        for layer, frame in frames.items():
            source = Source(
                id=f"s-{layer}", uri="x.gpkg", layer=layer, title={"vi": "Nguồn", "en": "Source"},
                licence="CC0-1.0", attribution="nobody", synthetic=True,
            )  # fmt: skip
            register_source(connection, source, uri="x.gpkg", fingerprint="f")
            upsert_features(connection, VECTOR_LAYERS[layer], frame, source_id=source.id)


@pytest.fixture(scope="module")
def city(engine: Engine) -> Engine:
    fill_wards(engine)
    return engine


@pytest.fixture
def held(city: Engine) -> Iterator[Connection]:
    """Connection to the city of this module, rolled back after the test."""
    with city.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def make_warning(level: int = 1, wards=WARDS[:2], hours: float = 6.0, **changes) -> FloodWarning:
    return FloodWarning(
        level=level, station=Station(id="S-HAU-01"), wards=tuple(wards), expires=NOW + timedelta(hours=hours), **changes
    )


def test_a_chain_is_alert_update_cancel(held: Connection) -> None:
    first = issue(held, POLICY, make_warning(1), author="trực ban", moment=NOW)
    second = issue(
        held, POLICY, make_warning(2), author="trực ban", kind="Update", chains=[first.chain],
        moment=NOW + timedelta(hours=1),
    )  # fmt: skip
    third = cancel(held, POLICY, second, author="trực ban", reason="Nước đã rút", moment=NOW + timedelta(hours=2))
    bodies = [read_body(held, one.identifier) for one in (first, second, third)]
    assert all(capvalidator.check_schema(body).passed for body in bodies)
    alerts = [parse(body) for body in bodies]
    assert [alert.msg_type.value for alert in alerts] == ["Alert", "Update", "Cancel"]
    references = [[one.identifier for one in alert.references_to_list()] for alert in alerts]
    assert references == [[], [first.identifier], [first.identifier, second.identifier]]
    assert "Nước đã rút" in alerts[2].infos[0].description
    assert [one.identifier for one in list_messages(held, chain=first.chain)] == [
        third.identifier, second.identifier, first.identifier,
    ]  # fmt: skip
    assert list_messages(held, in_force=NOW + timedelta(hours=2)) == []
    with pytest.raises(ConflictError, match="no chain"):
        cancel(held, POLICY, second, author="x", reason="again", moment=NOW + timedelta(hours=2))


def test_a_ward_has_one_open_chain_of_an_event(held: Connection) -> None:
    first = issue(held, POLICY, make_warning(), author="x", moment=NOW)
    with pytest.raises(ConflictError, match="already warns ward 31120"):
        issue(held, POLICY, make_warning(3, WARDS[1:]), author="x", moment=NOW)
    # An exercise is another world, and what has expired is over.
    issue(held, POLICY, make_warning(3, WARDS[1:], status="Exercise"), author="x", moment=NOW)
    later = issue(held, POLICY, make_warning(3, WARDS[1:], hours=20), author="x", moment=NOW + timedelta(hours=7))
    assert later.chain != first.chain


def test_an_update_of_two_chains_makes_one_of_them(held: Connection) -> None:
    first = issue(held, POLICY, make_warning(1, WARDS[:1]), author="x", moment=NOW)
    second = issue(held, POLICY, make_warning(1, WARDS[2:]), author="x", moment=NOW)
    both = issue(
        held, POLICY, make_warning(2, WARDS), author="x", kind="Update", chains=[second.chain, first.chain], moment=NOW
    )
    assert both.chain == first.chain
    assert [one.identifier for one in list_messages(held, in_force=NOW)] == [both.identifier]
    references = parse(read_body(held, both.identifier)).references_to_list()
    assert {one.identifier for one in references} == {first.identifier, second.identifier}


def test_what_was_issued_never_changes(held: Connection) -> None:
    message = issue(held, POLICY, make_warning(), author="x", moment=NOW)
    for change in (
        "update warning.message set body = ''",
        "delete from warning.message",
        "truncate warning.message cascade",
    ):
        with pytest.raises(DBAPIError, match="never altered"), held.begin_nested():
            held.execute(text(change))
    assert read_message(held, message.identifier).author == "x"


def test_who_may_not_warn_does_not(held: Connection) -> None:
    made_up = Policy("demo", POLICY.originator, synthetic=True)
    with pytest.raises(ConflictError, match="synthetic"):
        issue(held, made_up, make_warning(), author="x", moment=NOW)
    done = issue(held, made_up, make_warning(status="Exercise"), author="x", moment=NOW)
    assert done.status == "Exercise"
    with pytest.raises(SetupError, match="sender"):
        issue(held, Policy("ct", POLICY.originator, configured=False), make_warning(), author="x", moment=NOW)
    with pytest.raises(NotFoundError, match="ward '404'"):
        issue(held, POLICY, make_warning(wards=("404",)), author="x", moment=NOW)
    with pytest.raises(InputError, match="reason"):
        cancel(held, POLICY, done, author="x", reason=" ", moment=NOW)


def test_a_message_is_in_the_outbox_if_and_only_if_it_was_issued(city: Engine) -> None:
    with city.connect() as connection, connection.begin() as transaction:
        message = issue(connection, POLICY, make_warning(status="Test"), author="x", moment=NOW)
        told = take_untold(connection)
        assert told is not None and (told.kind, told.reference) == ("message", message.identifier)
        transaction.rollback()
    with city.connect() as connection:
        assert take_untold(connection) is None and list_deliveries(connection) == []


def test_wards_near_a_gauge(held: Connection) -> None:
    assert find_wards_near(held, ["S-HAU-01"], 100.0) == {"S-HAU-01": ["31117"]}
    assert find_wards_near(held, ["S-HAU-01"], 5000.0) == {"S-HAU-01": ["31117", "31120"]}
    assert find_wards_near(held, ["S-404"], 5000.0) == {"S-404": []}


def test_of_many_who_issue_at_the_same_time_one_does(city: Engine) -> None:
    start, ended = threading.Barrier(6), []

    def try_it() -> None:
        start.wait()
        try:
            with city.begin() as connection:
                ended.append(issue(connection, POLICY, make_warning(status="Test"), author="x", moment=NOW))
        except ConflictError as error:
            ended.append(error)

    threads = [threading.Thread(target=try_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not isinstance(one, ConflictError) for one in ended) == 1


steps = st.tuples(
    st.sampled_from(["Alert", "Update", "Cancel"]), st.sets(st.sampled_from(WARDS), min_size=1), st.integers(1, 4),
    st.integers(0, 200), st.integers(0, 10),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=12))
def test_whatever_is_tried_no_ward_is_warned_twice(held: Connection, tried: list) -> None:
    now, issued = NOW, []
    savepoint = held.begin_nested()
    for kind, wards, level, minutes, which in tried:
        now += timedelta(minutes=minutes)
        chains = [issued[which % len(issued)].chain] if issued and kind != "Alert" else []
        warning = make_warning(level, sorted(wards)).model_copy(update={"expires": now + timedelta(hours=2)})
        inner = held.begin_nested()
        try:
            issued.append(issue(held, POLICY, warning, author="x", reason="r", kind=kind, chains=chains, moment=now))
            inner.commit()
        except TwinError:
            inner.rollback()
        open_now = list_messages(held, status="Actual", in_force=now)
        wards_open = [ward for one in open_now for ward in one.warning.wards]
        assert len(wards_open) == len(set(wards_open))
        assert all(one.event == EVENT and one.kind != "Cancel" for one in open_now)
    # A reader that applies references ends with the messages in force, and with those that ran out.
    known: dict[str, datetime] = {}
    for one in issued:
        alert = parse(read_body(held, one.identifier))
        for reference in alert.references_to_list():
            known.pop(reference.identifier, None)
        if one.kind != "Cancel":
            known[one.identifier] = one.expires
    in_force = {one.identifier for one in list_messages(held, status="Actual", in_force=now)}
    assert {identifier for identifier, expires in known.items() if expires > now} == in_force
    savepoint.rollback()
