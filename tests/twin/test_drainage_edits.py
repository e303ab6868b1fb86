"""Edits of SWMM models: blocked sections, retention, storms and stages, and what SWMM makes of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrology.design_storm import RainCurve, build_storm, fit_curve
from hydrology.rainfall import RainSeries
from hydrology.swmm_run import SwmmResults, run_swmm
from layers.errors import InputError, NotFoundError
from layers.ingest.swmm.document import Inp, read_inp, write_document
from tests.hydrology.test_swmm_run import MODEL
from twin.scenario import Measure
from twin.swmm.blockage import block_links, can_block, find_fill, measure_segment
from twin.swmm.capacity import NEVER, classify, find_capacity, tabulate_classes, tabulate_storms
from twin.swmm.lid import CONTROLS, retain_rain
from twin.swmm.results_layers import FULL
from twin.swmm.running import prepare_model
from twin.swmm.storms import put_rain, put_stage, scale_rain, set_duration

SHARES = st.floats(0.001, 0.989)


@pytest.fixture
def inp() -> Inp:
    """Three pipes below a catchment of 4 ha, 80 % of it sealed."""
    return read_inp(MODEL)


def run(document: Inp) -> SwmmResults:
    done = run_swmm(write_document(document))
    assert done is not None
    return done


@settings(max_examples=40)
@given(share=SHARES, diameter=st.floats(0.1, 5.0))
def test_sediment_takes_the_share_of_a_round_pipe(share: float, diameter: float) -> None:
    depth = find_fill(diameter, share)
    assert 0.0 < depth < diameter
    assert measure_segment(depth / diameter) == pytest.approx(share, abs=1.0e-9)


@settings(max_examples=40)
@given(first=st.floats(0.01, 0.7), second=st.floats(0.01, 0.7))
def test_a_second_blockage_takes_of_what_is_left(first: float, second: float) -> None:
    document = read_inp(MODEL)
    block_links(document, ["P1"], first)
    block_links(document, ["P1"], second)
    row = document.read("XSECTIONS", "P1")
    assert row.words[1] == "FILLED_CIRCULAR"
    # Ten digits are written.
    left = 1.0 - measure_segment(row.read_number(3) / row.read_number(2))
    assert left == pytest.approx((1.0 - first) * (1.0 - second), abs=1.0e-7)


def test_a_box_fills_from_its_bed(inp: Inp) -> None:
    block_links(inp, ["P3"], 0.25)
    assert inp.read("XSECTIONS", "P3").read_number(2) == pytest.approx(0.45)
    assert [inp.read("CONDUITS", "P3").read_number(k) for k in (5, 6)] == pytest.approx([0.15, 0.15])


def test_a_box_with_offsets_as_elevations_fills_from_its_bed() -> None:
    document = read_inp(
        MODEL.replace("THREADS 1", "THREADS 1\nLINK_OFFSETS ELEVATION").replace(
            "P3 C O 120 0.013 0 0", "P3 C O 120 0.013 * 0.45"
        )
    )
    block_links(document, ["P3"], 0.25)
    assert [document.read("CONDUITS", "P3").read_number(k) for k in (5, 6)] == pytest.approx([0.9 + 0.15, 0.45 + 0.15])


@settings(max_examples=40)
@given(share=SHARES)
def test_other_shapes_keep_their_form(share: float) -> None:
    document = read_inp(MODEL.replace("P3 RECT_CLOSED 0.6 0.8 0 0", "P3 TRAPEZOIDAL 0.6 0.8 1 1.5"))
    block_links(document, ["P3"], share)
    height, width = (document.read("XSECTIONS", "P3").read_number(k) for k in (2, 3))
    area = (width + 1.25 * height) * height
    assert area == pytest.approx((1.0 - share) * (0.8 + 1.25 * 0.6) * 0.6, rel=1.0e-6)


@pytest.mark.parametrize(
    ("name", "share", "message"),
    [("P1", 0.0, "share is 0"), ("P1", 1.0, "share is 1"), ("nowhere", 0.5, "'nowhere' is not in the model")],
)
def test_what_cannot_be_blocked_is_said(inp: Inp, name: str, share: float, message: str) -> None:
    with pytest.raises((InputError, NotFoundError), match=message):
        block_links(inp, [name], share)


def test_an_irregular_channel_is_not_blocked() -> None:
    document = read_inp(MODEL.replace("P3 RECT_CLOSED 0.6 0.8 0 0", "P3 IRREGULAR creek"))
    assert not can_block(document, "P3") and can_block(document, "P2") and not can_block(document, "S1")
    with pytest.raises(InputError, match="IRREGULAR"):
        block_links(document, ["P3"], 0.5)


def test_a_blocked_pipe_floods_more_above_it(inp: Inp) -> None:
    before = run(inp)
    block_links(inp, ["P1"], 0.6)
    after = run(inp)
    assert after.nodes.flooding_volume[0] > before.nodes.flooding_volume[0] + 1.0
    assert after.links.max_flow[0] < before.links.max_flow[0]
    assert abs(after.account.worst) < 0.005


@pytest.mark.parametrize("measure", list(CONTROLS))
def test_each_measure_keeps_water_and_loses_none(inp: Inp, measure: Measure) -> None:
    before = run(inp)
    retain_rain(inp, measure, ["S1"], 0.4)
    after = run(inp)
    assert after.catchments.runoff[0] < before.catchments.runoff[0] - 10.0
    assert after.account.rain == pytest.approx(before.account.rain)
    assert abs(after.account.worst) < 0.005


@settings(max_examples=40)
@given(share=st.floats(0.01, 1.0), measure=st.sampled_from(list(CONTROLS)))
def test_sealed_ground_is_taken_as_it_is_said(share: float, measure: Measure) -> None:
    document = read_inp(MODEL)
    retain_rain(document, measure, ["S1"], share)
    row, usage = document.read("SUBCATCHMENTS", "S1"), document.read("LID_USAGE", "S1")
    number, each = usage.read_number(2), usage.read_number(3)
    sealed = row.read_number(4) / 100.0 * (4.0e4 - number * each)
    if measure in ("green_roof", "permeable_pavement"):
        assert number * each == pytest.approx(3.2e4 * share, rel=1.0e-6)
        assert sealed == pytest.approx(3.2e4 * (1.0 - share), abs=1.0)
    else:
        # There is open ground enough for gardens and barrels.
        assert sealed == pytest.approx(3.2e4, rel=1.0e-6)
        assert usage.read_number(6) == pytest.approx(100.0 * share)


def test_two_measures_share_a_catchment(inp: Inp) -> None:
    retain_rain(inp, "green_roof", ["S1"], 0.3)
    retain_rain(inp, "green_roof", ["S1"], 0.2)
    assert inp.names("LID_CONTROLS") == ["green_roof", "green_roof_2"]
    assert abs(run(inp).account.worst) < 0.005


def test_a_catchment_without_sealed_ground_is_refused() -> None:
    document = read_inp(MODEL.replace("S1 G A 4 80", "S1 G A 4 0"))
    with pytest.raises(InputError, match="no sealed ground"):
        retain_rain(document, "rain_garden", ["S1"], 0.5)


@pytest.mark.parametrize("step", [300.0, 420.0])
def test_a_storm_falls_whole(inp: Inp, step: float) -> None:
    storm = build_storm(fit_curve(75.0, 7000.0), 7000.0, step=step)
    put_rain(inp, storm)
    set_duration(inp, 5.0)
    done = run(inp)
    assert done.duration == pytest.approx(5.0 * 3600.0, abs=1.0)
    assert done.series.times[-1] == 5.0 * 3600.0
    # 75 mm on 4 ha; single steps are written with ten digits.
    assert done.account.rain == pytest.approx(0.075 * 4.0e4, rel=1.0e-4)


def test_a_storm_on_a_model_in_feet_falls_whole(shared: Callable[[str], Path]) -> None:
    document, _ = prepare_model(read_inp(shared("swmm-networks/alpha.inp").read_text()))
    put_rain(document, RainSeries(np.array([0.0, 3600.0]), np.array([50.0, 0.0])))
    set_duration(document, 1.5)
    done = run(document)
    assert done.account.rain == pytest.approx(0.050 * float(done.catchments.area.sum()), rel=1.0e-4)


def test_the_model_s_own_rain_is_scaled(inp: Inp) -> None:
    before = run(inp).account.rain
    scale_rain(inp, 1.5)
    assert run(inp).account.rain == pytest.approx(1.5 * before)


def test_a_stage_stands_outside_outfalls(inp: Inp) -> None:
    chosen = put_stage(inp, np.array([0.0, 3.0 * 3600.0]), np.array([1.3, 1.3]))
    assert chosen == ["O"]
    assert run(inp).nodes.max_head[3] == pytest.approx(1.3, abs=1.0e-4)
    with pytest.raises(NotFoundError, match="'Q'"):
        put_stage(inp, np.array([0.0]), np.array([1.0]), ["Q"])


def test_the_smallest_storm_that_fills_is_found(inp: Inp) -> None:
    curve = RainCurve(600.0, 0.9, 5.0, 0.6)
    storms = {period: build_storm(curve.at(period), 3600.0) for period in (1, 5, 100)}
    results = []
    for storm in storms.values():
        document = inp.copy()
        put_rain(document, storm)
        set_duration(document, 1.5)
        results.append(run(document))
    capacity = find_capacity(list(storms), results)
    rows = tabulate_storms(capacity, [1.0, 2.0, 3.0])
    assert [row["full_length"] for row in rows] == sorted(row["full_length"] for row in rows)
    for k in range(3):
        fullest = [period for period, one in zip(storms, results, strict=True) if one.links.fill[k] >= FULL]
        assert capacity.fills[k] == min(fullest, default=NEVER)
    classes = tabulate_classes(capacity)
    assert sum(row["length"] for row in classes) == pytest.approx(300.0)
    assert sum(row["share"] for row in classes) == pytest.approx(1.0, abs=1.0e-3)
    assert set(classify(capacity.fills)) <= {"p1", "p5", "p100", "none"}


def test_a_model_without_a_gauge_takes_no_storm() -> None:
    with pytest.raises(InputError, match="no rain gauge"):
        put_rain(read_inp("[OPTIONS]\nFLOW_UNITS CMS\n"), RainSeries(np.array([0.0, 60.0]), np.array([10.0, 0.0])))


def test_a_model_is_made_ready(inp: Inp) -> None:
    inp.set_option("ROUTING_STEP", "0:00:30")
    inp.set_option("WET_STEP", "00:05:00")
    ready, notes = prepare_model(inp)
    assert ready.option("ROUTING_STEP") == "2" and ready.option("WET_STEP") == "00:01:00"
    assert notes == ["ROUTING_STEP 30 s → 2 s", "WET_STEP 300 s → 60 s"]
    kept, none = prepare_model(inp, own_steps=True)
    assert kept.option("ROUTING_STEP") == "0:00:30" and none == []
    assert inp.option("ROUTING_STEP") == "0:00:30"
