"""Retention as SWMM's low impact development controls: green roofs, permeable pavement, rain gardens, rain barrels.

Layers are those of the LID editor of the EPA SWMM 5.2 User's Manual (appendix B.12) and its ranges of typical values;
Rossman and Huber 2016, SWMM Reference Manual III, chapter 6. Lengths in mm, rates in mm/h.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layers.errors import InputError
from layers.ingest.inp import Word
from layers.ingest.swmm.document import Inp
from twin.scenario import Measure

MM_PER_INCH = 25.4
US_UNITS = frozenset({"CFS", "GPM", "MGD"})

GARDEN_RATIO = 0.1
"""Area of a rain garden over that of the sealed ground that drains into it [1]."""

ROOF_PER_BARREL = 50.0
"""Roof that drains into one rain barrel [m2]."""

BARREL_AREA = 0.5
"""Base of a rain barrel [m2]; at 1200 mm it holds 0.6 m3."""


@dataclass(frozen=True, slots=True)
class Control:
    """A kind of control: SWMM's word, and its layers; ``lengths``: positions of mm and mm/h in each, from 0."""

    kind: str
    layers: Mapping[str, tuple[float, ...]]
    lengths: Mapping[str, tuple[int, ...]]


CONTROLS: Mapping[Measure, Control] = {
    "green_roof": Control(
        "GR",
        {
            "SURFACE": (10.0, 0.1, 0.15, 1.0, 5.0),
            "SOIL": (100.0, 0.5, 0.3, 0.1, 1000.0, 30.0, 60.0),
            "DRAINMAT": (25.0, 0.4, 0.02),
        },
        {"SURFACE": (0,), "SOIL": (0, 4, 6), "DRAINMAT": (0,)},
    ),
    "permeable_pavement": Control(
        "PP",
        {
            "SURFACE": (2.0, 0.0, 0.014, 1.0, 5.0),
            "PAVEMENT": (120.0, 0.2, 0.0, 250.0, 0.0),
            "STORAGE": (300.0, 0.6, 3.0, 0.0),
            "DRAIN": (0.0, 0.5, 0.0, 6.0),
        },
        {"SURFACE": (0,), "PAVEMENT": (0, 3), "STORAGE": (0, 2), "DRAIN": (2,)},
    ),
    "rain_garden": Control(
        "RG",
        {
            "SURFACE": (200.0, 0.1, 0.1, 1.0, 5.0),
            "SOIL": (600.0, 0.45, 0.2, 0.1, 50.0, 10.0, 90.0),
            "STORAGE": (0.0, 0.6, 3.0, 0.0),
        },
        {"SURFACE": (0,), "SOIL": (0, 4, 6), "STORAGE": (0, 2)},
    ),
    "rain_barrel": Control(
        "RB",
        {"STORAGE": (1200.0, 0.75, 0.0, 0.0), "DRAIN": (0.0, 0.5, 0.0, 6.0)},
        {"STORAGE": (0, 2), "DRAIN": (2,)},
    ),
}
"""Seepage of 3 mm/h is that of the delta's silty clay; barrels and stores under pavements stay full through a storm."""


def retain_rain(inp: Inp, measure: Measure, names: Iterable[str], share: float) -> None:
    """Put a measure on ``share`` [1] of the sealed ground of subcatchments, in place.

    Green roofs and permeable pavement take the place of that ground. A rain garden has ``GARDEN_RATIO`` of it and
    takes its runoff; a rain barrel stands for every ``ROOF_PER_BARREL`` of it. Sealed share and width of what is left
    are set anew, as SWMM means them without the control. Raises InputError for a share outside 0–1 and for a
    subcatchment without sealed ground.
    """
    if not 0.0 < share <= 1.0:
        raise InputError(f"share of sealed ground is {share:g}, expected above 0 and at most 1")
    us = inp.option("FLOW_UNITS", "CFS").upper() in US_UNITS
    control = _add_control(inp, measure, us=us)
    for name in names:
        _place(inp, name, measure, control, share, us=us)


def _add_control(inp: Inp, measure: Measure, *, us: bool) -> str:
    """Add the control under a name that is free and return the name."""
    name: str = measure
    number = 1
    while inp.find("LID_CONTROLS", name):
        number += 1
        name = f"{measure}_{number}"
    made = CONTROLS[measure]
    inp.add("LID_CONTROLS", (name, made.kind))
    for layer, values in made.layers.items():
        scaled = [
            value / MM_PER_INCH if us and k in made.lengths.get(layer, ()) else value for k, value in enumerate(values)
        ]
        inp.add("LID_CONTROLS", (name, layer, *scaled))
    return name


def _place(inp: Inp, name: str, measure: Measure, control: str, share: float, *, us: bool) -> None:
    row = inp.read("SUBCATCHMENTS", name)
    # Areas of subcatchments are in acres or hectares, those of controls in square feet or metres.
    unit, square_metre = (43560.0, 1.0 / 0.3048**2) if us else (10000.0, 1.0)
    area, sealed_share, width = row.read_number(3) * unit, row.read_number(4) / 100.0, row.read_number(5)
    sealed = area * sealed_share
    treated = sealed * share
    if treated <= 0.0:
        raise InputError(f"subcatchment '{name}' has no sealed ground for {measure}")
    number, from_sealed = 1, 0.0
    match measure:
        case "green_roof" | "permeable_pavement":
            taken, each = treated, treated
            sealed -= taken
        case "rain_garden":
            taken = each = treated * GARDEN_RATIO
            # A garden is dug where the ground is open; where there is not enough of it, sealed ground makes place.
            sealed -= max(taken - (area - sealed), 0.0)
            from_sealed = 100.0 * share
        case "rain_barrel":
            number, each = max(round(treated / (ROOF_PER_BARREL * square_metre)), 1), BARREL_AREA * square_metre
            taken = number * each
            sealed -= max(taken - (area - sealed), 0.0)
            from_sealed = 100.0 * share
    left = area - taken
    if left < 0.0:
        raise InputError(f"subcatchment '{name}' of {area / square_metre:.0f} m2 has no room for {measure}")
    remaining: dict[int, Word] = {
        4: 100.0 * min(max(sealed / left, 0.0), 1.0) if left > 0.0 else 0.0,
        5: width * left / area if left > 0.0 else width,
    }
    inp.replace("SUBCATCHMENTS", name, remaining)
    own_width = width * each / area
    inp.add("LID_USAGE", (name, control, number, each, own_width, 0.0, from_sealed, 0))
