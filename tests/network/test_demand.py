"""Trips between zones: balancing, the gravity model, and trips brought nearer to counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from layers.errors import InputError
from network.assignment import assign
from network.assignment_network import TravelClass, build_assignment_network
from network.delays import build_bpr
from network.demand import balance_trips, build_gravity
from network.demand_counts import adjust_trips, compute_shares

AMOUNTS = st.floats(1.0, 1000.0)


@settings(max_examples=25)
@given(arrays(float, (4, 5), elements=st.floats(0.1, 10.0)), arrays(float, 4, elements=AMOUNTS),
       arrays(float, 5, elements=AMOUNTS))  # fmt: skip
def test_a_balanced_matrix_sends_and_gets_what_was_asked(seed, productions, attractions):
    found = balance_trips(seed, productions, attractions)
    assert found.error <= 1e-9
    assert found.trips.sum(axis=1) == pytest.approx(productions, rel=1e-8)
    assert found.trips.sum(axis=0) == pytest.approx(attractions * productions.sum() / attractions.sum(), rel=1e-8)
    # Balancing keeps the cross ratios of the seed.
    ratio = found.trips[0, 0] * found.trips[1, 1] / (found.trips[0, 1] * found.trips[1, 0])
    assert ratio == pytest.approx(seed[0, 0] * seed[1, 1] / (seed[0, 1] * seed[1, 0]))


def test_balancing_two_zones_with_a_seed_of_ones_is_the_product_of_totals():
    found = balance_trips(np.ones((2, 2)), np.array([30.0, 70.0]), np.array([60.0, 40.0]))
    assert found.trips == pytest.approx(np.array([[18.0, 12.0], [42.0, 28.0]]))


def test_a_zone_that_nobody_can_reach_is_told():
    with pytest.raises(InputError, match="zone 1 gets trips and no way leads there"):
        balance_trips(np.array([[1.0, 0.0], [1.0, 0.0]]), np.ones(2), np.ones(2))


@pytest.mark.parametrize("power", [0.0, 0.5])
def test_gravity_is_calibrated_to_the_mean_cost_asked_for(power):
    chance = np.random.default_rng(5)
    xy = chance.uniform(0.0, 60.0, (12, 2))
    costs = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 3.0
    found = build_gravity(
        chance.uniform(10.0, 50.0, 12), chance.uniform(10.0, 50.0, 12), costs, mean_cost=15.0, power=power
    )
    assert found.mean_cost == pytest.approx(15.0, rel=1e-4)
    assert np.sum(found.trips * costs) / found.trips.sum() == pytest.approx(15.0, rel=1e-4)
    with pytest.raises(InputError, match="cannot be met"):
        build_gravity(np.ones(12), np.ones(12), costs, mean_cost=500.0)


def test_trips_are_brought_to_counts_that_agree():
    # Two pairs over one link each and one shared: the counts of 30 + 10 = 40 can be met exactly.
    shares = csr_array(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]))
    found = adjust_trips(np.array([20.0, 20.0]), shares, np.array([30.0, 10.0, 40.0]), steps=200)
    assert found.volumes == pytest.approx([30.0, 10.0], rel=1e-3)
    assert found.before == pytest.approx([20.0, 20.0, 40.0])
    assert found.after == pytest.approx([30.0, 10.0, 40.0], rel=1e-3)


@settings(max_examples=25)
@given(arrays(float, (6, 4), elements=st.floats(0.0, 1.0)), arrays(float, 6, elements=st.floats(0.0, 100.0)),
       arrays(float, 4, elements=st.floats(0.0, 300.0)))  # fmt: skip
def test_a_step_never_makes_differences_grow_nor_a_trip_negative(shares, volumes, counts):
    found = adjust_trips(volumes, csr_array(shares), counts)
    before, after = np.sum((found.before - counts) ** 2), np.sum((found.after - counts) ** 2)
    assert after <= before * (1 + 1e-9) + 1e-9
    assert np.all(found.volumes >= 0.0)
    assert np.all(found.volumes[volumes == 0.0] == 0.0)


def test_shares_of_counted_links_add_up_to_the_flow():
    network = build_assignment_network([0, 0, 1], [1, 1, 2], build_bpr([10.0, 12.0, 1.0], [50.0, 50.0, 900.0]))
    trips = TravelClass("car", np.array([0, 0], np.int32), np.array([1, 2], np.int32), np.array([80.0, 40.0]))
    found = assign(network, [trips], gap=1e-10)
    links = np.array([0, 2], np.int32)
    shares = compute_shares(found, links)
    assert shares.T @ found.pairs.volumes == pytest.approx(found.flows[0][links])
