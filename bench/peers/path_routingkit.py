"""The routing bench in routingkit-cch: contraction hierarchies in C++, with whole tenths of milliseconds."""

import numpy as np
import routingkit_cch as rk

from bench.peers.path_case import measure, read_arrays, report_questions

_SCALE = 1e4


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    tails, heads, size = case["tails"].tolist(), case["heads"].tolist(), case["xy"].shape[0]
    weights = np.round(case["costs"] * _SCALE).astype(np.int64)
    y, x = case["xy"][:, 1].tolist(), case["xy"][:, 0].tolist()

    def prepare() -> rk.CCH:
        return rk.CCH(rk.compute_order_inertial(size, tails, heads, y, x), tails, heads, False)

    seconds = measure(prepare, 1)
    hierarchy = prepare()
    metric = rk.CCHMetric(hierarchy, weights.tolist())
    reweight = measure(lambda: metric.reset(weights.tolist()))
    updater, closed = rk.CCHMetricPartialUpdater(hierarchy), case["closed"].tolist()

    def close() -> None:
        for arc in closed:
            updater.apply(metric, {arc: 2_147_483_647})

    closing = measure(close, 1) / len(closed)
    updater.apply(metric, {arc: int(weights[arc]) for arc in closed})
    query, every, limit = rk.CCHQuery(metric), list(range(size)), float(case["limit"]) * _SCALE
    to_all = rk.CCHOneToMany(metric, every)

    def find_one(start: int, end: int) -> float:
        found = query.run(start, end)
        # A way is its arcs: they are asked for too, as ours gives them.
        return np.inf if found.distance is None or not isinstance(found.arc_path, list) else found.distance / _SCALE

    def find_rows(starts: list[int], ends: list[int]) -> list[list[float]]:
        to_some = rk.CCHOneToMany(metric, ends)
        return [
            [np.inf if cost is None else cost / _SCALE for cost in to_some.distances_from(start)] for start in starts
        ]

    report_questions(
        case,
        one=find_one,
        area=lambda a: sum(cost is not None and cost <= limit for cost in to_all.distances_from(a)),
        rows=find_rows,
        times={"build": seconds, "re-weight": reweight, "close a link": closing},
    )


if __name__ == "__main__":
    main()
