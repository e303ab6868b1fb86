"""What a finished search for leaks finds is in the alarm list, until a later search of the same zone finds nothing."""

import orjson
import pytest
from sqlalchemy import Engine, text

from layers.errors import InputError
from twin.alarms.derived import derive_leak_rules, name_leak_rule
from twin.alarms.leaks import LeakFeed
from twin.alarms.rules import parse_rule
from twin.alarms.watch import Watch
from twin.store_alarms import AlarmQuery, list_alarms

RUNNING: dict[str, object] = {"size": 0.005, "ended": None}
OVER: dict[str, object] = {"size": 0.004, "ended": "2026-11-20T00:00:00+07:00"}


def finish(engine: Engine, name: str, area: str | None, *leaks: dict[str, object], until: str = "0 days") -> None:
    """Enter a run that finished just now; its readings ended ``until`` before."""
    summary = {"area": area, "alarms": list[dict[str, object]](leaks)}
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into run.run (id, process, status, inputs, finished, base_time, horizon_hours, summary) values "
                "(:id, 'leak-detection', 'successful', '{\"model\": null}', clock_timestamp(), "
                "clock_timestamp() - interval '7 days' - cast(:until as interval), 168, cast(:summary as jsonb))"
            ),
            {"id": name, "until": until, "summary": orjson.dumps(summary).decode()},
        )


def read_alarms(engine: Engine) -> dict[str, tuple[bool, float | None]]:
    with engine.connect() as connection:
        return {row.rule: (row.active, row.value) for row in list_alarms(connection, AlarmQuery(states=()))}


def test_a_search_that_finds_a_leak_raises_an_alarm_and_one_that_finds_none_ends_it(engine: Engine) -> None:
    watch = Watch(engine, (LeakFeed(),))
    watch.pass_once()
    assert read_alarms(engine) == {}
    finish(engine, "a", "DMA-1", OVER, RUNNING, RUNNING)
    finish(engine, "b", None, OVER)
    watch.pass_once()
    assert read_alarms(engine) == {"leak.DMA-1": (True, 0.01), "leak.": (False, 0.0)}
    # A search of last month's readings, by somebody who studies them, says nothing of today.
    finish(engine, "c", "DMA-1", until="30 days")
    watch.pass_once()
    assert read_alarms(engine)["leak.DMA-1"] == (True, 0.01)
    finish(engine, "d", "DMA-1")
    watch.pass_once()
    assert read_alarms(engine)["leak.DMA-1"] == (False, 0.0)


def test_every_zone_has_a_rule_of_its_own() -> None:
    zones = ["", "DMA-1", "DMA 1", "DMA:1", "dma7/Vùng Đông"]
    rules = derive_leak_rules(zones)
    assert len({rule.id for rule in rules}) == len(zones)
    assert name_leak_rule("DMA 1") == "leak.DMA:201"
    assert rules[1].title.vi == "Rò rỉ – DMA-1"


def test_a_leak_condition_takes_a_flow_above_nothing() -> None:
    rule = {
        "id": "big", "title": {"vi": "Rò lớn", "en": "Big leak"}, "event": "leak", "priority": "high",
        "conditions": [{"kind": "leak", "zone": "DMA-1", "on": 0.01}],
    }  # fmt: skip
    assert parse_rule(rule).target.loop
    with pytest.raises(InputError, match="greater than 0"):
        parse_rule(rule | {"conditions": [{"kind": "leak", "zone": "DMA-1", "on": 0.0}]})
    with pytest.raises(InputError, match="series"):
        parse_rule(rule | {"conditions": [{"kind": "leak", "series": "x", "on": 0.01}]})
