"""An EPANET input file into the city: its objects as items of the layers, the rest as a document beside them."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from layers.errors import ConflictError, InputError, SourceError, TooLargeError
from layers.ingest.catalog import Source, Words
from layers.ingest.epanet.items import OBJECTS, describe_items, frame_items
from layers.ingest.epanet.sections import read_epanet, read_units
from layers.ingest.swmm.anchor import Anchor, choose_anchor, open_anchor
from layers.ingest.swmm.document import Inp, write_document
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import delete_features, select_features, upsert_features
from layers.store.migrate import read_city
from layers.store.models import LONGEST_ID, delete_model, list_models, read_model, store_model
from layers.store.sources import register_source
from network.epanet.project import Project
from twin.swmm.importing import name_model, read_text

_ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_ID - 1}}}")
MOST_OBJECTS = 500_000


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
    if not _ID.fullmatch(name):
        raise InputError(
            f"'{name[:60]}' cannot be the id of a model", hint=f"a–z, 0–9, - and _, at most {LONGEST_ID} signs"
        )
    taken = {one.id: one.kind for one in list_models(connection)}
    if taken.get(name, "epanet") != "epanet":
        raise ConflictError(f"model '{name}' is one of {taken[name]}", hint="give another --id")
    if name in taken and not replace:
        raise ConflictError(f"there is a model '{name}' already", hint="give another --id, or --replace")
    document = read_epanet(read_text(path))
    objects = sum(len(document.rows(section)) for sections in OBJECTS.values() for section in sections)
    if objects > MOST_OBJECTS:
        raise TooLargeError(f"{path.name} has {objects:,} objects, expected at most {MOST_OBJECTS:,}")
    verify_model(document)
    city_crs = f"EPSG:{read_city(connection).srid}"
    if name in taken and crs is None and origin is None:
        anchor = open_anchor(read_model(connection, name, "epanet").anchor, city_crs)
    else:
        anchor = choose_place(document, city_crs, crs=crs, origin=origin)
    counts: Counter[str] = Counter()
    items = describe_items(document, name, anchor, counts)
    words = title or (document.title.splitlines()[0][:200] if document.title else name)
    source = Source(
        id=f"epanet-{name}", uri=path.name, layer="water_pipes", title=Words(vi=words, en=words), licence="unknown",
        attribution="unknown",
    )  # fmt: skip
    begin_edit(connection, author=author, reason=path.name, kind="load", source=source.id, layers=OBJECTS)
    removed = 0
    for layer_id, found in items.items():
        layer = read_vector_layer(layer_id)
        gone = select_features(connection, layer, equals={"model_id": name}, columns=[])["id"]
        removed += delete_features(connection, layer, sorted(set(gone) - set(found)))
        if not found:
            continue
        counted = upsert_features(connection, layer, frame_items(found, layer_id, name, city_crs), source_id=source.id)
        if counted.foreign:
            raise ConflictError(f"layer '{layer_id}' has the item '{counted.foreign[0]}' of another source")
    text = write_document(document)
    store_model(
        connection, name, "epanet", text, title=words, source=path.name, anchor=anchor.words, facts=dict(counts),
        author=author, files={},
    )  # fmt: skip
    fed = tuple(layer_id for layer_id, found in items.items() if found)
    register_source(
        connection, source, uri=path.name, fingerprint=hashlib.sha256(text.encode()).hexdigest(), layers=fed
    )
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


def remove_model(connection: Connection, model: str, *, author: str = "twin water remove") -> int:
    """Remove a model with its items from the city and return how many items there were; NotFoundError names others."""
    record = read_model(connection, model, "epanet")
    begin_edit(connection, author=author, reason=f"remove model {model}", kind="load", layers=OBJECTS)
    removed = 0
    for layer_id in OBJECTS:
        layer = read_vector_layer(layer_id)
        ids = select_features(connection, layer, equals={"model_id": record.id}, columns=[])["id"].tolist()
        removed += delete_features(connection, layer, ids)
    delete_model(connection, record.id)
    return removed
