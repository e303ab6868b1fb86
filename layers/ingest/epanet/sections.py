"""The sections of an EPANET 2.3 input file, and its units."""

from dataclasses import dataclass

from layers.errors import SourceError
from layers.ingest.swmm.document import Inp, read_inp
from layers.quantities import conversion_factor

# OWA-EPANET 2.3, text.h: a section is known by how its name begins, whatever the case.
_BEGINNINGS = {
    "TITL": "TITLE", "JUNC": "JUNCTIONS", "RESE": "RESERVOIRS", "TANK": "TANKS", "PIPE": "PIPES", "PUMP": "PUMPS",
    "VALV": "VALVES", "CONT": "CONTROLS", "RULE": "RULES", "DEMA": "DEMANDS", "SOUR": "SOURCES", "EMIT": "EMITTERS",
    "PATT": "PATTERNS", "CURV": "CURVES", "QUAL": "QUALITY", "STAT": "STATUS", "ROUG": "ROUGHNESS", "ENER": "ENERGY",
    "REAC": "REACTIONS", "MIXI": "MIXING", "REPO": "REPORT", "TIME": "TIMES", "OPTI": "OPTIONS",
    "COOR": "COORDINATES", "VERT": "VERTICES", "LABE": "LABELS", "BACK": "BACKDROP", "TAGS": "TAGS", "LEAK": "LEAKAGE",
    "END": "END",
}  # fmt: skip

SECTIONS = tuple(_BEGINNINGS.values())
NODES = ("JUNCTIONS", "RESERVOIRS", "TANKS")
LINKS = ("PIPES", "PUMPS", "VALVES")

FLOW_UNITS = {
    "CFS": conversion_factor("ft3/s", "m3/d"), "GPM": conversion_factor("gal/min", "m3/d"), "MGD": 3785.411784,
    "IMGD": 4546.09, "AFD": 43560.0 * 0.3048**3, "LPS": conversion_factor("l/s", "m3/d"),
    "LPM": conversion_factor("l/min", "m3/d"), "MLD": 1000.0, "CMH": 24.0, "CMD": 1.0, "CMS": 86400.0,
}  # fmt: skip
"""m3/d in one flow unit of EPANET."""

_METRIC = frozenset({"LPS", "LPM", "MLD", "CMH", "CMD", "CMS"})
_FOOT = 0.3048
# EPANET types.h: psi, kPa and bar of a foot of water.
_PRESSURES = {
    "PSI": _FOOT / 0.4333, "KPA": _FOOT / (0.4333 * 6.895), "METERS": 1.0, "BAR": _FOOT / (0.4333 * 0.06895),
    "FEET": _FOOT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Units:
    """What one unit of the file is in the layers: flow [m3/d], length [m], diameter [m], pressure [m], power [W]."""

    flow: float
    length: float
    diameter: float
    pressure: float
    power: float


def read_epanet(text: str) -> Inp:
    """Return the document of an EPANET file's text; errors as of layers.ingest.swmm.document.read_inp."""
    try:
        return read_inp(text, find=find_section)
    except SourceError as error:
        hint = "is it an EPANET input file (.inp)?" if "SWMM" in (error.hint or "") else error.hint
        raise SourceError(error.message, hint=hint) from error


def find_section(word: str, line: int | None = None) -> str:
    """Return the name of the section that ``word`` (without brackets) begins; SourceError where EPANET knows none."""
    upper = word.strip().upper()
    for beginning, name in _BEGINNINGS.items():
        if upper.startswith(beginning):
            return name
    place = "" if line is None else f"line {line}: "
    raise SourceError(f"{place}section [{word[:40]}] is not one of EPANET 2.3", hint=f"there are {', '.join(SECTIONS)}")


def read_units(document: Inp) -> Units:
    """Return the units of a document; GPM where it names none. SourceError for an unknown one."""
    flow = document.option("UNITS", "GPM").upper()
    if flow == "SI":
        flow = "LPS"
    if flow not in FLOW_UNITS:
        raise SourceError(f"the unit '{flow[:20]}' is not one of EPANET", hint=f"there are {', '.join(FLOW_UNITS)}")
    metric = flow in _METRIC
    said = document.option("PRESSURE", "METERS" if metric else "PSI").upper()
    # A metric file that says nothing, or EPANET's own PSI, has metres.
    pressure = "METERS" if metric and said == "PSI" else said if said in _PRESSURES else "METERS" if metric else "PSI"
    return Units(
        FLOW_UNITS[flow], 1.0 if metric else _FOOT, 1.0e-3 if metric else _FOOT / 12.0, _PRESSURES[pressure],
        1000.0 if metric else conversion_factor("HP", "W"),
    )  # fmt: skip
