"""A comparison of measures: every combination is the scenario it says, benefits are differences, tables add up."""

import numpy as np
import pytest

from layers.errors import InputError, NotFoundError
from twin.process import Outputs, Quiet, parse_inputs
from twin.processes.flood_cases import CaseKey, merge_changes
from twin.processes.flood_compare import tabulate
from twin.registry import PROCESSES

COMPARE = PROCESSES["flood-compare"]
COMMON = {"horizon_hours": 4.0, "ramp_hours": 1.0, "pumps_off": ["P1"], "gates_open": ["G1"]}
EVENTS = [
    {"name": "often", "changes": "stage_level=1.5", "return_period": 2},
    {"name": "rare", "changes": {"stage_level": 2.0}, "return_period": 20},
]


def compute(city, **values: object) -> Outputs:
    return COMPARE.compute(city, parse_inputs(COMPARE, {**COMMON, **values}), Quiet())


def run_alone(city, **values: object) -> Outputs:
    process = PROCESSES["flood-scenario"]
    return process.compute(city, parse_inputs(process, {**COMMON, **values}), Quiet())


MEND = {"name": "mended gate", "changes": "gates_closed=G1"}


def test_a_mended_gate_saves_what_it_keeps_out_and_talk_saves_nothing(gated_city) -> None:
    outputs = compute(gated_city, events=EVENTS, measures=[MEND, {"name": "talk"}])
    table = outputs.summary["comparison"]
    rows = {(row["event"], row["measure"]): row for row in table["cases"]}
    assert list(rows) == [
        (event, measure) for event in ("often", "rare") for measure in ("none", "mended gate", "talk")
    ]
    for (event, measure), row in rows.items():
        base = rows[event, "none"]
        for name, saved in row["saved"].items():
            key = "damaged_area" if name == "damage" else name
            assert saved == pytest.approx(base[key] - row[key])
            assert row["saved_share"][name] == (round(saved / base[key], 4) if base[key] else None)
        assert any(row["saved"].values()) == (measure == "mended gate")
        assert abs(row["mass_error"]) < 1e-6
    assert rows["rare", "mended gate"]["flooded_area"] == 0.0 < rows["rare", "none"]["flooded_area"]
    assert rows["often", "none"]["people"] <= rows["rare", "none"]["people"]
    annual = {row["measure"]: row for row in table["annual_damage"]}
    often, rare = (rows[event, "none"]["damaged_area"] for event in ("often", "rare"))
    # Trapezoid between once in 2 and once in 20 years, and the rarer ones as bad as the last: by hand.
    assert annual["none"]["damage"] == pytest.approx(0.45 * (often + rare) / 2.0 + rare / 20.0, abs=0.1)
    assert annual["mended gate"]["damage"] == 0.0
    assert annual["mended gate"]["saved"] == annual["none"]["damage"]
    assert table["damage_in"] == "m2", "nothing in this city has a price"
    assert table["map"]["before"] == {"event": "often", "climate": "today", "measure": "none"}
    assert table["map"]["after"] == {"event": "often", "climate": "today", "measure": "mended gate"}
    change = outputs.rasters["flood_depth_change"].array
    assert np.nanmin(change) < -0.2 and np.nanmax(change) <= 0.0
    assert table["map"]["dried_area"] == rows["often", "none"]["flooded_area"] and table["map"]["wetted_area"] == 0.0


def test_every_case_is_the_scenario_it_says(gated_city) -> None:
    climates = [{"name": "2100", "changes": {"stage_level": 2.0}}]
    outputs = compute(gated_city, climates=climates, measures=[MEND], stage_level=1.6, show=["base", "2100", "none"])
    now, later = (run_alone(gated_city, stage_level=level) for level in (1.6, 2.0))
    rows = {(row["climate"], row["measure"]): row for row in outputs.summary["comparison"]["cases"]}
    for climate, alone in (("today", now), ("2100", later)):
        for name in ("flooded_area", "people", "buildings", "road_length", "depth_max", "peak_stage"):
            assert rows[climate, "none"][name] == alone.summary[name], (climate, name)
    deepest = [alone.rasters["flood_depth_max"].array for alone in (now, later)]
    np.testing.assert_array_equal(outputs.rasters["flood_depth_max"].array, deepest[1])
    np.testing.assert_array_equal(outputs.rasters["flood_depth_change"].array, deepest[1] - deepest[0])
    assert outputs.summary["flooded_area"] == later.summary["flooded_area"]
    assert outputs.title.vi.startswith("So sánh 1 giải pháp")


def test_the_case_that_cannot_be_prepared_is_named(city) -> None:
    with pytest.raises(
        NotFoundError, match="event 'base', climate 'today', measure 'rebuild': pump 'P9' does not exist"
    ):
        compute(city, stage_level=1.0, measures=[{"name": "rebuild", "changes": "pumps_off=P9"}])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"measures": [{"name": "x", "changes": "wall=1"}]}, "measure 'x': wall: Extra inputs are not permitted"),
        ({"measures": [{"name": "x", "changes": {"storm_depth": -1}}]}, "measure 'x': storm_depth: .* greater than"),
        ({"measures": [{"name": "x", "changes": "cell_size=5"}]}, "'x' changes cell_size, which all cases share"),
        ({"measures": [{"name": "x", "changes": "words"}]}, "'words' is not of the form name=value"),
        ({"measures": [{"name": "none"}]}, "measures has 'none' twice"),
        ({"events": [{"name": "a"}, {"name": "a"}]}, "events has 'a' twice"),
        ({"climates": [{"name": f"c{k}"} for k in range(60)]}, "are 61 runs, expected at most 60"),
        (
            {part: [{"name": part, "changes": "stage_offset=1"}] for part in ("events", "climates")},
            "'events' and 'climates' both give stage_offset",
        ),
        ({"events": [{"name": "a", "return_period": 5}, {"name": "b", "return_period": 5}]}, "expected different ones"),
        ({"damage_from": 2.0}, "damage_from is 2 years with return periods"),
        ({"show": ["base", "today", "wall"]}, "show is .*expected an event, a climate and a measure"),
        ({"stage_level": 1.0, "measures": [{"name": "x", "changes": "stage_offset=1"}]}, "exclude each other"),
    ],
)  # fmt: skip
def test_comparisons_that_cannot_be_are_refused_before_any_run(values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_inputs(COMPARE, values)


def test_parts_are_laid_over_one_another() -> None:
    common = {"pumps_off": ["P1"], "gates_open": ["G1", "G2"], "stage_offset": 0.1}
    merged = merge_changes(
        common, [("event", {"stage_offset": 0.4}), ("measure", {"pumps_off": ["P1", "P2"], "gates_closed": ["G1"]})]
    )
    assert merged == {
        "pumps_off": ["P1", "P2"], "gates_open": ["G2"], "gates_closed": ["G1"], "stage_offset": 0.4,
    }  # fmt: skip
    assert common["pumps_off"] == ["P1"], "what is common stays as it was"


def make_row(damage: float | None, area: float, period: float | None) -> dict[str, object]:
    figures = dict.fromkeys(("flooded_area", "people", "buildings", "road_length"), area)
    return {**figures, "damage": damage, "damaged_area": area, "return_period": period}


def test_damage_is_money_where_all_of_it_is_known() -> None:
    keys = [CaseKey(event, "today", measure) for event in ("a", "b") for measure in ("none", "wall")]
    known = dict(zip(keys, [make_row(d, 1.0, p) for d, p in ((100, 10), (40, 10), (300, 50), (90, 50))], strict=True))
    table = tabulate(known, damage_from=5.0)
    assert [row["saved"]["damage"] for row in table["cases"]] == [0.0, 60.0, 0.0, 210.0]
    # 0 at 1 in 5, 100 at 1 in 10, 300 from 1 in 50 on: 0.1 × 50 + 0.08 × 200 + 0.02 × 300.
    assert table["annual_damage"][0]["damage"] == pytest.approx(27.0)
    assert table["damage_in"] == "money"
    unknown = {**known, keys[3]: make_row(None, 0.5, 50.0)}
    table = tabulate(unknown)
    assert table["damage_in"] == "m2" and table["cases"][3]["saved"]["damage"] == 0.5
