"""An EPANET input file into the city: its objects as items of the layers, the rest as a document beside them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from layers.errors import InputError, SourceError
from layers.ingest.epanet.items import OBJECTS, describe_items
from layers.ingest.epanet.sections import read_epanet, read_units
from layers.ingest.swmm.anchor import Anchor, choose_anchor, open_anchor
from layers.ingest.swmm.document import Inp, write_document
from layers.store.migrate import read_city
from layers.store.models import read_model
from network.epanet.project import Project
from twin.models import check_size, choose_title, claim_name, keep_model, name_model, read_text


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: items of each layer, how many the file no longer has, what was assumed."""

    model: str
    title: str
    items: Mapping[str, int]
    removed: int
    counts: Mapping[str, int]


def import_model(
    connection: Connection,
    path: Path,
    *,
    model: str | None = None,
    crs: str | None = None,
    origin: tuple[float, float] | None = None,
    title: str | None = None,
    replace: bool = False,
    author: str = "twin water import",
) -> ImportReport:
    """Read a file into the layers and keep its document, all in the caller's transaction.

    model: its id, from the file's name where not given. Where its coordinates lie: ``crs``, or ``origin`` [lon, lat]
    for the middle of local ones; a model that is replaced keeps its place. EPANET opens the file first.

    Raise SourceError or InputError naming section and line of what is wrong, CrsError without a place, ConflictError
    where the id is taken and not ``replace``, TooLargeError above the limits.
    """
    name = model or name_model(path)
    known = claim_name(connection, name, "epanet", replace=replace)
    document = read_epanet(read_text(path))
    check_size(document, OBJECTS, path)
    verify_model(document)
    city_crs = f"EPSG:{read_city(connection).srid}"
    if known and crs is None and origin is None:
        anchor = open_anchor(read_model(connection, name, "epanet").anchor, city_crs)
    else:
        anchor = choose_place(document, city_crs, crs=crs, origin=origin)
    counts: Counter[str] = Counter()
    items = describe_items(document, name, anchor, counts)
    words = choose_title(document, name, title)
    removed = keep_model(
        connection, "epanet", name, document, items, sections=OBJECTS, main_layer="water_pipes", title=words,
        path=path, anchor=anchor, city_crs=city_crs, counts=counts, files={}, author=author,
    )  # fmt: skip
    return ImportReport(name, words, {layer: len(found) for layer, found in items.items()}, removed, dict(counts))


def choose_place(
    document: Inp, city_crs: str, *, crs: str | None = None, origin: tuple[float, float] | None = None
) -> Anchor:
    """Return how a model lies in the city: in a CRS, or around a place, its local coordinates in the file's length."""
    anchor = choose_anchor(document, city_crs, crs=crs, origin=origin)
    if "crs" in anchor.words:
        return anchor
    return open_anchor({**anchor.words, "scale": read_units(document).length}, city_crs)


def verify_model(document: Inp) -> None:
    """Let EPANET open a document; SourceError has its own words where it does not."""
    try:
        with Project(write_document(document)):
            pass
    except InputError as error:
        raise SourceError(f"EPANET does not open the model: {error.message}", hint=error.hint) from error
