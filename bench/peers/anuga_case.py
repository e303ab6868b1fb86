"""EA test 4 in ANUGA on as many triangles as the case has cells, with its own default algorithm DE0: run by the bench.

Squares of twice the cell size are cut by their diagonals into four triangles, so that the unknowns are as many.
"""

import tempfile

import anuga  # type: ignore[import-not-found]
import numpy as np

from bench.peers.meter import Meter, Plain, read_case, report_measured


def main() -> None:
    """Run the case of standard input and print what was measured."""
    case = Plain(read_case())
    width, height = case.cols * case.cell_size, case.rows * case.cell_size
    domain = anuga.rectangular_cross_domain(case.cols // 2, case.rows // 2, len1=width, len2=height)
    with tempfile.TemporaryDirectory() as folder:
        domain.set_datadir(folder)
        domain.set_store(False)
        domain.set_quantity("elevation", 0.0)
        domain.set_quantity("friction", case.mannings_n)
        domain.set_quantity("stage", 0.0)
        wall = anuga.Reflective_boundary(domain)
        domain.set_boundary(dict.fromkeys(("left", "right", "top", "bottom"), wall))
        low, high = case.inlet_y
        across = case.cell_size
        region = anuga.Region(
            domain, polygon=[[0.0, low], [across, low], [across, high], [0.0, high]], expand_polygon=True
        )
        anuga.Inlet_operator(domain, region, Q=lambda t: float(np.interp(t, case.times, case.discharge)))
        near = [find_triangles(domain, x, y) for x, y in case.points]
        steps = 0
        times, depths = [], []
        with Meter() as meter:
            for time in domain.evolve(yieldstep=case.interval, finaltime=case.duration):
                steps += domain.number_of_steps
                stage = domain.quantities["stage"].centroid_values
                times.append(float(time))
                depths.append([float(stage[triangles].mean()) for triangles in near])
    stored = float((domain.quantities["stage"].centroid_values * domain.areas).sum())
    report_measured(
        meter,
        steps=steps,
        cell_steps=steps * len(domain.areas),
        mass_error=abs(stored - case.received) / case.received,
        times=times,
        depths=depths,
    )


def find_triangles(domain: "anuga.Domain", x: float, y: float) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the triangles whose centroids lie nearest to a point [m]: all that share its corner."""
    distance = np.hypot(*(domain.centroid_coordinates - np.array([x, y])).T)
    nearest: np.ndarray[tuple[int], np.dtype[np.int64]] = np.flatnonzero(distance < distance.min() * 1.01)
    return nearest


if __name__ == "__main__":
    main()
