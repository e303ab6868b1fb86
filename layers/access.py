"""Who asks, and what of the declarations they may see and edit.

Rights are declared with the layer: ``access`` of a layer and of a property says from which level on it is seen, the
flag ``is_restricted`` (``GUARD``) keeps single rows for those who see what is restricted. Who asks stands in a context
variable, set once at the door; connections take the database's role from it (``layers.store.assuming``), so that the
database refuses what the code forgot.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from layers.registry import LAYERS, RASTER_LAYERS, VECTOR_LAYERS
from layers.schema import LEVELS, Access, Layer, RasterLayer, VectorLayer

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody sees and writes: the ``level``, the codes of the ``wards`` that bound it (none: the whole
    city), and the themes whose layers may be edited (``*``: all). ``whole`` is the twin itself, beyond all rights.

    Wards bound what is edited, and of what is not for everybody the rows that are seen.
    """

    level: Access = "public"
    wards: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    whole: bool = False

    def sees(self, access: Access) -> bool:
        """Whether what is declared with ``access`` is seen."""
        return LEVELS.index(access) <= LEVELS.index(self.level)

    def may_edit(self, layer: Layer) -> bool:
        """Whether features of ``layer`` may be edited, in the own wards if there are any."""
        return self.whole or EVERYTHING in self.edits or layer.theme in self.edits


PUBLIC = Reach()
WHOLE = Reach(level="restricted", edits=(EVERYTHING,), whole=True)
"""The twin itself: commands, workers, what the server does for itself."""
_ASKING: ContextVar[Reach] = ContextVar("asking", default=WHOLE)


def who_asks() -> Reach:
    """Return the reach of whom the present code works for."""
    return _ASKING.get()


@contextmanager
def asking_as(reach: Reach) -> Iterator[None]:
    """Work for somebody of ``reach``; connections taken inside have that role."""
    token = _ASKING.set(reach)
    try:
        yield
    finally:
        _ASKING.reset(token)


def visible_layers() -> Mapping[str, VectorLayer]:
    """Return the vector layers that who asks sees, each with the properties that are seen."""
    return _list_vectors(who_asks().level)


def visible_rasters() -> Mapping[str, RasterLayer]:
    """Return the raster layers that who asks sees."""
    return _list_rasters(who_asks().level)


def visible() -> list[Layer]:
    """Return all layers that who asks sees, in the order in which they are declared."""
    seen: dict[str, Layer] = {**visible_layers(), **visible_rasters()}
    return [seen[key] for key in LAYERS if key in seen]


def name_sight(layers: Iterable[VectorLayer]) -> tuple[object, ...]:
    """Return what an answer made of ``layers`` differs by between those who ask: part of the key of every cache.

    Empty where everybody sees the same.
    """
    if all(is_open(layer.id) for layer in layers):
        return ()
    reach = who_asks()
    return (reach.level, *reach.wards)


@lru_cache(maxsize=1024)
def is_open(layer_id: str) -> bool:
    """Whether everybody sees all of a vector layer."""
    layer = VECTOR_LAYERS[layer_id]
    plain = layer.access == "public" and not layer.guarded and not layer.named_items
    return plain and all(prop.access == "public" for prop in layer.properties)


@lru_cache(maxsize=len(LEVELS))
def _list_vectors(level: Access) -> Mapping[str, VectorLayer]:
    reach = Reach(level)
    return MappingProxyType(
        {key: _reduce(layer, reach) for key, layer in VECTOR_LAYERS.items() if reach.sees(layer.access)}
    )


def _reduce(layer: VectorLayer, reach: Reach) -> VectorLayer:
    kept = tuple(prop for prop in layer.properties if reach.sees(prop.access))
    return layer if kept == layer.properties else replace(layer, properties=kept)


@lru_cache(maxsize=len(LEVELS))
def _list_rasters(level: Access) -> Mapping[str, RasterLayer]:
    reach = Reach(level)
    return MappingProxyType({key: layer for key, layer in RASTER_LAYERS.items() if reach.sees(layer.access)})
