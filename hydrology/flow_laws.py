"""How much flows over, under and through a structure at two stages: one law a function, scalars in and out [m3/s].

Every law takes the water above its own datum on the upper and the lower side (upper >= lower) and returns the discharge
from the upper to the lower side, 0 or more. All are continuous in both levels and 0 where the levels are equal.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row

GRAVITY = 9.80665

WEIR_COEFFICIENT = 1.7
"""C of a broad crest [m^0.5/s]: (2/3)^1.5 g^0.5 = 1.705 for critical flow over it, rounded as handbooks do."""

SECTION_NODES = 65
"""Depths from empty to full at which the area and R^(4/3) of a barrel are tabulated."""

RATING_NODES = 129
"""Headwater depths up to submergence at which a culvert's inlet control is tabulated."""

FEET = 1.811
"""Ku of HDS-5: its constants were fitted in feet."""


@compile_row
def compute_weir(upper: float, lower: float, coefficient: float, width: float) -> float:
    """Return Q = C b H1^1.5 (1 − (H2/H1)^1.5)^0.385 of a crest of ``width`` b [m] [m3/s].

    upper, lower: water above the crest H1, H2 [m]. coefficient: C [m^0.5/s]. Submergence: Villemonte 1947, Submerged
    weir discharge studies, Engineering News-Record 139(26), 54-57.
    """
    if upper <= 0.0:
        return 0.0
    free = coefficient * width * upper * math.sqrt(upper)
    if lower <= 0.0:
        return free
    ratio = lower / upper
    left = 1.0 - ratio * math.sqrt(ratio)
    return free * left**0.385 if left > 0.0 else 0.0


@compile_row
def compute_underflow(upper: float, lower: float, opening: float, contraction: float, width: float) -> float:
    """Return the discharge under a sluice gate whose lip is ``opening`` a [m] above the sill [m3/s].

    upper, lower: depths on the sill y1, y2 [m]. Energy from y1 to the jet hc = contraction × a gives
    q² = 2 g hc² (y1 − h3) / (1 − (hc/y1)²), with h3 = hc where the jump stays away. Where it drowns the jet, momentum
    from h3 over the jet to y2, h3² = y2² − (2 q²/g) (1/hc − 1/y2), closes a quadratic in h3. Henderson 1966, Open
    Channel Flow, section 6.5, eq. 6-21 to 6-26; contraction 0.61 there.
    """
    jet = contraction * opening
    if jet <= 0.0 or upper <= jet:
        return 0.0
    ratio = jet / upper
    rest = 1.0 - ratio * ratio
    back = jet
    if lower > jet:
        a = 4.0 * jet * (1.0 - jet / lower) / rest
        inside = a * a + 4.0 * (lower * lower - a * upper)
        if inside > 0.0:
            back = max(jet, 0.5 * (a + math.sqrt(inside)))
    return width * jet * math.sqrt(2.0 * GRAVITY * max(upper - back, 0.0) / rest)


@compile_row
def compute_gate(
    upper: float, lower: float, opening: float, contraction: float, coefficient: float, width: float
) -> float:
    """Return the discharge through a sluice [m3/s]: a weir over its sill until the lip lets less pass.

    upper, lower: depths on the sill [m]. opening: lip above the sill now [m]. See compute_weir and compute_underflow.
    """
    if opening <= 0.0:
        return 0.0
    over = compute_weir(upper, lower, coefficient, width)
    if upper <= opening:
        return over
    return min(over, compute_underflow(upper, lower, opening, contraction, width))


@compile_row
def compute_orifice(upper: float, lower: float, area: float, height: float, coefficient: float) -> float:
    """Return Q = Cd A (2 g Δh)^0.5 of an opening [m3/s].

    upper, lower: water above its invert [m]. area: A [m2], of ``height`` [m]. coefficient: Cd [1]. Δh is taken to the
    centre of the wetted height where the lower side is below it, and A shrinks with the wetted height where the
    opening is not full, so that a part-full one is a weir ∝ H^1.5 (Rossman 2017, SWMM Reference Manual II,
    EPA/600/R-17/111, section 6.2.1).
    """
    if upper <= 0.0:
        return 0.0
    wet = min(upper, height)
    head = upper - max(lower, 0.5 * wet)
    return coefficient * area * (wet / height) * math.sqrt(2.0 * GRAVITY * head) if head > 0.0 else 0.0


@compile_row
def compute_pump(lift: float, heads: NDArray[np.float64], discharges: NDArray[np.float64], lo: int, hi: int) -> float:
    """Return the discharge of a pump against ``lift`` [m] by entries [lo, hi) of all curves [m], [m3/s]."""
    if lift <= heads[lo]:
        return float(discharges[lo])
    for k in range(lo + 1, hi):
        if lift <= heads[k]:
            share = (lift - heads[k - 1]) / (heads[k] - heads[k - 1])
            return float(discharges[k - 1] + share * (discharges[k] - discharges[k - 1]))
    return 0.0


@compile_row
def read_table(table: NDArray[np.float64], start: int, nodes: int, place: float) -> float:
    """Return the value at ``place`` [0, 1] of ``nodes`` evenly spaced values from ``start`` on, linear between."""
    x = min(max(place, 0.0), 1.0) * (nodes - 1)
    k = min(int(x), nodes - 2)
    return float(table[start + k] + (x - k) * (table[start + k + 1] - table[start + k]))


@compile_row
def compute_inlet(
    headwater: float, rise: float, full: float, limit: float, c: float, y: float, table: NDArray[np.float64], start: int
) -> float:
    """Return the discharge of one barrel under inlet control [m3/s].

    headwater: water above the invert [m]. rise: height of the barrel D [m]. full: A D^0.5 / Ku. limit: headwater/D
    from which c and y of the submerged equation hold, HW/D = c (Ku Q/(A D^0.5))² + Y; below, by tabulate_inlet.
    """
    ratio = headwater / rise
    if ratio >= limit:
        return full * math.sqrt((ratio - y) / c)
    return full * read_table(table, start, RATING_NODES, ratio / limit)


@compile_row
def compute_barrel(
    upper: float,
    lower: float,
    drop: float,
    rise: float,
    most: float,
    box: bool,
    critical: float,
    friction: float,
    entrance: float,
    leaving: float,
    table: NDArray[np.float64],
    start: int,
) -> float:
    """Return the discharge that energy drives through one barrel [m3/s], at most ``most``.

    upper, lower: water above the inverts of the upper and the lower end [m]. drop: fall from the first to the second
    [m]. rise: height of the barrel [m]. The head H = upper + drop − y pays for the loss at the entrance and by friction
    in the mean section, and for the velocity head at the outlet, where the depth y is the lower water's or, if that is
    lower, the critical one: H = Q²/2g (Ke/Am² + Ko/Ay² + 2 g n² L / (Am² Rm^(4/3))). Where both ends are submerged this
    is the full-pipe equation of HDS-5 (3.6). friction: 2 g n² L; entrance, leaving: Ke, Ko; critical: factor of the
    critical depth, of Q^(2/3) in a box and of Q^(1/2) in a circle (Straub 1978); table: areas [m2] from ``start`` on,
    then R^(4/3), of tabulate_section.

    Simplification: one section stands for the whole barrel in place of a backwater curve. Where a barrel that falls is
    drawn down at its outlet, that is the part from the depth at the inlet to the critical one; the rest flows
    uniformly. Two rounds find the critical depth. Within 20 % of a backwater computation, 1 % where both ends are
    submerged.
    """
    head = upper + drop
    if upper <= 0.0 or head <= lower or head <= 0.0:
        return 0.0
    flow, depth_in = most, min(upper, rise)
    outlet, highest = 0.0, 0.75 * min(upper, head)
    for k in range(2):
        edge = min(critical * (np.cbrt(flow * flow) if box else math.sqrt(flow)), highest)
        outlet = edge if k == 0 else 0.5 * (outlet + edge)
        end = max(lower, outlet)
        mean = 0.5 * (depth_in + min(end, rise)) / rise
        area_m = read_table(table, start, SECTION_NODES, mean)
        area_o = read_table(table, start, SECTION_NODES, end / rise)
        radius = read_table(table, start + SECTION_NODES, SECTION_NODES, mean)
        share = 1.0
        if drop > 0.0 and outlet > lower:
            share = min(max((upper - end) / drop, 0.0), 1.0)
        spent = leaving / (area_o * area_o) + (entrance + share * friction / radius) / (area_m * area_m)
        flow = min(math.sqrt(2.0 * GRAVITY * max(upper + share * drop - end, 0.0) / spent), most)
        if lower >= edge:
            break
    return flow


def measure_section(
    depth: NDArray[np.float64], *, diameter: float | None, width: float, height: float
) -> NDArray[np.float64]:
    """Return area [m2], hydraulic radius [m] and top width [m] of a barrel at depths [m] (n,), as (3, n).

    The last tenth of a box's height wets its roof little by little: a roof wetted at once would let the discharge jump.
    """
    if diameter is not None:
        angle = 2.0 * np.arccos(np.clip(1.0 - 2.0 * depth / diameter, -1.0, 1.0))
        area, wetted = diameter**2 / 8.0 * (angle - np.sin(angle)), 0.5 * diameter * angle
        top = diameter * np.sin(0.5 * angle)
    else:
        area, top = width * depth, np.full_like(depth, width)
        wetted = width + 2.0 * depth + width * np.clip(10.0 * depth / height - 9.0, 0.0, 1.0)
    return np.stack([area, np.divide(area, wetted, out=np.zeros_like(area), where=wetted > 0.0), top])


def tabulate_section(*, diameter: float | None, width: float, height: float) -> NDArray[np.float64]:
    """Return the areas [m2], then R^(4/3), at SECTION_NODES depths from empty to full; never 0, to be divided by."""
    area, radius, _ = measure_section(
        np.linspace(0.0, height, SECTION_NODES), diameter=diameter, width=width, height=height
    )
    return np.concatenate([np.maximum(area, 1.0e-9), np.maximum(radius, 1.0e-6) ** (4.0 / 3.0)])


def tabulate_inlet(
    k: float, m: float, c: float, y: float, *, diameter: float | None, width: float, height: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the headwater/D of submergence and X = Ku Q/(A D^0.5) at RATING_NODES headwaters up to it.

    Unsubmerged, X <= 3.5: HW/D = Hc/D + K X^M, with Hc the specific energy of critical flow (HDS-5 eq. A.1, form 1);
    submerged, X >= 4: HW/D = c X² + Y (eq. A.3); a straight line between. Simplification: the small terms of the
    barrel's slope (−0.5 S, or 0.7 S where mitered) are left out, so that one table serves both directions.
    """
    depth = np.linspace(0.0, 0.999, 2000)[1:] * height
    area, _, top = measure_section(depth, diameter=diameter, width=width, height=height)
    full = math.pi * diameter**2 / 4.0 if diameter is not None else width * height
    x = np.append(0.0, FEET * np.sqrt(GRAVITY * area**3 / top) / (full * math.sqrt(height)))
    ratio = np.append(0.0, (depth + 0.5 * area / top) / height) + k * x**m
    limit = 16.0 * c + y
    free = x < 3.5
    ratio = np.concatenate([ratio[free], [np.interp(3.5, x, ratio), limit]])
    x = np.concatenate([x[free], [3.5, 4.0]])
    ratio = np.minimum(np.maximum.accumulate(ratio), limit)
    return limit, np.interp(np.linspace(0.0, limit, RATING_NODES), ratio, x)
