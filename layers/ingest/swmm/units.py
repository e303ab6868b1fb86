"""The units of a SWMM input file: what one of its own is in SI."""

from typing import Literal, NamedTuple

from layers.errors import SourceError
from layers.ingest.swmm.document import Inp
from layers.quantities import conversion_factor

Measure = Literal["none", "length", "area", "percent", "flow", "hours"]

FLOW_UNITS = {"CFS": "ft3/s", "GPM": "gal/min", "MGD": "MGD", "CMS": "m3/s", "LPS": "l/s", "MLD": ""}
_METRIC = ("CMS", "LPS", "MLD")


class Units(NamedTuple):
    """Metres in one unit of length, square metres in one of a catchment's area, m3/s in one of flow."""

    length: float
    area: float
    flow: float

    def factor(self, measure: Measure) -> float:
        """Return what a word of ``measure`` is multiplied by to be in SI."""
        factors = {
            "none": 1.0, "percent": 0.01, "hours": 3600.0, "length": self.length, "area": self.area, "flow": self.flow,
        }  # fmt: skip
        return factors[measure]


def read_units(document: Inp) -> Units:
    """Return the units of a file; SourceError where its flow unit is none of SWMM's."""
    # Without the option SWMM takes CFS.
    unit = document.option("FLOW_UNITS", "CFS").upper()
    if unit not in FLOW_UNITS:
        raise SourceError(f"[OPTIONS] FLOW_UNITS is '{unit[:20]}', expected one of {', '.join(FLOW_UNITS)}")
    flow = conversion_factor(FLOW_UNITS[unit], "m3/s") if FLOW_UNITS[unit] else 1000.0 / 86400.0
    if unit in _METRIC:
        return Units(1.0, conversion_factor("ha", "m2"), flow)
    return Units(conversion_factor("ft", "m"), conversion_factor("acre", "m2"), flow)
