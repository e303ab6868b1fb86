"""Blocked conduits and gates: a share of the section lost to sediment, roots or what stands in it."""

from collections.abc import Iterable

import numpy as np

from layers.errors import InputError, NotFoundError
from layers.ingest.swmm.document import Inp, Row

FROM_BELOW = frozenset({"RECT_CLOSED", "RECT_OPEN"})
"""Sections that sediment fills from the bed: the height shrinks and the bed rises."""

EVENLY = {
    "TRAPEZOIDAL": 2, "TRIANGULAR": 2, "PARABOLIC": 2, "POWER": 2, "RECT_TRIANGULAR": 3, "RECT_ROUND": 3,
    "MODBASKETHANDLE": 3, "HORIZ_ELLIPSE": 2, "VERT_ELLIPSE": 2, "ARCH": 2, "EGG": 1, "HORSESHOE": 1, "GOTHIC": 1,
    "CATENARY": 1, "SEMIELLIPTICAL": 1, "BASKETHANDLE": 1, "SEMICIRCULAR": 1, "FORCE_MAIN": 1, "CUSTOM": 1,
}  # fmt: skip
"""Sections that shrink in both directions, with how many of their dimensions are lengths."""

_CODED = frozenset({"HORIZ_ELLIPSE", "VERT_ELLIPSE", "ARCH"})
_NODE_SECTIONS = ("JUNCTIONS", "OUTFALLS", "STORAGE", "DIVIDERS")


def block_links(inp: Inp, names: Iterable[str], share: float) -> None:
    """Take ``share`` [1] of the section of conduits and orifices, in place.

    Round pipes become SWMM's FILLED_CIRCULAR, sediment lying on their bed; boxes lose height from the bed; other shapes
    shrink evenly, height and width by the root. Raises InputError for a share outside 0–0.99 and for a link that has
    no such section (pump, weir, outlet, irregular channel), NotFoundError for one that is not in the model.
    """
    if not 0.0 < share <= 0.99:
        raise InputError(f"blocked share is {share:g}, expected above 0 and at most 0.99")
    for name in names:
        kind = find_link_kind(inp, name)
        if kind not in ("CONDUITS", "ORIFICES"):
            raise InputError(f"link '{name}' is one of [{kind}], expected a conduit or orifice to block")
        _block(inp, name, kind, share)


def find_link_kind(inp: Inp, name: str) -> str:
    """Return the section of a link; NotFoundError where the model has no such link."""
    for kind in ("CONDUITS", "ORIFICES", "PUMPS", "WEIRS", "OUTLETS"):
        if inp.find(kind, name):
            return kind
    raise NotFoundError(f"link '{name}' is not in the model", hint="give names of its conduits")


def can_block(inp: Inp, name: str) -> bool:
    """Return whether a link has a section that can lose a share."""
    rows = inp.find("XSECTIONS", name)
    if not rows or not (inp.find("CONDUITS", name) or inp.find("ORIFICES", name)):
        return False
    shape = rows[0].words[1].upper()
    return shape in {"CIRCULAR", "FILLED_CIRCULAR", *FROM_BELOW, *EVENLY} and not _is_coded(rows[0])


def _block(inp: Inp, name: str, kind: str, share: float) -> None:
    row = inp.read("XSECTIONS", name)
    shape = row.words[1].upper()
    if shape == "CIRCULAR" and kind == "CONDUITS":
        diameter = row.read_number(2)
        inp.replace("XSECTIONS", name, {1: "FILLED_CIRCULAR", 3: find_fill(diameter, share)})
    elif shape == "FILLED_CIRCULAR":
        diameter, filled = row.read_number(2), row.read_number(3, 0.0)
        before = measure_segment(filled / diameter)
        inp.replace("XSECTIONS", name, {3: find_fill(diameter, before + share * (1.0 - before))})
    elif shape == "CIRCULAR":
        inp.replace("XSECTIONS", name, {2: row.read_number(2) * np.sqrt(1.0 - share)})
    elif shape in FROM_BELOW:
        height = row.read_number(2)
        inp.replace("XSECTIONS", name, {2: height * (1.0 - share)})
        _raise_bed(inp, name, kind, height * share)
    elif shape in EVENLY and not _is_coded(row):
        factor = np.sqrt(1.0 - share)
        inp.replace("XSECTIONS", name, {2 + k: row.read_number(2 + k) * factor for k in range(EVENLY[shape])})
    else:
        raise InputError(
            f"link '{name}' has a section {shape} of a table, expected one of given height and width to block"
        )


def _is_coded(row: Row) -> bool:
    """Return whether the dimensions are a number of a standard size."""
    return row.words[1].upper() in _CODED and row.read_number(3, 0.0) <= 0.0


def _raise_bed(inp: Inp, name: str, kind: str, metres: float) -> None:
    """Raise the offsets of a conduit's ends, or of an orifice, in the model's unit of length."""
    elevations = inp.option("LINK_OFFSETS", "DEPTH").upper() == "ELEVATION"
    row = inp.read(kind, name)
    positions = (5, 6) if kind == "CONDUITS" else (4,)
    ends = {5: row.words[1], 6: row.words[2], 4: row.words[1]}
    for position in positions:
        at_node = read_invert(inp, ends[position]) if elevations else 0.0
        inp.replace(kind, name, {position: row.read_number(position, at_node) + metres})


def read_invert(inp: Inp, node: str) -> float:
    """Return the invert of a node as the model writes it; NotFoundError where there is no such node."""
    for section in _NODE_SECTIONS:
        rows = inp.find(section, node)
        if rows:
            return rows[0].read_number(1, 0.0)
    raise NotFoundError(f"node '{node}' is not in the model")


def measure_segment(depth: float) -> float:
    """Return the share of a circle's area below a ``depth`` given as share of its diameter [1]."""
    angle = 2.0 * np.arccos(1.0 - 2.0 * min(max(depth, 0.0), 1.0))
    return float((angle - np.sin(angle)) / (2.0 * np.pi))


def find_fill(diameter: float, share: float) -> float:
    """Return the depth of sediment that takes ``share`` [1] of a round pipe, in the unit of its ``diameter``."""
    low, high = 0.0, 1.0
    # Fifty halvings: exact to the last digit that a file holds.
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if measure_segment(middle) < share else (low, middle)
    return diameter * 0.5 * (low + high)
