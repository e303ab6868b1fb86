"""A SWMM input file into the city: its objects as items of the layers, the rest as a document beside them."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from hydrology.drainage_process import DrainageProcess
from layers.errors import InputError, SourceError
from layers.ingest.swmm.anchor import choose_anchor, open_anchor
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import Inp, read_inp, write_document
from layers.ingest.swmm.fields import OBJECTS
from layers.ingest.swmm.files import confine_files, read_beside
from layers.ingest.swmm.items import describe_items
from layers.store.migrate import read_city
from layers.store.models import read_model
from twin.models import check_size, choose_title, claim_name, keep_model, name_model, read_text
from twin.swmm.running import prepare_model


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
    known = claim_name(connection, name, "swmm", replace=replace)
    document = read_inp(read_text(path))
    check_document(document)
    check_size(document, OBJECTS, path)
    city_crs = f"EPSG:{read_city(connection).srid}"
    if known and crs is None and origin is None:
        anchor = open_anchor(read_model(connection, name, "swmm").anchor, city_crs)
    else:
        anchor = choose_anchor(document, city_crs, crs=crs, origin=origin)
    counts: Counter[str] = Counter()
    items = describe_items(document, name, anchor, counts)
    files, absent = read_beside(document, path.resolve().parent)
    notes = verify_model(document, files) if verify and not absent else []
    words = choose_title(document, name, title)
    removed = keep_model(
        connection, "swmm", name, document, items, sections=OBJECTS, main_layer="drainage_links", title=words,
        path=path, anchor=anchor, city_crs=city_crs, counts=counts, files=files, author=author,
    )  # fmt: skip
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
