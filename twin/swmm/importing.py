"""A SWMM input file into the city: its objects as items of the layers, the rest as a document beside them."""

import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from hydrology.drainage_process import DrainageProcess
from layers.errors import ConflictError, InputError, SourceError, TooLargeError
from layers.ingest.catalog import Source, Words
from layers.ingest.swmm.anchor import choose_anchor, open_anchor
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import LARGEST_TEXT, Inp, read_inp, write_document
from layers.ingest.swmm.fields import OBJECTS
from layers.ingest.swmm.files import confine_files, read_beside
from layers.ingest.swmm.items import describe_items, frame_items
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import delete_features, select_features, upsert_features
from layers.store.migrate import read_city
from layers.store.models import LONGEST_ID, delete_model, list_models, read_model, store_model
from layers.store.sources import register_source
from twin.swmm.running import prepare_model

_ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_ID - 1}}}")
MOST_OBJECTS = 500_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    items: how many of each layer. removed: items of the model that the file no longer has. counts: what was assumed.
    absent: files that the model reads and that were not beside it; with any, SWMM itself was not asked. notes: what a
    run changes so that SWMM opens it.
    """

    model: str
    title: str
    items: Mapping[str, int]
    removed: int
    counts: Mapping[str, int]
    files: tuple[str, ...]
    absent: tuple[str, ...]
    notes: tuple[str, ...]


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


def import_model(
    connection: Connection,
    path: Path,
    *,
    model: str | None = None,
    crs: str | None = None,
    origin: tuple[float, float] | None = None,
    title: str | None = None,
    replace: bool = False,
    verify: bool = True,
    author: str = "twin swmm import",
) -> ImportReport:
    """Read a file into the layers and keep its document, all in the caller's transaction.

    model: its id, from the file's name where not given. Where its coordinates lie: ``crs``, or ``origin`` [lon, lat]
    for the middle of local ones; a model that is replaced keeps its place. verify: let SWMM open it first.

    Raise SourceError or InputError naming section and line of what is wrong, CrsError without a place, ConflictError
    where the id is taken and not ``replace``, TooLargeError above the limits. As with every load, items edited by hand
    since stay as they were edited.
    """
    name = model or name_model(path)
    if not _ID.fullmatch(name):
        raise InputError(
            f"'{name[:60]}' cannot be the id of a model", hint=f"a–z, 0–9, - and _, at most {LONGEST_ID} signs"
        )
    taken = {one.id: one.kind for one in list_models(connection)}
    if name in taken and not replace:
        raise ConflictError(f"there is a model '{name}' already", hint="give another --id, or --replace")
    if taken.get(name, "swmm") != "swmm":
        raise ConflictError(f"model '{name}' is one of {taken[name]}", hint="give another --id")
    document = read_inp(read_text(path))
    check_document(document)
    objects = sum(len(document.rows(section)) for sections in OBJECTS.values() for section in sections)
    if objects > MOST_OBJECTS:
        raise TooLargeError(f"{path.name} has {objects:,} objects, expected at most {MOST_OBJECTS:,}")
    city_crs = f"EPSG:{read_city(connection).srid}"
    if name in taken and crs is None and origin is None:
        anchor = open_anchor(read_model(connection, name, "swmm").anchor, city_crs)
    else:
        anchor = choose_anchor(document, city_crs, crs=crs, origin=origin)
    counts: Counter[str] = Counter()
    items = describe_items(document, name, anchor, counts)
    files, absent = read_beside(document, path.resolve().parent)
    notes = verify_model(document, files) if verify and not absent else []
    words = title or document.title.splitlines()[0][:200] if document.title else title or name
    source = Source(
        id=f"swmm-{name}", uri=path.name, layer="drainage_links", title=Words(vi=words, en=words), licence="unknown",
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
        connection, name, "swmm", text, title=words, source=path.name, anchor=anchor.words, facts=dict(counts),
        author=author, files=files,
    )  # fmt: skip
    fed = tuple(layer_id for layer_id, found in items.items() if found)
    register_source(
        connection, source, uri=path.name, fingerprint=hashlib.sha256(text.encode()).hexdigest(), layers=fed
    )
    counted_items = {layer_id: len(found) for layer_id, found in items.items()}
    return ImportReport(name, words, counted_items, removed, dict(counts), tuple(files), tuple(absent), tuple(notes))


def verify_model(document: Inp, files: Mapping[str, bytes]) -> list[str]:
    """Let SWMM open a model, in a process and a folder of its own, and return what a run must change for it, in words.

    SourceError has SWMM's own words where it opens neither the file nor what a run makes of it.
    """
    confined = confine_files(document)
    try:
        _open_in_process(confined, files)
    except InputError as error:
        prepared, notes = prepare_model(confined, own_steps=True)
        try:
            _open_in_process(prepared, files)
        except InputError:
            raise SourceError(f"SWMM does not open the model: {error.message}", hint=error.hint) from error
        return notes
    return []


def _open_in_process(document: Inp, files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="swmm-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        path = Path(folder) / "model.inp"
        path.write_text(write_document(document), encoding="utf-8")
        with DrainageProcess(path):
            pass


def remove_model(connection: Connection, model: str, *, author: str = "twin swmm remove") -> int:
    """Remove a model with its items from the city and return how many items there were; NotFoundError names others."""
    record = read_model(connection, model, "swmm")
    # No edit by hand: those keep a later import from bringing items back.
    begin_edit(connection, author=author, reason=f"remove model {model}", kind="load", layers=OBJECTS)
    removed = 0
    for layer_id in OBJECTS:
        layer = read_vector_layer(layer_id)
        ids = select_features(connection, layer, equals={"model_id": record.id}, columns=[])["id"].tolist()
        removed += delete_features(connection, layer, ids)
    delete_model(connection, record.id)
    return removed
