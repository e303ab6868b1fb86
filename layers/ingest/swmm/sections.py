"""The sections of a SWMM 5.2 input file by the words that SWMM knows them by."""

from layers.errors import SourceError

# EPA SWMM 5.2, keywords.c and text.h: a section is known by how its name begins, whatever the case.
_BEGINNINGS = {
    "TITLE": "TITLE", "OPTION": "OPTIONS", "FILE": "FILES", "RAINGAGE": "RAINGAGES", "TEMPERATURE": "TEMPERATURE",
    "EVAP": "EVAPORATION", "SUBCATCHMENT": "SUBCATCHMENTS", "SUBAREA": "SUBAREAS", "INFIL": "INFILTRATION",
    "AQUIFER": "AQUIFERS", "GROUNDWATER": "GROUNDWATER", "SNOWPACK": "SNOWPACKS", "JUNC": "JUNCTIONS",
    "OUTFALL": "OUTFALLS", "STORAGE": "STORAGE", "DIVIDER": "DIVIDERS", "CONDUIT": "CONDUITS", "PUMP": "PUMPS",
    "ORIFICE": "ORIFICES", "WEIR": "WEIRS", "OUTLET": "OUTLETS", "XSECT": "XSECTIONS", "TRANSECT": "TRANSECTS",
    "LOSS": "LOSSES", "CONTROL": "CONTROLS", "POLLUT": "POLLUTANTS", "LANDUSE": "LANDUSES", "BUILDUP": "BUILDUP",
    "WASHOFF": "WASHOFF", "COVERAGE": "COVERAGES", "INFLOW": "INFLOWS", "DWF": "DWF", "PATTERN": "PATTERNS",
    "RDII": "RDII", "HYDROGRAPH": "HYDROGRAPHS", "LOADING": "LOADINGS", "TREATMENT": "TREATMENT", "CURVE": "CURVES",
    "TIMESERIES": "TIMESERIES", "REPORT": "REPORT", "COORDINATE": "COORDINATES", "VERTICES": "VERTICES",
    "POLYGON": "POLYGONS", "LABEL": "LABELS", "SYMBOL": "SYMBOLS", "BACKDROP": "BACKDROP", "TAG": "TAGS",
    "PROFILE": "PROFILES", "MAP": "MAP", "LID_CONTROL": "LID_CONTROLS", "LID_USAGE": "LID_USAGE", "GWF": "GWF",
    "ADJUSTMENT": "ADJUSTMENTS", "EVENT": "EVENTS", "STREET": "STREETS", "INLET_USAGE": "INLET_USAGE",
    "INLET": "INLETS",
}  # fmt: skip

SECTIONS = tuple(_BEGINNINGS.values())
"""The names of all sections, in the order in which SWMM's own editor writes most of them."""

NODES = ("JUNCTIONS", "OUTFALLS", "DIVIDERS", "STORAGE")
LINKS = ("CONDUITS", "PUMPS", "ORIFICES", "WEIRS", "OUTLETS")


def find_section(word: str, line: int | None = None) -> str:
    """Return the name of the section that ``word`` (without brackets) begins; SourceError where SWMM knows none."""
    upper = word.strip().upper()
    for beginning, name in _BEGINNINGS.items():
        if upper.startswith(beginning):
            return name
    place = "" if line is None else f"line {line}: "
    raise SourceError(
        f"{place}section [{word[:40]}] is not one of SWMM 5.2", hint=f"remove it; there are {', '.join(SECTIONS)}"
    )
