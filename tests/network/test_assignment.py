"""User equilibrium: closed-form answers, conditions of equilibrium on random networks, closures, classes, centroids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.assignment import Assignment, assign
from network.assignment_network import AssignmentNetwork, TravelClass, build_assignment_network
from network.assignment_reading import compute_costs, compute_skims, select_links
from network.delays import build_bpr, build_conical
from network.gap import UnbalancedError, check_flows, require_balance


def make_class(trips, name="car", **more):
    origins, ends, volumes = zip(*trips, strict=True)
    return TravelClass(name, np.array(origins, np.int32), np.array(ends, np.int32), np.array(volumes, float), **more)


def make_straight(links, **more) -> AssignmentNetwork:
    """Links (start, end, base, slope): time = base + slope x flow."""
    starts, ends, base, slope = (np.array(column) for column in zip(*links, strict=True))
    free = np.maximum(base, 1e-7)
    return build_assignment_network(starts, ends, build_bpr(free, 1.0, a=slope / free, power=1.0), **more)


def test_two_roads_share_trips_so_that_both_take_as_long():
    network = make_straight([(0, 1, 10.0, 0.1), (0, 1, 15.0, 0.1)])
    found = assign(network, [make_class([(0, 1, 150.0)])], gap=1e-12)
    assert found.flows[0] == pytest.approx([100.0, 50.0])
    assert found.times == pytest.approx([20.0, 20.0])
    # ∫ 10 + x/10 to 100 and ∫ 15 + x/10 to 50.
    assert found.objective == pytest.approx(1500.0 + 875.0)


def make_braess(bridge=True) -> AssignmentNetwork:
    """Braess 1968, doi:10.1287/trsc.1050.0127: the paradox with six vehicles."""
    links = [(0, 1, 0.0, 10.0), (0, 2, 50.0, 1.0), (1, 3, 50.0, 1.0), (2, 3, 0.0, 10.0), (1, 2, 10.0, 1.0)]
    return make_straight(links if bridge else links[:4])


def test_braess_new_road_makes_everybody_slower():
    trips = [make_class([(0, 3, 6.0)])]
    before, after = assign(make_braess(bridge=False), trips, gap=1e-12), assign(make_braess(), trips, gap=1e-12)
    assert before.flows[0] == pytest.approx([3.0, 3.0, 3.0, 3.0])
    assert after.flows[0] == pytest.approx([4.0, 2.0, 2.0, 4.0, 2.0])
    assert compute_costs(before) == pytest.approx([83.0], rel=1e-6)
    assert compute_costs(after) == pytest.approx([92.0], rel=1e-6)


def test_closing_the_braess_bridge_from_a_warm_start_brings_the_first_answer_back():
    network = make_braess()
    warm = assign(network, [make_class([(0, 3, 6.0)])], gap=1e-12)
    closed = np.array([0.0, 0.0, 0.0, 0.0, np.inf])
    found = assign(network, [make_class([(0, 3, 6.0)], fixed=closed)], gap=1e-12, warm=warm)
    assert found.flows[0] == pytest.approx([3.0, 3.0, 3.0, 3.0, 0.0])
    assert found.flows[0][4] == 0.0


def test_trips_do_not_pass_centroids():
    links = [(0, 1, 1.0, 0.0), (1, 2, 1.0, 0.0), (0, 3, 5.0, 0.0), (3, 2, 5.0, 0.0)]
    through = np.array([False, False, False, True])
    found = assign(make_straight(links, through=through), [make_class([(0, 2, 1.0), (0, 1, 2.0)])])
    assert found.flows[0] == pytest.approx([2.0, 0.0, 1.0, 1.0])


def test_trips_without_a_way_are_told_and_not_assigned():
    network = make_straight([(0, 1, 1.0, 0.1)], node_count=3)
    classes = [make_class([(0, 1, 5.0), (0, 2, 7.0), (1, 1, 3.0)])]
    found = assign(network, classes)
    assert list(found.served) == [True, False]
    assert found.flows[0] == pytest.approx([5.0])
    assert found.pairs.within == pytest.approx([3.0])
    check = check_flows(network, classes, found.flows)
    assert check.lost == pytest.approx([7.0])
    assert check.is_balanced


def test_classes_share_capacity_and_keep_their_bans_and_tolls():
    # Trucks may not use the first road; a toll of 5 s on it makes cars split; both count on both roads.
    network = make_straight([(0, 1, 10.0, 0.1), (0, 1, 10.0, 0.1)])
    cars = make_class([(0, 1, 100.0)], fixed=np.array([5.0, 0.0]))
    trucks = make_class([(0, 1, 20.0)], name="truck", pcu=2.5, fixed=np.array([np.inf, 0.0]))
    found = assign(network, [cars, trucks], gap=1e-12)
    assert found.flows[1] == pytest.approx([0.0, 50.0])
    # 15 + x/10 = 10 + (100 - x + 50)/10.
    assert found.flows[0] == pytest.approx([50.0, 50.0])
    check = check_flows(network, [cars, trucks], found.flows)
    assert check.is_balanced
    assert check.gap < 1e-12


def test_preload_takes_room():
    network = make_straight([(0, 1, 10.0, 0.1), (0, 1, 10.0, 0.1)])
    found = assign(network, [make_class([(0, 1, 100.0)])], gap=1e-12, preload=np.array([40.0, 0.0]))
    assert found.flows[0] == pytest.approx([30.0, 70.0])
    assert found.total == pytest.approx([70.0, 70.0])


def test_select_link_follows_its_trips():
    network = make_straight([(0, 1, 1.0, 0.0), (1, 2, 1.0, 0.0), (1, 3, 1.0, 0.0)])
    found = assign(network, [make_class([(0, 2, 4.0), (0, 3, 3.0), (1, 3, 2.0)])])
    chosen = select_links(found, np.array([True, False, False]))
    assert chosen.pairs == pytest.approx([4.0, 3.0, 0.0])
    assert chosen.flows[0] == pytest.approx([7.0, 4.0, 3.0])
    assert compute_skims(found, np.array([100.0, 20.0, 3.0])) == pytest.approx([120.0, 103.0, 3.0])


def test_a_check_finds_flow_that_ends_nowhere_and_flow_on_a_closed_link():
    network = make_straight([(0, 1, 1.0, 0.1), (1, 2, 1.0, 0.1)])
    classes = [make_class([(0, 2, 5.0)])]
    check = check_flows(network, classes, np.array([[5.0, 4.0]]))
    assert check.imbalances == pytest.approx([1.0])
    with pytest.raises(UnbalancedError, match="1 pcu/h over at a node"):
        require_balance(check)
    closed = [make_class([(0, 1, 5.0)], fixed=np.array([0.0, np.inf]))]
    assert check_flows(network, closed, np.array([[5.0, 1.0]])).banned == 1.0


@pytest.mark.parametrize(
    ("trips", "message"),
    [
        ([(0, 9, 1.0)], "beyond the 2 there are"),
        ([(0, 1, -1.0)], "negative or no number"),
        ([(0, 1, np.nan)], "negative or no number"),
    ],
)
def test_trips_that_cannot_be_are_refused(trips, message):
    with pytest.raises(InputError, match=message):
        assign(make_straight([(0, 1, 1.0, 0.1)]), [make_class(trips)])


def test_times_beyond_all_numbers_are_told():
    network = build_assignment_network([0], [1], build_bpr([1.0], 1e-300, power=30.0))
    with pytest.raises(InputError, match="beyond all numbers"):
        assign(network, [make_class([(0, 1, 1e9)])])


def test_delays_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="capacity of link 1 is 0"):
        build_bpr([1.0, 1.0], [10.0, 0.0])
    with pytest.raises(InputError, match="expected above 1"):
        build_conical([1.0], [1.0], alpha=1.0)


@given(
    load=st.floats(0.0, 4.0),
    alpha=st.floats(1.1, 12.0),
    a=st.floats(0.0, 3.0),
    power=st.sampled_from([0, 1, 2.5, 4, 6]),
)
def test_delays_are_convex_and_agree_with_their_slopes_and_integrals(load, alpha, a, power):
    capacity = 800.0
    for delays in (build_conical([60.0], capacity, alpha=alpha), build_bpr([60.0], capacity, a=a, power=float(power))):
        step = 1e-3 * capacity
        flows = (load + 0.1) * capacity + np.array([-step, 0.0, step])
        times = np.array([delays.compute_times(np.array([flow]))[0] for flow in flows])
        slope = delays.compute_states(flows[1:2])[0, 1]
        assert times[0] <= times[1] * (1 + 1e-12) <= times[2] * (1 + 1e-12)
        assert times[0] + times[2] >= 2.0 * times[1] * (1 - 1e-12)
        assert (times[2] - times[0]) / (2 * step) == pytest.approx(slope, rel=1e-3, abs=1e-9)
        area = delays.integrate(flows[2:])[0] - delays.integrate(flows[:1])[0]
        # Simpson is exact to the third power.
        assert area == pytest.approx(2 * step * (times[0] + 4 * times[1] + times[2]) / 6, rel=1e-6)
        exact = delays.integrate(np.array([0.0]))[0]
        assert exact == pytest.approx(0.0, abs=1e-9)


def test_conical_delay_is_twice_the_free_time_at_capacity():
    delays = build_conical([60.0, 60.0], 500.0, alpha=[2.0, 9.0])
    assert delays.compute_times(np.array([500.0, 500.0])) == pytest.approx([120.0, 120.0])
    assert delays.compute_times(np.zeros(2)) == pytest.approx([60.0, 60.0])


@st.composite
def make_town(draw):
    """Return a random strongly connected network with parallel arcs and free links, two classes and a closed link."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes = int(chance.integers(4, 13))
    ring = np.arange(nodes)
    extra = chance.integers(0, nodes, (2, 3 * nodes))
    starts = np.concatenate((ring, (ring + 1) % nodes, extra[0]))
    ends = np.concatenate(((ring + 1) % nodes, ring, extra[1]))
    free = chance.uniform(1.0, 20.0, starts.size)
    a = np.where(chance.random(starts.size) < 0.2, 0.0, chance.uniform(0.1, 2.0, starts.size))
    if draw(st.booleans()):
        delays = build_conical(
            free, chance.uniform(20.0, 60.0, starts.size), alpha=chance.uniform(2.0, 8.0, starts.size)
        )
    else:
        power = chance.choice([1.0, 2.0, 4.0, 4.0, 5.5], starts.size)
        delays = build_bpr(free, chance.uniform(20.0, 60.0, starts.size), a=a, power=power)
    network = build_assignment_network(starts, ends, delays)
    trips = [(*chance.integers(0, nodes, 2), chance.uniform(0.0, 40.0)) for _ in range(3 * nodes)]
    toll = np.where(chance.random(starts.size) < 0.3, chance.uniform(0.0, 10.0, starts.size), 0.0)
    classes = [make_class(trips), make_class(trips[:nodes], name="truck", pcu=2.0, fixed=toll)]
    return network, classes, int(chance.integers(2 * nodes, starts.size))


def check_equilibrium(found: Assignment, gap: float) -> None:
    check = check_flows(found.network, found.classes, found.flows)
    require_balance(check)
    assert check.gap <= gap * 1.01
    assert abs(check.gap - found.gap) <= 1e-9
    # Wardrop: no used path costs more than another open one of its pair; what is dearer carries next to nothing.
    flows = found.paths.flows[: found.paths.count]
    costs = found.paths.sum_paths(found.times) + found.paths.fixed[: found.paths.count]
    least = np.full(found.pairs.count, np.inf)
    np.minimum.at(least, found.paths.owners, costs)
    assert np.sum(flows * (costs - least[found.paths.owners])) <= gap * 1.01 * check.spent + 1e-9
    assert np.all(flows >= 0.0)


@settings(max_examples=30, deadline=None)
@given(make_town())
def test_random_towns_reach_equilibrium_and_a_warm_start_reaches_the_same(town):
    network, classes, closed = town
    found = assign(network, classes, gap=1e-10)
    check_equilibrium(found, 1e-10)
    fixed = [np.zeros(network.link_count) if each.fixed is None else each.fixed.copy() for each in classes]
    for own in fixed:
        own[closed] = np.inf
    shut = [
        TravelClass(each.name, each.origins, each.destinations, each.volumes * 0.9, each.pcu, own)
        for each, own in zip(classes, fixed, strict=True)
    ]
    cold, warm = assign(network, shut, gap=1e-10), assign(network, shut, gap=1e-10, warm=found)
    check_equilibrium(cold, 1e-10)
    check_equilibrium(warm, 1e-10)
    assert cold.flows[:, closed].max() == warm.flows[:, closed].max() == 0.0
    assert warm.objective == pytest.approx(cold.objective, rel=1e-9)
    assert np.allclose(warm.times, cold.times, rtol=1e-3)
