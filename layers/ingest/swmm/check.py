"""What a SWMM document must keep so that SWMM opens it: one object a name, and no name without its object."""

from collections.abc import Iterable

from layers.errors import SourceError
from layers.ingest.swmm.document import Inp, Row, fold_name
from layers.ingest.swmm.sections import LINKS, NODES

_LINK_WORDS = frozenset({"LINK", "CONDUIT", "PUMP", "ORIFICE", "WEIR", "OUTLET"})
_CLAUSES = frozenset({"IF", "AND", "OR", "THEN", "ELSE"})


def check_document(document: Inp) -> None:
    """Raise SourceError naming section and line of the first thing that SWMM would refuse by its names.

    A name that stands twice, a link, catchment or rule that names what is not there, a link without cross-section.
    """
    nodes = _collect(document, NODES)
    links = _collect(document, LINKS)
    catchments = _collect(document, ("SUBCATCHMENTS",))
    gauges = _collect(document, ("RAINGAGES",))
    for section in LINKS:
        for row in document.rows(section):
            if len(row.words) < 3:
                raise SourceError(f"{row.place} has {len(row.words)} words, expected a link's name and its two nodes")
            for node in row.words[1:3]:
                _refuse_missing(row, "node", node, nodes)
    for section in ("CONDUITS", "ORIFICES", "WEIRS"):
        for row in document.rows(section):
            if not document.find("XSECTIONS", row.words[0]):
                raise SourceError(f"{row.place}: link '{row.words[0]}' has no row in [XSECTIONS]")
    for row in document.rows("XSECTIONS"):
        _refuse_missing(row, "link", row.words[0], links)
    for row in document.rows("DIVIDERS"):
        if len(row.words) > 2 and row.words[2] != "*":
            _refuse_missing(row, "link", row.words[2], links)
    for row in document.rows("SUBCATCHMENTS"):
        if len(row.words) < 7:
            raise SourceError(f"{row.place} has {len(row.words)} words, expected at least 7 of a subcatchment")
        if row.words[1] != "*":
            _refuse_missing(row, "rain gauge", row.words[1], gauges)
        _refuse_missing(row, "node or subcatchment", row.words[2], {**catchments, **nodes})
        if fold_name(row.words[2]) in catchments and fold_name(row.words[2]) in nodes and row.words[2] != row.words[0]:
            raise SourceError(f"{row.place}: the outlet '{row.words[2]}' is a node and a subcatchment, expected one")
    for section, kind, known in (
        ("INFLOWS", "node", nodes),
        ("DWF", "node", nodes),
        ("RDII", "node", nodes),
        ("TREATMENT", "node", nodes),
        ("LOSSES", "link", links),
        ("INLET_USAGE", "link", links),
        ("SUBAREAS", "subcatchment", catchments),
        ("INFILTRATION", "subcatchment", catchments),
        ("LID_USAGE", "subcatchment", catchments),
        ("COVERAGES", "subcatchment", catchments),
        ("LOADINGS", "subcatchment", catchments),
        ("GROUNDWATER", "subcatchment", catchments),
    ):
        for row in document.rows(section):
            _refuse_missing(row, kind, row.words[0], known)
    _check_rules(document, nodes, links, gauges)


def _check_rules(document: Inp, nodes: dict[str, Row], links: dict[str, Row], gauges: dict[str, Row]) -> None:
    """Refuse a control rule that names an object which is not there; variables and expressions name none."""
    for row in document.rows("CONTROLS"):
        words = [word.upper() for word in row.words]
        if len(words) < 3 or words[0] not in _CLAUSES:
            continue
        if words[1] == "NODE":
            _refuse_missing(row, "node", row.words[2], nodes)
        elif words[1] in _LINK_WORDS:
            _refuse_missing(row, "link", row.words[2], links)
        elif words[1] == "GAGE":
            _refuse_missing(row, "rain gauge", row.words[2], gauges)


def _collect(document: Inp, sections: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for section in sections:
        for row in document.rows(section):
            first = found.setdefault(fold_name(row.words[0]), row)
            if first is not row:
                raise SourceError(f"{row.place}: '{row.words[0]}' is there already, at {first.place}")
    return found


def _refuse_missing(row: Row, kind: str, name: str, known: dict[str, Row]) -> None:
    if fold_name(name) not in known:
        raise SourceError(f"{row.place} names the {kind} '{name[:60]}', which is not there")
