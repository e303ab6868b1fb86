"""The compiled face kernel against the same equation in plain NumPy with powers and 64 bits."""

import numpy as np

from hydrology.kernels import update_faces


def test_face_kernel_equals_the_equation() -> None:
    rng = np.random.default_rng(7)
    n, dt, dx, g, dry = 1000, 1.3, 10.0, 9.80665, 1e-3
    bed_a, bed_b = rng.uniform(0, 3, n), rng.uniform(0, 3, n)
    before, after = bed_a + rng.exponential(0.7, n), bed_b + rng.exponential(0.7, n)
    before[:50] = bed_a[:50]
    q, side_a, side_b = (rng.normal(0, 0.5, n + k).astype(np.float32) for k in (0, 1, 1))
    friction = (g * rng.uniform(0.0, 0.1, n) ** 2).astype(np.float32)
    crest = np.maximum(bed_a, bed_b).astype(np.float32)
    out = q.copy()
    scalars = (np.float32(value) for value in (g * dt / dx, dt, dry, g**0.5))
    update_faces(before, after, crest, friction, q, side_a, side_b, out, *scalars)

    over = np.maximum(before, after) - crest
    h = np.maximum(over, dry)
    across = 0.25 * (side_a[:-1] + side_b[:-1] + side_a[1:] + side_b[1:])
    length = np.hypot(q, across)
    value = (q - g * h * dt * (after - before) / dx) / (1.0 + dt * friction * length / h ** (7.0 / 3.0))
    limit = h * np.sqrt(g * h)
    expected = np.where(over > dry, np.clip(value, -limit, limit), 0.0)
    assert np.allclose(out, expected, rtol=1e-4, atol=2e-6)
    assert (out == 0.0).any()
    assert (np.abs(expected) >= 0.999 * limit).any()
