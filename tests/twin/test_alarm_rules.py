"""Rules on series: what each listens to, who suppresses whom, what is one incident."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from twin.alarms.applying import (
    Applied,
    Series,
    SeriesIndex,
    apply_rule,
    find_exceedance,
    find_parents,
    name_incident,
    order_by_depth,
)
from twin.alarms.derived import derive_rules
from twin.alarms.rules import Rule, parse_rule, write_rule
from twin.store_alarm_rules import Gauge

SERIES = [
    Series("A.stage", "A", "stage", "stage", "water_bodies", "canal", "31117"),
    Series("A.rain", "A", "stage", "rainfall", None, None, "31117"),
    Series("B.stage", "B", "stage", "stage", "water_bodies", "canal", None),
    Series("C.rain", "C", "rain", "rainfall", None, None, None),
]
INDEX = SeriesIndex(SERIES)


def make_rule(rule_id: str = "r", **changes: Any) -> Rule:
    return parse_rule(
        {
            "id": rule_id,
            "title": {"vi": "Cao", "en": "High"},
            "event": "flood",
            "priority": "high",
            "target": {"kind": "stage", "observed_property": "stage"},
            "conditions": [{"kind": "limit", "on": 1.8}],
            **changes,
        }
    )


def apply(*rules: Rule) -> dict[int, Applied]:
    found = [one for rule in rules for one in apply_rule(rule, 1, INDEX)[0]]
    return dict(enumerate(found, start=1))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"series": "C.rain"}, ["C.rain"]),
        ({"kind": "stage"}, ["A.stage", "A.rain", "B.stage"]),
        ({"observed_property": "rainfall"}, ["A.rain", "C.rain"]),
        ({"kind": "stage", "observed_property": "stage"}, ["A.stage", "B.stage"]),
        ({"series": "none"}, []),
    ],
)
def test_a_rule_applies_to_a_series_or_to_all_of_a_kind(target: dict[str, str], expected: list[str]) -> None:
    applied, faults = apply_rule(make_rule(target=target), 1, INDEX)
    assert [one.series.id for one in applied if one.series] == expected
    assert bool(faults) == (not expected)


def test_conditions_look_at_sisters_and_at_forecasts() -> None:
    conditions = [
        {"kind": "limit", "on": 1.8},
        {"kind": "limit", "on": 20, "observed_property": "rainfall"},
        {"kind": "forecast", "on": 0.5, "level": 1.9, "lead_s": 3600, "series": "B.stage"},
    ]
    applied, faults = apply_rule(make_rule(conditions=conditions), 1, INDEX)
    (one,) = applied
    assert one.point.sources == ("A.stage", "A.rain", "forecast:B.stage:above:1.9:3600.0")
    asked = find_exceedance(one.point.rule.conditions[2], one.point.sources[2])
    assert asked is not None and asked.series == "B.stage" and asked.source == one.point.sources[2]
    assert faults == ["rule 'r' on B.stage: thing 'B' has no series of 'rainfall'"]


def test_the_parent_is_on_the_same_series_or_thing_or_is_the_only_one() -> None:
    low, high = make_rule("low", parent="high"), make_rule("high")
    assert find_parents(apply(low, high)) == {1: (3,), 2: (4,)}
    rain = make_rule("rain", target={"observed_property": "rainfall"}, parent="high")
    assert find_parents(apply(rain, high)) == {1: (3,)}
    hub = make_rule("hub", target={"series": "C.rain"})
    assert find_parents(apply(make_rule(parent="hub"), hub)) == {1: (3,), 2: (3,)}
    assert find_parents(apply(make_rule(parent="nobody"))) == {}


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 20), st.lists(st.integers(1, 20), max_size=3).map(tuple), max_size=20))
def test_parents_come_first(above: dict[int, tuple[int, ...]]) -> None:
    # Without circles: only smaller numbers are parents.
    parents = {number: tuple(one for one in ones if one < number) for number, ones in above.items()}
    order = order_by_depth(range(1, 21), parents)
    assert sorted(order) == list(range(1, 21))
    assert all(order.index(one) < order.index(number) for number, ones in parents.items() for one in ones)
    assert sorted(order_by_depth(range(1, 21), above)) == list(range(1, 21))


@pytest.mark.parametrize(
    ("group_by", "series", "key"),
    [
        ("item", "A.stage", "flood|water_bodies/canal"),
        ("item", "A.rain", "flood|ward 31117"),
        ("item", "C.rain", "flood|thing C"),
        ("ward", "A.stage", "flood|ward 31117"),
        ("rule", "A.stage", "flood|rule r"),
        ("none", "A.stage", "flood|alarm 1"),
    ],
)
def test_what_alarms_are_one_incident(group_by: str, series: str, key: str) -> None:
    (one,) = apply(make_rule(group_by=group_by, target={"series": series})).values()
    assert name_incident(1, one)[0] == key


def test_the_levels_of_a_gauge_suppress_each_other_upwards() -> None:
    whole, two = Gauge("s", "S-1", "Trạm", (1.8, 1.9, 2.0)), Gauge("t", "S-2", "Trạm", (1.3, None, 1.5))
    rules = derive_rules([whole, two])
    assert [(one.id, one.parent, one.level) for one in rules] == [
        ("flood-1.S-1", "flood-2.S-1", 1),
        ("flood-2.S-1", "flood-3.S-1", 2),
        ("flood-3.S-1", None, 3),
        ("flood-1.S-2", "flood-3.S-2", 1),
        ("flood-3.S-2", None, 3),
    ]
    assert all(one.title.vi.startswith("Báo động I") and one.legal_source for one in rules)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"conditions": [{"kind": "limit", "on": 1.8, "off": 1.9}]}, "beyond on limit"),
        ({"conditions": [{"kind": "limit"}]}, "conditions.0.limit.on"),
        ({"conditions": [{"kind": "magic"}]}, "conditions.0"),
        ({"conditions": [{"kind": "forecast", "on": 1.5, "level": 1, "lead_s": 60}]}, "less than or equal to 1"),
        ({"target": {}}, "needs a series"),
        ({"target": {"series": "a", "kind": "stage"}}, "either 'series' or"),
        ({"minimum_quality": 4}, "minimum_quality"),
        ({"parent": "r"}, "its own parent"),
        ({"id": "a b"}, "rule 'a b', id"),
        ({"colour": "red"}, "colour"),
        ({"escalation": [{"after_min": 5, "group": "a"}, {"after_min": 1, "group": "b"}]}, "ascend"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        make_rule(**changes)


def test_a_rule_survives_its_json() -> None:
    rule = make_rule(parent="high", escalation=[{"after_min": 1, "group": "duty"}])
    assert parse_rule(write_rule(rule)) == rule
