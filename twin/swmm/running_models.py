"""What is run: a SWMM document with the layers' ids of its objects, from a file or from the city's layers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely

from layers.errors import InputError, NotFoundError
from layers.ingest.swmm.document import Inp, fold_name, read_inp
from layers.ingest.swmm.fields import make_id
from layers.ingest.swmm.files import confine_files, list_files, read_beside
from layers.ingest.swmm.sections import LINKS, NODES
from twin.models import read_text
from twin.process import CityView
from twin.swmm.exporting import compose_model


@dataclass(frozen=True, slots=True, eq=False)
class RunModel:
    """A document to run, the files it names, and ids of the layers by names of its objects.

    An object without an id of its own goes by its name. is_placed: its coordinates are those of the city. notes: what
    was changed or assumed, in words; counts: the same in numbers.
    """

    name: str
    inp: Inp
    files: Mapping[str, bytes] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    catchments: Mapping[str, str] = field(default_factory=dict)
    is_placed: bool = False
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def find_links(self, ids: tuple[str, ...]) -> list[str]:
        """Return the names of links given by id or name; NotFoundError for one that is not in the model."""
        return _find(ids, self.links, [name for section in LINKS for name in self.inp.names(section)], "link")

    def find_catchments(self, ids: tuple[str, ...]) -> list[str]:
        """Return the names of catchments given by id or name; NotFoundError for one that is not in the model."""
        return _find(ids, self.catchments, self.inp.names("SUBCATCHMENTS"), "catchment")

    def with_document(self, inp: Inp, *notes: str) -> "RunModel":
        """Return the model with another document."""
        return replace(self, inp=inp, notes=(*self.notes, *notes))


def _find(ids: tuple[str, ...], known: Mapping[str, str], names: list[str], what: str) -> list[str]:
    by_id = {identifier: name for name, identifier in known.items()}
    by_name = {fold_name(name): name for name in names}
    found = []
    for identifier in ids:
        name = by_id.get(identifier) or by_name.get(fold_name(identifier))
        if name is None:
            sample = ", ".join((list(by_id) or names)[:8]) or "none"
            raise NotFoundError(f"{what} '{identifier}' is not in the model", hint=f"there are {sample}")
        found.append(name)
    return found


def read_model_file(path: Path) -> RunModel:
    """Return the model of an input file with the files it names, which must lie in its folder.

    SWMM opens whatever a model names: it is given these files only, in a folder of its own. Raises SourceError for a
    file that is none, InputError for one that is named and not there.
    """
    document = read_inp(read_text(path))
    files, absent = read_beside(document, path.resolve().parent)
    if absent:
        raise InputError(f"the model names the file '{absent[0]}'", hint=f"put it beside the model in {path.parent}")
    return RunModel(path.stem, confine_files(document), files)


def read_city_model(view: CityView, model_id: str) -> RunModel:
    """Return an imported model with what the layers' items say now written over its document.

    Raises NotFoundError for one that there is not, InputError where an edit leaves what SWMM would not open.
    """
    model, files = view.read_model(model_id, "swmm")
    composed, _ = compose_model(view, model)
    document = confine_files(composed)
    absent = next((file.plain for file in list_files(document) if file.is_read and file.plain not in files), None)
    if absent is not None:
        raise InputError(
            f"model '{model_id}' names the file '{absent}', which did not come with it",
            hint="import it again from the folder with the files it names",
        )

    def name_ids(sections: Iterable[str]) -> dict[str, str]:
        return {name: make_id(model_id, name) for section in sections for name in document.names(section)}

    return RunModel(model_id, document, dict(files), name_ids(NODES), name_ids(LINKS), name_ids(("SUBCATCHMENTS",)))


def read_places(inp: Inp) -> dict[str, tuple[float, float]]:
    """Return the coordinates of the nodes in the model's own plane, by folded name."""
    return {
        fold_name(row.words[0]): (row.read_number(1), row.read_number(2))
        for row in inp.rows("COORDINATES")
        if len(row.words) > 2
    }


def draw_links(inp: Inp) -> dict[str, shapely.LineString]:
    """Return the links as lines from node to node over their vertices, by folded name; those with known ends."""
    places = read_places(inp)
    bends: dict[str, list[tuple[float, float]]] = {}
    for row in inp.rows("VERTICES"):
        bends.setdefault(fold_name(row.words[0]), []).append((row.read_number(1), row.read_number(2)))
    lines = {}
    for section in LINKS:
        for row in inp.rows(section):
            ends = [places.get(fold_name(word)) for word in row.words[1:3]]
            if len(ends) == 2 and all(end is not None for end in ends):
                name = fold_name(row.words[0])
                line = np.array([ends[0], *bends.get(name, ()), ends[1]], dtype=np.float64)
                lines[name] = shapely.LineString(line)
    return lines
