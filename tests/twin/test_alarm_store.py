"""Alarms in the database: rules in versions, what people do, everything on record."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from layers.errors import ConflictError, InputError, NotFoundError
from twin.alarms.lifecycle import Action
from twin.alarms.rules import Rule, parse_rule
from twin.alarms.state import begin_state
from twin.store_alarm_rules import end_rule, list_rule_versions, list_rules, put_rule, read_rule
from twin.store_alarm_states import list_alarm_keys, lock_alarms, open_alarms
from twin.store_alarms import AlarmQuery, act_on_alarm, list_alarm_events, list_alarms, read_alarm, read_now

START = datetime(2026, 11, 1, tzinfo=UTC)


def make_rule(on: float = 1.8, **changes: object) -> Rule:
    return parse_rule(
        {
            "id": "high",
            "title": {"vi": "Mực nước cao", "en": "High stage"},
            "event": "flood",
            "priority": "high",
            "target": {"series": "S-1.stage"},
            "conditions": [{"kind": "limit", "on": on}],
            **changes,
        }
    )


def test_every_version_of_a_rule_is_kept_and_one_is_in_force(connection: Connection) -> None:
    first = put_rule(connection, make_rule(), origin="file", author="an", valid_from=START)
    assert put_rule(connection, make_rule(), origin="file", author="an", valid_from=START) == first
    second = put_rule(connection, make_rule(1.9), origin="hand", author="binh", reason="QĐ mới")
    assert (first.version, second.version) == (1, 2)
    assert [one.version for one in list_rules(connection)] == [2]
    assert [one.version for one in list_rules(connection, START + timedelta(days=1))] == [1]
    assert list_rules(connection, START - timedelta(days=1)) == []
    ended = end_rule(connection, "high", author="an", reason="không dùng")
    assert ended.ended_by == "an" and list_rules(connection) == []
    assert [one.version for one in list_rule_versions(connection, "high")] == [2, 1]
    assert read_rule(connection, "high", 1).ended_by == "binh"
    with pytest.raises(ConflictError, match="in force no longer"):
        end_rule(connection, "high", author="an")
    with pytest.raises(ConflictError, match="begins"):
        put_rule(connection, make_rule(2.5), origin="hand", author="an", valid_from=START)
    with pytest.raises(NotFoundError, match="'low' does not exist"):
        read_rule(connection, "low")


def test_what_a_person_does_is_on_record(connection: Connection) -> None:
    put_rule(connection, make_rule(), origin="file", author="an")
    now = read_now()
    open_alarms(connection, [("high", 1, "S-1.stage", "high", begin_state(now, 1))])
    (key,) = list_alarm_keys(connection)
    assert list_alarms(connection) == []
    (row,) = list_alarms(connection, AlarmQuery(states=()))
    assert (row.id, row.state, row.title_vi) == (key.id, "NORMAL", "Mực nước cao")
    with pytest.raises(ConflictError, match="is NORMAL"):
        act_on_alarm(connection, key.id, Action("acknowledge", now, "an"))
    with pytest.raises(InputError, match="needs a reason"):
        act_on_alarm(connection, key.id, Action("shelve", now, "an", until=now + 60))
    with pytest.raises(InputError, match="at most 1440"):
        act_on_alarm(connection, key.id, Action("shelve", now, "an", "bảo trì", until=now + 90_000))
    shelved = act_on_alarm(connection, key.id, Action("shelve", now, "an", "bảo trì", until=now + 600))
    assert shelved.state == "SHELVED" and shelved.shelved_until is not None
    assert list_alarms(connection, AlarmQuery(states=("SHELVED",))) == [shelved]
    act_on_alarm(connection, key.id, Action("comment", now, "binh", "đã gọi trạm"))
    events = list_alarm_events(connection, key.id)
    assert [(one.kind, one.author, one.reason) for one in events] == [
        ("comment", "binh", "đã gọi trạm"),
        ("shelve", "an", "bảo trì"),
    ]
    assert lock_alarms(connection, [key.id])[key.id].state.shelved_until == now + 600
    with pytest.raises(NotFoundError, match="alarm 999 does"):
        read_alarm(connection, 999)
    assert connection.execute(text("select count(*) from alarm.event")).scalar() == 2
