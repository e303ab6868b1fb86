"""Hydraulic models of the city, SWMM's or EPANET's: a document beside the layers, its objects as items of them."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection

from layers.errors import ConflictError, InputError, SourceError, TooLargeError
from layers.ingest.catalog import Source, Words
from layers.ingest.model_items import Items, frame_items
from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import LARGEST_TEXT, Inp, write_document
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import delete_features, select_features, upsert_features
from layers.store.models import LONGEST_ID, ModelKind, delete_model, list_models, read_model, store_model
from layers.store.sources import register_source

_ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_ID - 1}}}")
MOST_OBJECTS = 500_000
Sections = Mapping[str, tuple[str, ...]]
"""By layer, the sections whose objects are its items."""


def read_text(path: Path) -> str:
    """Return the text of an input file, whichever system wrote it; SourceError where it cannot be read."""
    try:
        size = path.stat().st_size
        if size > LARGEST_TEXT:
            raise TooLargeError(f"{path.name} has {size:,} bytes, expected at most {LARGEST_TEXT:,}")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror or error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # SWMM's own editor writes the signs of Windows; every byte is one of Latin-1.
        return data.decode("latin-1")


def name_model(path: Path) -> str:
    """Return an id for the model of a file, from its name."""
    plain = re.sub("[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:LONGEST_ID]
    return plain or "model"


def claim_name(connection: Connection, name: str, kind: ModelKind, *, replace: bool) -> bool:
    """Return whether there is a model ``name`` of this kind, to be replaced.

    InputError for a name that cannot be an id, ConflictError where it is taken: by the other kind, or not ``replace``.
    """
    if not _ID.fullmatch(name):
        raise InputError(
            f"'{name[:60]}' cannot be the id of a model", hint=f"a–z, 0–9, - and _, at most {LONGEST_ID} signs"
        )
    taken = {one.id: one.kind for one in list_models(connection)}
    if taken.get(name, kind) != kind:
        raise ConflictError(f"model '{name}' is one of {taken[name]}", hint="give another --id")
    if name in taken and not replace:
        raise ConflictError(f"there is a model '{name}' already", hint="give another --id, or --replace")
    return name in taken


def check_size(document: Inp, sections: Sections, path: Path) -> None:
    """Raise TooLargeError for a document with more objects than a city takes."""
    objects = sum(len(document.rows(section)) for listed in sections.values() for section in listed)
    if objects > MOST_OBJECTS:
        raise TooLargeError(f"{path.name} has {objects:,} objects, expected at most {MOST_OBJECTS:,}")


def choose_title(document: Inp, name: str, title: str | None) -> str:
    """Return the title that was given, else the first line of the document's own, else the model's id."""
    return title or (document.title.splitlines()[0][:200] if document.title else name)


def keep_model(
    connection: Connection,
    kind: ModelKind,
    name: str,
    document: Inp,
    items: Items,
    *,
    sections: Sections,
    main_layer: str,
    title: str,
    path: Path,
    anchor: Anchor,
    city_crs: str,
    counts: Mapping[str, int],
    files: Mapping[str, bytes],
    author: str,
) -> int:
    """Write the items of a model and keep its document, in the caller's transaction; return how many items went.

    As with every load, items edited by hand since stay as they were
    edited. ConflictError where an item belongs to another source.
    """
    source = Source(
        id=f"{kind}-{name}", uri=path.name, layer=main_layer, title=Words(vi=title, en=title), licence="unknown",
        attribution="unknown",
    )  # fmt: skip
    begin_edit(connection, author=author, reason=path.name, kind="load", source=source.id, layers=sections)
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
        connection, name, kind, text, title=title, source=path.name, anchor=anchor.words, facts=dict(counts),
        author=author, files=files,
    )  # fmt: skip
    fed = tuple(layer_id for layer_id, found in items.items() if found)
    register_source(
        connection, source, uri=path.name, fingerprint=hashlib.sha256(text.encode()).hexdigest(), layers=fed
    )
    return removed


def remove_model(connection: Connection, kind: ModelKind, name: str, sections: Sections, *, author: str) -> int:
    """Remove a model with its items from the city and return how many items there were; NotFoundError names others."""
    record = read_model(connection, name, kind)
    # No edit by hand: those keep a later import from bringing items back.
    begin_edit(connection, author=author, reason=f"remove model {name}", kind="load", layers=sections)
    removed = 0
    for layer_id in sections:
        layer = read_vector_layer(layer_id)
        ids = select_features(connection, layer, equals={"model_id": record.id}, columns=[])["id"].tolist()
        removed += delete_features(connection, layer, ids)
    delete_model(connection, record.id)
    return removed
