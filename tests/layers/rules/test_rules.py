"""Rules on a real PostGIS: each finds what it is for and nothing else, and an edit is told all that it breaks."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.registry import VECTOR_LAYERS
from layers.rules.check import check_edit
from layers.rules.registry import RULES, select_rules
from layers.rules.words import Finding, Rule
from layers.store.checks import Touched, check_layer
from layers.store.versions import insert_version, read_stored

X0, Y0 = 580_000.0, 1_108_000.0


def put(connection: Connection, layer: str, named: str, drawn: Any, /, **values: Any) -> None:
    """Store a feature as it is, past all checks; ``drawn`` in metres from a corner."""
    moved = shapely.transform(drawn, lambda points: points + np.array([X0, Y0]))
    insert_version(connection, VECTOR_LAYERS[layer], named, values, moved, source_id="s", fid=None)


def at(x: float, y: float = 0.0) -> Any:
    return shapely.Point(x, y)


def line(*points: tuple[float, float]) -> Any:
    return shapely.LineString(points)


def square(x: float, side: float = 10.0) -> Any:
    return shapely.multipolygons([shapely.box(x, 0, x + side, side)])


def find(connection: Connection, rule_id: str, layer: str) -> list[Finding]:
    (rule,) = select_rules(layer_id=layer, rule_id=rule_id)
    checked = check_layer(connection, rule, limit=10)
    assert checked.count == len(checked.findings)
    return list(checked.findings)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.layer}.{rule.id}")
def test_a_rule_is_well_made(rule: Rule) -> None:
    assert sum((one.id, one.layer) == (rule.id, rule.layer) for one in RULES) == 1
    for words in (rule.title, rule.reason, *([rule.hint] if rule.hint else [])):
        assert words.vi
        assert words.en
        assert words.vi != words.en
        assert set(re.findall(r"{(\w*)}", words.vi)) == set(re.findall(r"{(\w*)}", words.en)) <= {"value", "other"}
    for reach in rule.reaches:
        for own, theirs in reach.by:
            for layer, name in ((rule.layer, own), (reach.layer, theirs)):
                assert name == "id" or VECTOR_LAYERS[layer].find(name), f"{layer} has no {name}"


def test_an_empty_city_has_no_faults(connection: Connection) -> None:
    assert sum(check_layer(connection, rule, limit=1).count for rule in RULES) == 0


def lay_pipe(connection: Connection, *, short: float = 0.0, to_node: str = "n2") -> None:
    put(connection, "water_nodes", "n1", at(0), node_type="junction")
    put(connection, "water_nodes", "n2", at(100), node_type="junction")
    pipe = line((0, 0), (100 - short, 0))
    put(connection, "water_pipes", "p", pipe, pipe_type="service", from_node="n1", to_node=to_node, diameter=0.1)


def test_a_sound_pipe_breaks_no_rule(connection: Connection) -> None:
    lay_pipe(connection, short=0.3)
    assert [check_layer(connection, rule, limit=1).count for rule in select_rules(layer_id="water_pipes")] == [0] * len(
        select_rules(layer_id="water_pipes")
    )


def test_a_short_pipe_is_found_with_its_end(connection: Connection) -> None:
    lay_pipe(connection, short=0.8)
    (finding,) = find(connection, "ends-on-node", "water_pipes")
    assert (finding.feature, finding.name, finding.value, finding.other) == ("p", "to_node", "0.80", "n2")
    (lone,) = find(connection, "lone-node", "water_nodes")
    assert lone.feature == "n2"


def test_a_node_a_pump_names_is_not_alone(connection: Connection) -> None:
    put(connection, "water_nodes", "n1", at(0), node_type="reservoir")
    assert len(find(connection, "lone-node", "water_nodes")) == 1
    put(connection, "water_pumps", "b", at(5), from_node="n1")
    assert find(connection, "lone-node", "water_nodes") == []


def test_a_pipe_names_nodes_that_are_there(connection: Connection) -> None:
    lay_pipe(connection, to_node="n9")
    assert [one.value for one in find(connection, "node-exists", "water_pipes")] == ["n9"]
    put(connection, "water_nodes", "n9", at(300), node_type="junction")
    assert find(connection, "node-exists", "water_pipes") == []
    assert [one.value for one in find(connection, "node-agrees", "water_pipes")] == ["200.00"]


def lay_drain(connection: Connection, name: str, x: float, **values: Any) -> None:
    drawn = {"link_type": "conduit", "shape": "circular", **values}
    put(connection, "drainage_links", name, line((x, 0), (x + 100, 0)), **drawn)


@pytest.mark.parametrize(
    ("start", "end", "rule_id", "value"),
    [
        (1.0, 1.2, "slope-against-flow", "-2.00"),
        (1.0, 0.9999, "slope-flat", "0.00"),
        (30.0, 1.0, "slope-steep", "290.00"),
    ],
)
def test_slopes_are_judged_along_the_flow(
    connection: Connection, start: float, end: float, rule_id: str, value: str
) -> None:
    lay_drain(connection, "l", 0, from_invert=start, to_invert=end)
    for other in ("slope-against-flow", "slope-flat", "slope-steep"):
        assert [one.value for one in find(connection, other, "drainage_links")] == ([value] if other == rule_id else [])


def test_levels_of_nodes_and_links_agree(connection: Connection) -> None:
    put(connection, "drainage_nodes", "n1", at(0), node_type="manhole", ground_elevation=2.0, invert_elevation=2.0)
    put(connection, "drainage_nodes", "n2", at(100), node_type="manhole", ground_elevation=2.0, invert_elevation=0.5)
    lay_drain(connection, "l", 0, from_node="n1", to_node="n2", from_invert=2.5, to_invert=0.4)
    assert [one.feature for one in find(connection, "invert-below-ground", "drainage_nodes")] == ["n1"]
    assert [one.name for one in find(connection, "invert-below-ground", "drainage_links")] == ["from_invert"]
    assert [one.name for one in find(connection, "invert-above-node", "drainage_links")] == ["to_invert"]


def test_a_conduit_does_not_narrow(connection: Connection) -> None:
    lay_drain(connection, "up", 0, from_node="a", to_node="b", height=0.8)
    lay_drain(connection, "down", 100, from_node="b", to_node="c", height=0.6)
    assert [(one.feature, one.other) for one in find(connection, "narrower-downstream", "drainage_links")] == [
        ("down", "up")
    ]
    lay_drain(connection, "beside", 100, from_node="b", to_node="c", height=0.8)
    assert find(connection, "narrower-downstream", "drainage_links") == []


def test_lengths_and_diameters_fit(connection: Connection) -> None:
    lay_pipe(connection)
    connection.execute(text("update city.water_pipes set length = 120"))
    assert [one.other for one in find(connection, "length-differs", "water_pipes")] == ["100.00"]
    put(connection, "water_pipes", "q", line((100, 0), (200, 0)), pipe_type="service", diameter=1.0)
    assert [one.feature for one in find(connection, "diameter-jump", "water_pipes")] == ["q"]
    put(connection, "water_pipes", "z", line((5, 5), (5, 5.005)), pipe_type="service")
    assert [one.feature for one in find(connection, "no-length", "water_pipes")] == ["z"]


@pytest.mark.parametrize(
    ("rule_id", "layer", "wrong", "right"),
    [
        ("light-on-circuit", "luminaires", {}, {"cabinet_id": "c"}),
        ("circuit-id-exists", "luminaires", {"circuit_id": "x"}, {"circuit_id": "m"}),
        ("cabinet-id-exists", "luminaires", {"cabinet_id": "x"}, {"cabinet_id": "c"}),
        ("valve-stuck", "water_valves", {"status": "stuck"}, {"status": "open"}),
        (
            "valve-position",
            "water_valves",
            {"status": "closed", "normal_status": "open"},
            {"status": "active", "normal_status": "open"},
        ),
        ("valve-on-pipe", "water_valves", {"valve_type": "isolation"}, {"valve_type": "prv"}),
        ("over-capacity", "telecom_cabinets", {"ports": 8, "used_ports": 9}, {"ports": 9, "used_ports": 9}),
        ("base-above-ground", "transformers", {"base_elevation": 0.3}, {"base_elevation": 1.3}),
        ("installed-later", "poles", {"installed": "2999-01-01"}, {"installed": "1999-01-01"}),
        ("permit-in-force", "discharge_permits", {"expires": "1999-01-01"}, {"expires": "2999-01-01"}),
        ("outside-wards", "trees", {}, None),
        ("ward-agrees", "hydrants", {"ward_code": "2"}, {"ward_code": "1"}),
        ("domain", "trees", {"height": -3.0}, {"height": 3.0}),
        ("domain", "trees", {"condition": "sad"}, {"condition": "good"}),
    ],
)
def test_a_rule_tells_wrong_from_right(
    connection: Connection, rule_id: str, layer: str, wrong: dict[str, Any], right: dict[str, Any] | None
) -> None:
    needed = {
        "water_valves": {"valve_type": "isolation"},
        "telecom_cabinets": {"cabinet_type": "distribution"},
        "discharge_permits": {"permit_number": "1", "daily_volume": 1.0, "status": "valid"},
        "hydrants": {"status": "working"},
    }.get(layer, {})
    put(connection, "wards", "w", square(0, 100), name="W", ward_code="1")
    put(connection, "wards", "v", square(100, 100), name="V", ward_code="2")
    put(connection, "buildings", "b", square(40), ground_elevation=1.5)
    put(connection, "lighting_cabinets", "c", at(1, 1))
    put(connection, "lighting_circuits", "s", line((0, 0), (9, 9)), circuit_id="m", cabinet_id="c")
    put(connection, layer, "right", at(50, 50), **{**needed, **(right or {})})
    place = at(500, 500) if right is None else at(52, 50)
    put(connection, layer, "wrong", place, **{**needed, **wrong})
    assert [one.feature for one in find(connection, rule_id, layer)] == ["wrong"]


def test_pairs_are_said_once(connection: Connection) -> None:
    put(connection, "buildings", "a", square(0))
    put(connection, "buildings", "b", square(5))
    put(connection, "buildings", "c", square(15))
    put(connection, "buildings", "d", square(15))
    assert [(one.feature, one.other, one.value) for one in find(connection, "buildings-overlap", "buildings")] == [
        ("a", "b", "50.0")
    ]
    assert [(one.feature, one.other) for one in find(connection, "same-shape", "buildings")] == [("c", "d")]
    put(connection, "water_nodes", "n", at(0), node_type="junction")
    put(connection, "water_nodes", "m", at(0.05), node_type="junction")
    assert [one.value for one in find(connection, "close-nodes", "water_nodes")] == ["0.050"]
    put(connection, "addresses", "k", at(0), full_address="1 Lê Lợi")
    put(connection, "addresses", "l", at(9), full_address="1 Lê Lợi")
    assert [one.feature for one in find(connection, "written-once", "addresses")] == ["k"]


def test_a_box_limits_what_is_checked(connection: Connection) -> None:
    put(connection, "luminaires", "d", at(0))
    (rule,) = select_rules(layer_id="luminaires", rule_id="light-on-circuit")
    assert check_layer(connection, rule, bounds=(105.0, 9.0, 106.5, 11.0), limit=1).count == 1
    assert check_layer(connection, rule, bounds=(0.0, 0.0, 1.0, 1.0), limit=1).count == 0


NETWORK = ("drainage_nodes", "drainage_links")
nodes = st.sampled_from(["a", "b", "c", "d"])
statements = st.one_of(
    st.builds(lambda one: ("drainage_nodes", one, f"delete from city.drainage_nodes where id = '{one}'"), nodes),
    st.builds(
        lambda one, by: (
            "drainage_nodes",
            one,
            f"update city.drainage_nodes set geom = ST_Translate(geom, {by}, 0) where id = '{one}'",
        ),
        nodes,
        st.sampled_from([0.2, 5.0, 50.0, -50.0]),
    ),
    st.builds(
        lambda one, level: (
            "drainage_nodes",
            one,
            f"update city.drainage_nodes set ground_elevation = {level} where id = '{one}'",
        ),
        nodes,
        st.sampled_from([0.1, 0.6, 3.0]),
    ),
    st.builds(
        lambda one, end, node: (
            "drainage_links",
            one,
            f"update city.drainage_links set {end} = '{node}' where id = '{one}'",
        ),
        st.sampled_from(["ab", "bc", "cd"]),
        st.sampled_from(["from_node", "to_node"]),
        st.sampled_from(["a", "d", "x"]),
    ),
    st.builds(
        lambda one, height: (
            "drainage_links",
            one,
            f"update city.drainage_links set height = {height} where id = '{one}'",
        ),
        st.sampled_from(["ab", "bc", "cd"]),
        st.sampled_from([0.3, 0.9]),
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(statements, min_size=1, max_size=3))
def test_an_edit_is_told_all_that_it_breaks(connection: Connection, changes: list[tuple[str, str, str]]) -> None:
    rules = [rule for layer in NETWORK for rule in select_rules(layer_id=layer) if rule.on_edit]

    def name_pairs(findings: Iterable[Finding]) -> set[Any]:
        # Of two features in one finding a whole layer names the first, an edit the one it changed.
        return {
            (rule, layer, frozenset((first, other)), name)
            for rule, layer, first, name, other in (one.key for one in findings)
        }

    def check_all() -> set[Any]:
        return name_pairs(one for rule in rules for one in check_layer(connection, rule, limit=100).findings)

    with connection.begin_nested() as trial:
        for place, name in enumerate("abcd"):
            levels = {"ground_elevation": 2.0, "invert_elevation": 0.5 - place / 10}
            put(connection, "drainage_nodes", name, at(50 * place), node_type="manhole", **levels)
        for place, name in enumerate(["ab", "bc", "cd"]):
            ends = {"from_node": name[0], "to_node": name[1], "height": 0.6, "shape": "circular"}
            inverts = {"from_invert": 0.5 - place / 10, "to_invert": 0.4 - place / 10}
            drawn = line((50 * place, 0), (50 * place + 50, 0))
            put(connection, "drainage_links", name, drawn, link_type="conduit", **ends, **inverts)
        for layer, name, statement in changes:
            before = check_all()
            touched = read_touched(connection, layer, name)
            connection.execute(text(statement))
            touched += read_touched(connection, layer, name)
            broken = check_all() - before
            told = name_pairs(check_edit(connection, touched))
            assert broken <= told
        trial.rollback()


def read_touched(connection: Connection, layer: str, name: str) -> list[Touched]:
    stored = read_stored(connection, VECTOR_LAYERS[layer], [name]).get(name)
    return [] if stored is None else [Touched(layer, {**stored.values, "id": name}, stored.shape)]
