"""The compiled face kernel against the same equation in plain NumPy with powers and 64 bits."""

import numpy as np

from hydrology.kernels import limit_outflow, update_faces, update_stages


def test_face_kernel_equals_the_equation() -> None:
    rng = np.random.default_rng(7)
    n, dt, dx, g, dry = 1000, 1.3, 10.0, 9.80665, 1e-3
    bed_a, bed_b = rng.uniform(0, 3, n), rng.uniform(0, 3, n)
    before, after = bed_a + rng.exponential(0.7, n), bed_b + rng.exponential(0.7, n)
    before[:50] = bed_a[:50]
    crest = np.maximum(bed_a, bed_b)
    q, side_a, side_b = (rng.normal(0, 0.5, n + k).astype(np.float32) for k in (0, 1, 1))
    friction = (g * rng.uniform(0.0, 0.1, n) ** 2).astype(np.float32)
    out = np.empty(n, dtype=np.float32)
    update_faces(before, after, crest, friction, q, q, side_a, side_b, out, dt, dx, g, dry, 1.0)

    over = np.maximum(before, after) - crest
    h = np.maximum(over, dry)
    across = 0.25 * (side_a[:-1] + side_b[:-1] + side_a[1:] + side_b[1:])
    length = np.hypot(q, across)
    value = (q - g * h * dt * (after - before) / dx) / (1.0 + dt * friction * length / h ** (7.0 / 3.0))
    limit = h * np.sqrt(g * h)
    expected = np.where(over > dry, np.clip(value, -limit, limit), 0.0)
    assert np.allclose(out, expected, rtol=2e-5, atol=2e-6)
    assert (out == 0.0).any()
    assert (np.abs(expected) >= 0.999 * limit).any()


def test_limiter_empties_a_cell_but_takes_no_more() -> None:
    stage, bed, per = np.array([1.0, 1.1, 1.0]), np.ones(3), np.full(3, 0.1)
    west = np.array([0.0, -2.0, 3.0, 0.0], dtype=np.float32)
    north = np.zeros(3, dtype=np.float32)
    south = np.array([0.0, 1.0, 0.0], dtype=np.float32)
    after = np.empty(3)
    update_stages(stage, bed, per, west, north, south, 1.0, after)
    assert after[1] < bed[1]
    limit_outflow(stage, bed, per, after, west, north, south, 1.0)
    lowest, _ = update_stages(stage, bed, per, west, north, south, 1.0, after)
    assert lowest >= 0.0
    assert after[1] - 1.0 < 1e-6
    assert np.isclose(west[2] / west[1], -1.5)
