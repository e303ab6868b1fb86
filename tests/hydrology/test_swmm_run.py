"""Whole runs of SWMM: extremes as its own report has them, series, the account of water closed on the outfalls."""

import re
from pathlib import Path

import numpy as np
import pytest

from hydrology.drainage import Scale
from hydrology.swmm_output import read_series
from hydrology.swmm_run import SwmmResults, run_swmm
from layers.errors import InputError, SourceError

MODEL = """[OPTIONS]
FLOW_UNITS CMS
FLOW_ROUTING DYNWAVE
START_DATE 01/01/2026
END_DATE 01/01/2026
END_TIME 03:00:00
REPORT_STEP 00:05:00
WET_STEP 00:01:00
ROUTING_STEP 2
THREADS 1
[RAINGAGES]
G INTENSITY 0:20 1 TIMESERIES R
[SUBCATCHMENTS]
S1 G A 4 80 200 0.5 0
[SUBAREAS]
S1 0.012 0.15 1.9 3.8 25 OUTLET
[INFILTRATION]
S1 50 5 4 7 0
[JUNCTIONS]
A 1.0 1.5 0 0 0
B 0.8 1.6 0 0 0
C 0.9 1.8 0 0 0
[OUTFALLS]
O 0.4 FIXED 0.9 NO
[CONDUITS]
P1 A B 100 0.013 0 0
P2 B C 80 0.013 0 0
P3 C O 120 0.013 0 0
[XSECTIONS]
P1 CIRCULAR 0.5 0 0 0
P2 CIRCULAR 0.6 0 0 0
P3 RECT_CLOSED 0.6 0.8 0 0
[TIMESERIES]
R 0:00 20
R 0:20 140
R 0:40 10
R 1:00 0
[REPORT]
NODES ALL
LINKS ALL
SUBCATCHMENTS ALL
"""


@pytest.fixture(scope="module")
def results() -> SwmmResults:
    """The run of the model above: a storm on three pipes, the middle one rising, before a stage."""
    done = run_swmm(MODEL)
    assert done is not None
    return done


def read_table(report: str, title: str) -> dict[str, list[str]]:
    """Return the rows of a table of SWMM's report by the name of their object."""
    body = report.split(f"  {title}\n")[1].split("\n  \n  \n")[0]
    rows = [line.split() for line in body.splitlines() if re.match(r"  [ABCOPS]\d? ", line)]
    return {row[0]: row[1:] for row in rows}


def test_extremes_are_those_of_swmm_s_own_report(results: SwmmResults) -> None:
    depths = read_table(results.report, "Node Depth Summary")
    flows = read_table(results.report, "Link Flow Summary")
    flooded = read_table(results.report, "Node Flooding Summary")
    assert set(depths) == set(results.nodes.ids) and set(flows) == set(results.links.ids)
    for k, name in enumerate(results.nodes.ids):
        assert results.nodes.max_depth[k] == pytest.approx(float(depths[name][2]), abs=0.006)
        assert results.nodes.max_head[k] == pytest.approx(float(depths[name][3]), abs=0.006)
        hours, minutes = map(int, depths[name][5].split(":"))
        assert results.nodes.peak_time[k] == pytest.approx(hours * 3600 + minutes * 60, abs=60.0)
        if name in flooded:
            # The report writes no less than 0.01 h.
            hours = max(results.nodes.flooding_time[k] / 3600.0, 0.01)
            assert hours == pytest.approx(float(flooded[name][0]), abs=0.006)
            assert results.nodes.flooding_volume[k] == pytest.approx(1000.0 * float(flooded[name][4]), abs=0.6)
        else:
            assert results.nodes.flooding_volume[k] == 0.0
    for k, name in enumerate(results.links.ids):
        assert results.links.max_flow[k] == pytest.approx(float(flows[name][1]), abs=0.0006)
        assert results.links.capacity_use[k] == pytest.approx(float(flows[name][5]), abs=0.006)
        assert results.links.fill[k] == pytest.approx(float(flows[name][6]), abs=0.006)
    assert flooded, "the storm is made to flood a node"


def test_the_outfall_integral_is_what_swmm_says_left(results: SwmmResults) -> None:
    account = results.account
    # The same sum over the same steps: only rounding of doubles parts them.
    assert account.outfall_volume + account.totals.flooded > 0.0
    assert account.outfall_error == pytest.approx(account.routing_error, abs=1.0e-9)
    assert abs(account.worst) < 0.005
    assert account.rain == pytest.approx(4.0e4 * (20.0 + 140.0 + 10.0) / 3.0 / 1000.0, rel=1.0e-6)


def test_a_link_that_rises_stays_as_it_was_drawn(results: SwmmResults) -> None:
    names = results.nodes.ids
    ends = {
        name: (names[a], names[b])
        for name, a, b in zip(results.links.ids, results.links.start, results.links.end, strict=True)
    }
    assert ends == {"P1": ("A", "B"), "P2": ("B", "C"), "P3": ("C", "O")}
    assert results.links.length == pytest.approx([100.0, 80.0, 120.0])


def test_series_end_with_the_run_and_never_exceed_the_extremes(results: SwmmResults) -> None:
    series = results.series
    assert series.times[0] == 300.0 and series.times[-1] == 3.0 * 3600.0 and series.times.size == 36
    assert series.node_depth.shape == (4, 36) and series.link_flow.shape == (3, 36)
    # Results are kept in single precision.
    assert (series.node_depth.max(axis=1) <= results.nodes.max_depth * (1.0 + 1.0e-5) + 1.0e-6).all()
    assert (np.abs(series.link_flow).max(axis=1) <= results.links.max_flow * (1.0 + 1.0e-5) + 1.0e-6).all()


def test_a_second_run_in_the_same_process_is_the_same_to_the_bit(results: SwmmResults) -> None:
    again = run_swmm(MODEL)
    assert again is not None
    assert np.array_equal(again.series.node_depth, results.series.node_depth)
    assert np.array_equal(again.series.link_flow, results.series.link_flow)


def test_series_are_thinned_to_the_limit() -> None:
    thin = run_swmm(MODEL, most_values=4 * 10)
    assert thin is not None
    assert thin.series.times.tolist() == [1200.0 * (k + 1) for k in range(9)]


def test_a_run_that_is_asked_to_stop_leaves_nothing() -> None:
    assert run_swmm(MODEL, should_stop=lambda: True) is None
    assert run_swmm(MODEL) is not None


def test_files_that_are_no_results_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.out"
    scale = Scale(1.0, 1.0, 1.0, 0.001)
    with pytest.raises(SourceError, match="0 bytes"):
        read_series(path, scale, most_values=10)
    path.write_bytes(b"\0" * 200)
    with pytest.raises(SourceError, match="no complete result"):
        read_series(path, scale, most_values=10)


def test_a_model_swmm_cannot_read_is_refused_in_its_words() -> None:
    with pytest.raises(InputError, match="ERROR"):
        run_swmm(MODEL.replace("P3 C O 120", "P3 C nowhere 120"))
