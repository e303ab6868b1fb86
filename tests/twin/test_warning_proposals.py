"""From readings to warnings: real alarms become one draft, a person issues it, it follows the water up and down."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import store_observations
from tests.twin.test_warning_chains import WARDS, X0, Y0, fill_wards
from twin.alarms.lifecycle import Action
from twin.alarms.rules import parse_rule
from twin.alarms.watch import Watch
from twin.store import claim_run, create_run, finish_run
from twin.store_alarm_rules import put_rule
from twin.store_alarms import AlarmQuery, act_on_alarm, list_alarms, read_now
from twin.store_drafts import Draft, list_drafts, settle_draft
from twin.store_forecasts import Values, keep_issue
from twin.store_outbox import list_deliveries
from twin.store_warnings import Message, list_messages
from twin.warning.contacts import Contacts
from twin.warning.flood import FloodWarning, Station
from twin.warning.issuing import issue_draft
from twin.warning.message import Originator
from twin.warning.policy import Policy
from twin.warning.proposing import compare, merge_touching, propose_from_alarms
from twin.warning.spreading import spread_next

ADVICE = Policy("ct", Originator("floods@ct.example", Text("Cần Thơ", "Can Tho"), UTC))
DRILL = Policy("ct", ADVICE.originator, status="Exercise")
GAUGES = 200
CONTACTS = Contacts.model_validate(
    {
        "groups": {
            name: {
                "severity": "Minor",
                "channels": {"h": {"webhook": "https://x.example", "secret": "0123456789abcdef"}},
            }
            for name in ("duty", "command", "city")
        }
    }
)


@pytest.fixture(scope="module")
def river(engine: Engine) -> Engine:
    """Three wards and 200 gauges on one canal in the first two."""
    fill_wards(engine)
    names = [f"G-{k:03d}" for k in range(GAUGES)]
    frame = gpd.GeoDataFrame(
        {
            "id": names, "name": [f"Trạm {name}" for name in names], "kind": "stage", "alarm_1": 1.8, "alarm_2": 1.9,
            "alarm_3": 2.0, "watched_layer": "water_bodies", "watched_id": "canal",
        },
        geometry=[shapely.Point(X0 + 30 * k, Y0 + 1000) for k in range(GAUGES)], crs="EPSG:5897",
    )  # fmt: skip
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["sensors"], frame, source_id="s-sensors")
        streams = [Datastream(f"{name}.stage", name, "stage", "m", "Mực nước", "Stage") for name in names]
        upsert_datastreams(connection, streams, "s-sensors")
    Watch(engine).pass_once()
    with engine.begin() as connection:
        # Readings count at once, and so does their end.
        connection.execute(
            text(
                "update alarm.rule set origin = 'hand', definition = jsonb_set(definition || '{\"lateness_s\": 0}', "
                "'{conditions,0,off_delay_s}', '0')"
            )
        )
    return engine


@pytest.fixture
def flood(river: Engine) -> Iterator["Flood"]:
    with river.begin() as connection:
        connection.execute(text("delete from warning.claim"))
        connection.execute(text("update warning.chain set closed = now() where closed is null"))
        connection.execute(text("update warning.draft set state = 'outdated' where state in ('open', 'discarded')"))
        connection.execute(text("delete from warning.delivery"))
        connection.execute(text("delete from warning.outbox"))
    yield Flood(river)
    Flood(river).set_stage(1.0)


class Flood:
    """The water of the canal, and what is proposed of it."""

    clock = datetime.now(UTC) - timedelta(minutes=200)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def set_stage(self, stage: float, gauges: int = GAUGES) -> None:
        Flood.clock += timedelta(minutes=2)
        rows = [
            {
                "datastream_id": f"G-{k:03d}.stage",
                "phenomenon_time": self.clock.isoformat(),
                "result": stage,
                "quality": 1,
            }
            for k in range(gauges)
        ]
        with self.engine.begin() as connection:
            store_observations(connection, rows, author="test")
        Watch(self.engine).pass_once()

    def propose(self, policy: Policy = ADVICE) -> list[Draft]:
        with self.engine.begin() as connection:
            return propose_from_alarms(connection, policy, datetime.now(UTC))

    def issue(self, draft: Draft) -> Message:
        with self.engine.begin() as connection:
            return issue_draft(connection, ADVICE, draft.id, author="trực ban")

    def in_force(self) -> list[Message]:
        with self.engine.connect() as connection:
            return list_messages(connection, in_force=datetime.now(UTC))

    def spread(self) -> list[tuple[str, str]]:
        with self.engine.begin() as connection:
            while spread_next(connection, ADVICE, CONTACTS, datetime.now(UTC)):
                pass
            told = list_deliveries(connection, limit=10_000)
        return [(one.contact_group, str(one.content.get("step", "message"))) for one in reversed(told)]


def test_a_flood_of_alarms_is_one_message_and_one_call_a_group(flood: Flood) -> None:
    flood.set_stage(1.95)
    with flood.engine.connect() as connection:
        assert len(list_alarms(connection, AlarmQuery(states=("UNACK",)))) == GAUGES
    (draft,) = flood.propose()
    assert (draft.kind, draft.warning.level, draft.warning.wards) == ("Alert", 2, WARDS[:2])
    assert len(draft.warning.alarms) == GAUGES and draft.warning.station.id == "G-000"
    assert (draft.warning.stage, draft.warning.threshold) == (1.95, 1.9)
    # Advice only: nothing is issued until a person does.
    assert flood.in_force() == []
    assert flood.spread() == [("duty", "escalate")]
    message = flood.issue(draft)
    assert [one.identifier for one in flood.in_force()] == [message.identifier]
    assert flood.propose() == []
    assert sorted(flood.spread())[:4] == [
        ("city", "message"), ("command", "message"), ("duty", "escalate"), ("duty", "message"),
    ]  # fmt: skip


def test_the_warning_follows_the_water_up_and_down(flood: Flood) -> None:
    flood.set_stage(1.85, 3)
    first = flood.issue(flood.propose()[0])
    flood.spread()
    flood.set_stage(2.05, 3)
    (draft,) = flood.propose()
    assert (draft.kind, draft.chains, draft.warning.level) == ("Update", (first.chain,), 3)
    second = flood.issue(draft)
    flood.set_stage(1.92, 3)
    (draft,) = flood.propose()
    assert (draft.kind, draft.warning.level) == ("Update", 2)
    # The draft waits while the water falls on: it becomes the end of the warning, and only that is left to issue.
    flood.set_stage(1.2, 3)
    (draft,) = flood.propose()
    assert (draft.kind, draft.chains) == ("Cancel", (first.chain,))
    with flood.engine.connect() as connection:
        assert [one.id for one in list_drafts(connection)] == [draft.id]
    last = flood.issue(draft)
    assert flood.in_force() == [] and flood.propose() == []
    assert {first.chain, second.chain, last.chain} == {first.identifier}
    # Three gauges, three levels: duty hears of each higher level once, and once that it is over.
    assert [one for one in flood.spread() if one[0] == "duty" and one[1] != "message"] == [
        ("duty", "escalate"), ("duty", "escalate"), ("duty", "clear"),
    ]  # fmt: skip


def test_an_exercise_issues_itself_and_is_marked(flood: Flood) -> None:
    flood.set_stage(1.85, 2)
    assert flood.propose(DRILL) == []
    (message,) = flood.in_force()
    assert (message.status, message.kind, message.author) == ("Exercise", "Alert", "alarms")
    assert message.headline.vi.startswith("DIỄN TẬP")
    flood.set_stage(1.2, 2)
    flood.propose(DRILL)
    assert flood.in_force() == []


def test_what_was_discarded_comes_again_only_with_something_new(flood: Flood) -> None:
    flood.set_stage(1.85, 2)
    (draft,) = flood.propose()
    assert [one.id for one in flood.propose()] == [draft.id]
    with flood.engine.begin() as connection:
        settle_draft(connection, draft.id, "discarded", author="trực ban")
    assert flood.propose() == []
    flood.set_stage(1.95, 2)
    (again,) = flood.propose()
    assert again.id != draft.id and again.warning.level == 2


def test_what_is_shelved_warns_nobody_and_an_acknowledgement_is_told(flood: Flood) -> None:
    flood.set_stage(1.85, 1)
    with flood.engine.begin() as connection:
        (alarm,) = list_alarms(connection, AlarmQuery(states=("UNACK",)))
        act_on_alarm(connection, alarm.id, Action("acknowledge", read_now(), "an", "đã biết"))
    assert flood.spread() == [("duty", "escalate"), ("duty", "acknowledge")]
    assert len(flood.propose()) == 1
    with flood.engine.begin() as connection:
        now = read_now()
        act_on_alarm(connection, alarm.id, Action("shelve", now, "an", "sóng tàu", until=now + 3600.0))
    assert flood.propose() == []


NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
pieces = st.builds(
    lambda level, station, wards, probability, alarm: FloodWarning(
        level=level, station=Station(id=station), wards=tuple(sorted(wards)), expires=NOW + timedelta(hours=6),
        probability=probability, alarms=(alarm,),
    ),
    st.integers(1, 4), st.sampled_from(["a", "b", "c"]), st.sets(st.sampled_from("12345"), min_size=1),
    st.none() | st.floats(0.0, 1.0), st.sampled_from([str(k) for k in range(9)]),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(pieces, max_size=8), st.randoms(use_true_random=False))
def test_merged_warnings_share_no_ward_and_lose_none(warnings: list[FloodWarning], random) -> None:
    merged = merge_touching(warnings)
    wards = [ward for one in merged for ward in one.wards]
    assert len(wards) == len(set(wards))
    assert set(wards) == {ward for one in warnings for ward in one.wards}
    for one in warnings:
        (home,) = [other for other in merged if set(other.wards) & set(one.wards)]
        assert home.level >= one.level and set(one.alarms) <= set(home.alarms)
    shuffled = random.sample(warnings, len(warnings))
    shown = [
        sorted((one.wards, one.level, one.alarms) for one in merge_touching(each)) for each in (warnings, shuffled)
    ]
    assert shown[0] == shown[1]


@settings(max_examples=80, deadline=None)
@given(st.lists(pieces, max_size=6), st.lists(pieces, max_size=6))
def test_issuing_what_is_proposed_leaves_nothing_to_propose(
    before: list[FloodWarning], after: list[FloodWarning]
) -> None:
    held = {f"m{k}": one for k, one in enumerate(merge_touching(before))}
    wanted = merge_touching(after)
    for kind, chains, warning in compare(wanted, [make_message(chain, one) for chain, one in held.items()], NOW):
        for chain in chains:
            held.pop(chain)
        if kind != "Cancel":
            held[chains[0] if chains else f"n{len(held)}-{warning.wards}"] = warning
    assert compare(wanted, [make_message(chain, one) for chain, one in held.items()], NOW) == []
    wards = [ward for one in held.values() for ward in one.wards]
    assert len(wards) == len(set(wards))
    levels = {ward: one.level for one in wanted for ward in one.wards}
    assert all(held_level(held, ward) >= level for ward, level in levels.items())


def held_level(held: dict[str, FloodWarning], ward: str) -> int:
    return next(one.level for one in held.values() if ward in one.wards)


def make_message(chain: str, warning: FloodWarning) -> Message:
    return Message(
        1,
        chain,
        "s",
        NOW,
        "Actual",
        "Alert",
        "flood",
        chain,
        warning.expires,
        "Minor",
        Text("", ""),
        warning,
        "x",
        "",
        NOW,
    )


def test_a_forecast_alarm_says_how_likely_how_high_and_when(flood: Flood) -> None:
    with flood.engine.begin() as connection:
        condition = {
            "kind": "forecast", "direction": "above", "level": 1.9, "lead_s": 6 * 3600.0, "on": 0.3, "off": 0.2,
        }  # fmt: skip
        rule = {
            "id": "forecast-2.G-000", "title": {"vi": "Dự báo vượt báo động II", "en": "Forecast above level II"},
            "event": "flood", "level": 2, "priority": "medium", "target": {"series": "G-000.stage"},
            "conditions": [condition], "escalation": [{"after_min": 0, "group": "duty"}],
        }  # fmt: skip
        put_rule(connection, parse_rule(rule), origin="hand", author="test")
    Watch(flood.engine).pass_once()
    now = datetime.now(UTC).replace(microsecond=0)
    times = np.array([now.timestamp() + 600.0 * k for k in range(1, 48)])
    middle = 1.7 + 0.15 * np.sin((times - times[0]) / 5_000.0)
    quantiles = middle[:, None] + np.array([-0.2, -0.15, -0.1, 0.0, 0.1, 0.15, 0.2])
    values = Values(times, quantiles, quantiles[:, 5], np.full(len(times), np.nan))
    with flood.engine.begin() as connection:
        keep_issue(
            connection, "G-000.stage", issue_time=now, origin=now, model="test", parameters={}, skill={}, values=values
        )
        # The alarm's own way to its state is tested elsewhere.
        connection.execute(
            text(
                "update alarm.alarm set active = true, state = 'UNACK', raised = :now, value = 0.42, occurrence = 1 "
                "where rule = 'forecast-2.G-000'"
            ),
            {"now": now},
        )
    (draft,) = flood.propose()
    said = draft.warning
    assert (said.probability, said.threshold, said.wards) == (0.42, 1.9, WARDS[:1])
    peak = int(np.argmax(np.where(times <= times[0] - 600.0 + 6 * 3600.0, middle, -9.0)))
    assert said.stage == pytest.approx(middle[peak], abs=1e-3) and said.at == datetime.fromtimestamp(times[peak], UTC)
    onset = datetime.fromtimestamp(times[np.argmax(quantiles[:, 5] >= 1.9)], UTC)
    assert said.onset == onset
    # Measured goes before forecast: the same level, now seen, is told as an update.
    first = flood.issue(draft)
    flood.set_stage(1.95, 1)
    (draft,) = flood.propose()
    assert (draft.kind, draft.chains, draft.warning.probability) == ("Update", (first.chain,), None)
    with flood.engine.begin() as connection:
        connection.execute(
            text("update alarm.alarm set active = false, state = 'NORMAL' where rule = 'forecast-2.G-000'")
        )


def test_wards_that_the_newest_forecast_floods_are_warned_too(flood: Flood) -> None:
    flood.set_stage(1.95, 1)
    now = datetime.now(UTC)
    for base, areas in ((now - timedelta(hours=9), (9e5, 9e5, 9e5)), (now - timedelta(hours=1), (0.0, 500.0, 5e4))):
        summary = {
            "by_ward": [{"ward_code": ward, "flooded_area": area} for ward, area in zip(WARDS, areas, strict=True)]
        }
        with flood.engine.begin() as connection:
            run_id = create_run(connection, process="flood-ensemble", inputs={}, title=Text("Dự báo", "Forecast"))
            claim_run(connection, run_id)
            finish_run(
                connection, run_id, title=Text("Dự báo", "Forecast"), base_time=base, horizon_hours=24.0,
                summary=summary, stage_forecast=None, balance={}, provenance={},
            )  # fmt: skip
        (draft,) = flood.propose()
        # What is too old counts for nothing; less than a hectare is no flood.
        assert draft.warning.wards == (WARDS[:1] if base < now - timedelta(hours=6) else (WARDS[0], WARDS[2]))
