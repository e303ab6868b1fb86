"""Map matching: a noise-free track gives the roads it was made of, a noisy one nearly so; gaps are told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from network.map_matching import Candidates, match_track, measure_times
from network.roads import RoadGraph, build_road_graph

SIZE, BLOCK = 8, 150.0


def build(seed: int = 1) -> RoadGraph:
    """Return a grid of streets, some of them one-way."""
    rng = np.random.default_rng(seed)
    at = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    starts = np.concatenate((at[:, :-1].ravel(), at[:-1].ravel()))
    ends = np.concatenate((at[:, 1:].ravel(), at[1:].ravel()))
    xy = np.column_stack((np.tile(np.arange(SIZE), SIZE), np.repeat(np.arange(SIZE), SIZE))) * BLOCK
    xy = xy + rng.uniform(-20.0, 20.0, xy.shape)
    access = np.full((starts.size, 2), 127)
    access[rng.random(starts.size) < 0.15, 1] = 0
    return build_road_graph(starts, ends, xy, access=access)


def find_candidates(graph: RoadGraph, xy: np.ndarray, radius: float = 50.0) -> Candidates:
    """Return the links within a radius of each position; links are straight."""
    a, b = graph.junction_xy[graph.starts], graph.junction_xy[graph.ends]
    first, links, alongs, offs = [0], [], [], []
    for place in xy:
        share = np.clip(((place - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0.0, 1.0)
        off = np.hypot(*(place - (a + share[:, None] * (b - a))).T)
        near = np.flatnonzero(off <= radius)
        links.append(near)
        alongs.append(share[near] * graph.lengths[near])
        offs.append(off[near])
        first.append(first[-1] + near.size)
    return Candidates(np.array(first), np.concatenate(links), np.concatenate(alongs), np.concatenate(offs))


def walk(graph: RoadGraph, seed: int, count: int) -> list[int]:
    """Return links driven one after another, never straight back nor over the same junction twice."""
    rng = np.random.default_rng(seed)
    way = [int(rng.integers(graph.link_count))]
    seen = {int(graph.starts[way[0]]), int(graph.ends[way[0]])}
    while len(way) < count:
        onward = np.flatnonzero(graph.starts == graph.ends[way[-1]])
        onward = [int(link) for link in onward if int(graph.ends[link]) not in seen]
        if not onward:
            break
        way.append(onward[int(rng.integers(len(onward)))])
        seen.add(int(graph.ends[way[-1]]))
    return way


def drive(graph: RoadGraph, way: list[int], step: float) -> np.ndarray:
    """Return positions every ``step`` along the way, from within its first link to within its last."""
    ends = np.cumsum(graph.lengths[way])
    at = np.arange(0.3 * graph.lengths[way[0]], ends[-1] - 0.3 * graph.lengths[way[-1]], step)
    on = np.searchsorted(ends, at)
    share = (at - (ends[on] - graph.lengths[way][on])) / graph.lengths[way][on]
    a, b = graph.junction_xy[graph.starts[way][on]], graph.junction_xy[graph.ends[way][on]]
    return a + share[:, None] * (b - a)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5000), st.integers(2, 12), st.floats(25.0, 110.0))
def test_a_track_without_noise_gives_the_way_it_was_made_of(seed: int, count: int, step: float) -> None:
    graph = build()
    way = walk(graph, seed, count)
    xy = drive(graph, way, step)
    if len(xy) < 3:
        return
    ends = np.cumsum(graph.lengths[way])
    at = 0.3 * graph.lengths[way[0]] + step * np.arange(len(xy))
    driven = [way[k] for k in range(np.searchsorted(ends, at[0]), np.searchsorted(ends, at[-1]) + 1)]
    found = match_track(graph, np.ones(graph.link_count, np.bool_), xy, find_candidates(graph, xy), error=5.0)
    assert len(found.stretches) == 1
    assert found.lost.size == 0
    assert found.stretches[0].links.tolist() == driven


def test_a_noisy_track_gives_nearly_the_way() -> None:
    graph, right, total = build(), 0, 0
    rng = np.random.default_rng(5)
    for seed in range(30):
        way = walk(graph, seed, 12)
        xy = drive(graph, way, 40.0)
        if len(way) < 6:
            continue
        noisy = xy + rng.normal(0.0, 8.0, xy.shape)
        found = match_track(graph, np.ones(graph.link_count, np.bool_), noisy, find_candidates(graph, noisy))
        links = np.concatenate([part.links for part in found.stretches])
        total += len(set(way) | set(links.tolist()))
        right += len(set(way) & set(links.tolist()))
    # Newson and Krumm, figure 8: below one part in ten is wrong with errors of 10 m at this rate.
    assert right / total > 0.9


def test_the_speed_on_each_link_is_what_was_driven() -> None:
    graph = build()
    way = walk(graph, 11, 8)
    xy = drive(graph, way, 30.0)
    times = np.arange(len(xy)) * 3.0
    found = match_track(
        graph, np.ones(graph.link_count, np.bool_), xy, find_candidates(graph, xy), times=times, error=5.0
    )
    (stretch,) = found.stretches
    seconds = measure_times(graph, stretch, times)
    assert seconds.sum() == pytest.approx(times[-1])
    # Every link was driven at 10 m/s.
    assert stretch.lengths(graph) / seconds == pytest.approx(np.full(seconds.size, 10.0), rel=1e-6)


def test_a_jump_nobody_can_drive_breaks_the_track() -> None:
    graph = build()
    xy = np.array([graph.junction_xy[0] + (60.0, 0.0), graph.junction_xy[7] - (60.0, 0.0)])
    far = Candidates(np.array([0, 1, 2]), np.array([0, graph.link_count - 1]), np.array([10.0, 10.0]), np.zeros(2))
    found = match_track(graph, np.ones(graph.link_count, np.bool_), xy, far, times=[0.0, 1.0])
    assert len(found.stretches) == 2


def test_positions_far_from_every_road_are_told() -> None:
    graph = build()
    xy = np.vstack((drive(graph, walk(graph, 3, 6), 60.0), [[9e4, 9e4]]))
    found = match_track(graph, np.ones(graph.link_count, np.bool_), xy, find_candidates(graph, xy))
    assert found.lost.tolist() == [len(xy) - 1]
    with pytest.raises(InputError, match="ascend"):
        match_track(
            graph, np.ones(graph.link_count, np.bool_), xy, find_candidates(graph, xy), times=-np.arange(len(xy))
        )
