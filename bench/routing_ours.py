"""The routing bench in our engines, in a process of its own, as the peers are."""

import numpy as np

from bench.peers.path_case import measure, read_arrays, report_questions
from network.paths import Engine, Router, build_router


def main() -> None:
    """Answer and time every row with the engine that the case names; kernels are compiled before."""
    case = read_arrays()
    size, limit, costs = case["xy"].shape[0], float(case["limit"]), case["costs"]

    def build() -> Router:
        engine: Engine = "cch" if case["engine"] == "cch" else "dijkstra"
        return build_router(case["tails"], case["heads"], costs, nodes=size, xy=case["xy"], engine=engine)

    router = build()
    other = router.fork()
    other.update([0], costs[:1])
    closed = case["closed"].tolist()

    def close() -> None:
        for arc in closed:
            other.update([arc], np.inf)

    report_questions(
        case,
        one=lambda a, b: router.find_path([a], [b]).cost,
        area=lambda a: int(np.isfinite(router.compute_distances([a], limit=limit)).sum()),
        rows=router.compute_matrix,
        times={
            "build": measure(build, 1),
            "re-weight": measure(lambda: router.reweight(costs)),
            "close a link": measure(close, 1) / len(closed),
        },
    )


if __name__ == "__main__":
    main()
