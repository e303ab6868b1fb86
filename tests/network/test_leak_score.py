"""The scorer against sums done by hand, and distances against the rule of the competition's program."""

import numpy as np
import pytest

from bench.leaks_score import Detection, Leak, find_maximum, score_detections
from network.leaks.distances import find_centre, measure_distances

# Four pipes in a row, 100, 200, 300 and 400 m long: nodes 0–1–2–3–4.
ENDS = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
LENGTHS = np.array([100.0, 200.0, 300.0, 400.0])
YEAR = 1000


def make_leak(pipe: int, start: int, end: int, flow: float) -> Leak:
    outflow = np.zeros(YEAR)
    outflow[max(start, 0) : end + 1] = flow
    return Leak(pipe, start, end, outflow)


def test_distances_go_from_middle_to_middle() -> None:
    found = measure_distances(ENDS, LENGTHS, 5)
    assert found[0].tolist() == [0.0, 150.0, 400.0, 750.0]
    assert (found == found.T).all()


def test_parallel_pipes_take_the_shorter_way_and_parts_stay_apart() -> None:
    ends = np.array([[0, 1], [0, 1], [1, 2], [3, 4]])
    found = measure_distances(ends, np.array([100.0, 10.0, 50.0, 1.0]), 5)
    assert found[0, 1] == 55.0  # they share both ends: half of each
    assert found[0, 2] == 75.0
    assert np.isinf(found[0, 3])


def test_the_centre_has_most_within_the_radius() -> None:
    distances = measure_distances(ENDS, LENGTHS, 5)
    assert find_centre(np.array([0.3, 0.25, 0.0, 0.45]), distances, 300.0) == 0
    assert find_centre(np.array([0.1, 0.1, 0.0, 0.8]), distances, 300.0) == 3


def test_a_detection_earns_the_water_after_it_less_the_way() -> None:
    leak = make_leak(0, 100, 899, 12.0)  # 1 m3 a step
    [verdict] = score_detections([Detection(200, 1)], [leak], measure_distances(ENDS, LENGTHS, 5))
    # The program counts steps from one and sums from the step's number: steps 199 to 899 of ours, 701 m3 of €0.80;
    # 150 m of 300 m cost half of €500.
    assert verdict.euro == pytest.approx(701 * 0.80 - 250.0)
    assert (verdict.leak, verdict.distance, verdict.is_false) == (0, 150.0, False)
    assert find_maximum([leak]) == pytest.approx(800 * 0.80)


def test_far_early_and_late_detections_cost_a_crew() -> None:
    leak = make_leak(0, 100, 199, 12.0)
    distances = measure_distances(ENDS, LENGTHS, 5)
    verdicts = score_detections([Detection(150, 2), Detection(99, 0), Detection(200, 0)], [leak], distances)
    assert [verdict.euro for verdict in verdicts] == [-500.0] * 3
    assert [verdict.detection.step for verdict in verdicts] == [99, 150, 200]
    assert all(verdict.is_false for verdict in verdicts)


def test_the_last_step_of_a_leak_still_counts() -> None:
    leak = make_leak(0, 100, 199, 12.0)
    [verdict] = score_detections([Detection(199, 0)], [leak], measure_distances(ENDS, LENGTHS, 5))
    assert verdict.euro == pytest.approx(2 * 0.80)


def test_a_second_detection_of_the_same_leak_earns_nothing() -> None:
    leak = make_leak(0, 0, 999, 12.0)
    first, second = score_detections([Detection(20, 1), Detection(10, 0)], [leak], measure_distances(ENDS, LENGTHS, 5))
    assert (first.detection.step, second.euro, second.is_false) == (10, 0.0, False)


def test_the_nearest_leak_that_none_took_is_found() -> None:
    leaks = [make_leak(0, 0, 999, 12.0), make_leak(1, 0, 999, 1.2)]
    distances = measure_distances(ENDS, LENGTHS, 5)
    verdicts = score_detections([Detection(10, 0), Detection(11, 0)], leaks, distances)
    assert [verdict.leak for verdict in verdicts] == [0, 1]
    assert [verdict.distance for verdict in verdicts] == [0.0, 150.0]


def test_what_was_known_before_the_year_does_not_count() -> None:
    leak = make_leak(0, -500, 999, 12.0)
    distances = measure_distances(ENDS, LENGTHS, 5)
    verdicts = score_detections([Detection(-10, 0), Detection(0, 0)], [leak], distances)
    assert [verdict.euro for verdict in verdicts] == [pytest.approx(1000 * 0.80)]
