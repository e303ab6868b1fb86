"""The words of a declaration: property, vector layer, raster layer, style, access.

A layer is a frozen value. Table, validation, JSON Schema, collection, tile columns, legend, form, export and
documentation follow from it; nothing about a layer is said twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from layers.errors import DeclarationError
from layers.quantities import QUANTITIES, Quantity

PropertyType = Literal["string", "integer", "number", "boolean", "date", "datetime"]
GeometryType = Literal["Point", "LineString", "MultiPolygon"]
Access = Literal["public", "staff", "restricted"]
LEVELS: tuple[Access, ...] = ("public", "staff", "restricted")
"""Who sees more than who stands before it: everybody, who is signed in, who keeps the city's networks running."""
GUARD = "is_restricted"
"""The flag that keeps a row of a layer for those who see what is restricted."""

NO_WORDS: Mapping[str, str] = MappingProxyType({})
DETAIL_ZOOM = 14
_ITEM_NAMES = (("asset_layer", "asset_id"), ("layer_id", "item_id"), ("place_layer", "place_id"))
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
_FIELD = re.compile(r"\{(\w+)\}")
RESERVED = frozenset({
    "fid", "id", "geom", "geom_3857", "source_id", "content_hash", "valid_from", "valid_to", "recorded_from",
    "recorded_to", "edit_id", "ended_by",
})  # fmt: skip


class Text(NamedTuple):
    """The same words in Vietnamese and in English."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list: what is stored, what people read, and its colour on the map if it has one.

    ``words`` maps the values that other standards use for it (``{"epanet": "PRV"}``).
    """

    value: str
    title: Text
    color: str | None = None
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS)


@dataclass(frozen=True, slots=True)
class Property:
    """One attribute of a layer.

    ``quantity`` names an entry of ``layers.quantities`` and gives unit and range. ``codes`` closes the set of
    values. ``words`` maps the names other standards use, ``Class.attribute`` for each standard that has one
    (``{"epanet": "PIPES.Diameter"}``); several are parted by ``|``. ``template`` makes the text of other properties
    where a source gives none (``"{house_number} {street}, {ward}"``). ``initial`` is what features have that were there
    before a required property was declared.
    """

    name: str
    title: Text
    type: PropertyType = "string"
    quantity: str | None = None
    codes: tuple[Code, ...] = ()
    required: bool = False
    access: Access = "public"
    in_tiles: bool = False
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS)
    template: str | None = None
    initial: str | float | bool | None = None

    def __post_init__(self) -> None:
        if not _NAME.match(self.name) or self.name in RESERVED:
            raise DeclarationError(f"property name '{self.name}' is reserved or not a lower-case identifier")
        if self.quantity is not None and self.quantity not in QUANTITIES:
            raise DeclarationError(f"property '{self.name}' names the unknown quantity '{self.quantity}'")
        if self.quantity is not None and self.type not in ("integer", "number"):
            raise DeclarationError(f"property '{self.name}' has a quantity but is a {self.type}")
        values = [code.value for code in self.codes]
        if len(values) != len(set(values)):
            raise DeclarationError(f"property '{self.name}' lists a code twice")

    @property
    def measure(self) -> Quantity | None:
        """The quantity this property measures, or None."""
        return QUANTITIES[self.quantity] if self.quantity else None

    @property
    def template_parts(self) -> tuple[tuple[str, ...], ...]:
        """Names of the properties in each comma-divided part of ``template``; empty without one."""
        return tuple(tuple(_FIELD.findall(part)) for part in self.template.split(",")) if self.template else ()

    @property
    def unit(self) -> str | None:
        """UCUM unit, or None."""
        return self.measure.unit if self.measure else None


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn when nothing else is said; the viewer and the legend are made from it.

    ``by`` names the coded property whose codes give the colour (their own ``color``); ``classes`` colours a
    number by lower bounds ``((lower, colour), …)``. ``width`` is the line width [px at zoom 16],
    ``radius`` the point radius [px at zoom 16]. ``height`` names the property that extrudes [m]. ``icon`` names a
    pictogram of the sprite that stands on the point, or along the line.
    """

    color: str
    by: str | None = None
    classes: tuple[tuple[float, str], ...] = ()
    opacity: float = 1.0
    width: float = 1.0
    radius: float = 4.0
    outline: str | None = None
    dash: tuple[float, ...] = ()
    label: str | None = None
    height: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """How a layer is generalised below zoom 14, where its tiles would hold more than anybody can see.

    Lengths are in pixels of a tile 512 pixels wide. Points nearer than ``spacing`` become one that counts them; lines
    of equal tile properties are merged, from zoom ``named_from`` also by their label, and those shorter than
    ``shortest`` left out; areas smaller than ``smallest`` [pixel²] are left out. Shapes are simplified by
    ``tolerance``. ``kept`` says up to and with which zoom only these codes of ``style.by`` are drawn,
    ``((zoom, codes), …)``.
    """

    spacing: int = 64
    named_from: int = 13
    shortest: float = 2.0
    smallest: float = 2.0
    tolerance: float = 0.5
    kept: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        if self.spacing not in (8, 16, 32, 64):
            raise DeclarationError(f"an overview spaces points by {self.spacing} pixels, expected 8, 16, 32 or 64")
        zooms = [zoom for zoom, _ in self.kept]
        if zooms != sorted(set(zooms)):
            raise DeclarationError("the zooms up to which an overview keeps codes do not ascend")


@dataclass(frozen=True, slots=True)
class VectorLayer:
    """A layer of features, stored as one table.

    ``rank`` orders drawing from the ground (0) upwards. ``min_zoom`` is the lowest zoom at which tiles hold it.
    ``overview`` says how it is drawn below zoom 14. ``visible`` says whether the viewer shows it at first. ``words``
    names the classes of other standards it maps to, parted by ``|``.
    """

    id: str
    theme: str
    title: Text
    description: Text
    geometry: GeometryType
    properties: tuple[Property, ...]
    style: Style
    rank: int
    min_zoom: int = 10
    visible: bool = True
    access: Access = "public"
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS)
    overview: Overview = field(default_factory=Overview)

    def __post_init__(self) -> None:
        if not _NAME.match(self.id):
            raise DeclarationError(f"layer id '{self.id}' is not a lower-case identifier")
        names = [prop.name for prop in self.properties]
        if len(names) != len(set(names)):
            raise DeclarationError(f"layer '{self.id}' lists a property twice")
        for used in (self.style.by, self.style.label, self.style.height):
            if used is not None and used not in names:
                raise DeclarationError(f"the style of layer '{self.id}' uses '{used}', which it does not have")
        for prop in self.properties:
            unknown = {name for part in prop.template_parts for name in part} - set(names)
            if unknown:
                raise DeclarationError(f"'{self.id}.{prop.name}' is made of {sorted(unknown)}, which it does not have")
        if self.access != "public" and self.min_zoom < DETAIL_ZOOM:
            raise DeclarationError(f"layer '{self.id}' is not for everybody, so that it begins at zoom {DETAIL_ZOOM}")
        hidden = [name for name in self.tile_properties if LEVELS.index(self._access(name)) > LEVELS.index(self.access)]
        if hidden:
            raise DeclarationError(f"tiles of layer '{self.id}' carry '{hidden[0]}', which not all who see it may see")
        coded = self.find(self.style.by) if self.style.by else None
        known = {code.value for code in coded.codes} if coded else set()
        for zoom, codes in self.overview.kept:
            if not set(codes) <= known:
                raise DeclarationError(f"the overview of layer '{self.id}' keeps unknown codes up to zoom {zoom}")

    def find(self, name: str) -> Property | None:
        """Return the property called ``name``, or None."""
        return next((prop for prop in self.properties if prop.name == name), None)

    def _access(self, name: str) -> Access:
        prop = self.find(name)
        return prop.access if prop else "public"

    @property
    def guarded(self) -> bool:
        """Whether some of its rows are for few."""
        return self.find(GUARD) is not None

    @property
    def named_items(self) -> tuple[tuple[str, str], ...]:
        """Pairs of properties by which what runs write names an item: its layer, and its id there."""
        return tuple(pair for pair in _ITEM_NAMES if self.of_runs and all(self.find(name) for name in pair))

    @property
    def of_runs(self) -> bool:
        """Whether runs write it, and nobody else."""
        return self.find("run_id") is not None

    @property
    def tile_properties(self) -> tuple[str, ...]:
        """Names of the properties a tile carries: what the style needs and what is declared ``in_tiles``."""
        style = {self.style.by, self.style.label, self.style.height}
        return tuple(prop.name for prop in self.properties if prop.in_tiles or prop.name in style)

    @property
    def classed_by(self) -> str | None:
        """The number that ``style.classes`` colour: ``by`` if given, else the first number a tile carries."""
        if not self.style.classes:
            return None
        if self.style.by:
            return self.style.by
        numbers = (self.find(name) for name in self.tile_properties)
        return next((prop.name for prop in numbers if prop and prop.type in ("integer", "number")), None)

    @property
    def overview_zooms(self) -> range:
        """The zooms at which the layer is drawn from its overview."""
        return range(self.min_zoom, DETAIL_ZOOM)


@dataclass(frozen=True, slots=True)
class RasterLayer:
    """A layer of gridded values, stored as Cloud-Optimised GeoTIFFs.

    ``ramp`` colours values ``((value, "#rrggbbaa"), …)`` in ascending order; linear between the entries unless
    ``stepped``, where an entry holds from its value up to the next. Values below the first entry are clear.
    ``series`` is true when a run writes one band per time step.
    """

    id: str
    theme: str
    title: Text
    description: Text
    quantity: str
    ramp: tuple[tuple[float, str], ...]
    rank: int
    stepped: bool = False
    series: bool = False
    visible: bool = False
    access: Access = "public"

    def __post_init__(self) -> None:
        if not _NAME.match(self.id):
            raise DeclarationError(f"layer id '{self.id}' is not a lower-case identifier")
        if self.quantity not in QUANTITIES:
            raise DeclarationError(f"raster layer '{self.id}' names the unknown quantity '{self.quantity}'")
        values = [value for value, _ in self.ramp]
        if len(values) < 2 or values != sorted(set(values)):
            raise DeclarationError(f"the ramp of raster layer '{self.id}' does not ascend")


@dataclass(frozen=True, slots=True)
class Theme:
    """A chapter of the layer tree."""

    id: str
    title: Text


Layer = VectorLayer | RasterLayer


def text(
    name: str,
    vi: str,
    en: str,
    *,
    required: bool = False,
    in_tiles: bool = False,
    words: Mapping[str, str] = NO_WORDS,
    template: str | None = None,
) -> Property:
    """Return a string property."""
    return Property(name, Text(vi, en), "string", required=required, in_tiles=in_tiles, words=words, template=template)


def number(
    name: str,
    vi: str,
    en: str,
    quantity: str,
    *,
    required: bool = False,
    in_tiles: bool = False,
    words: Mapping[str, str] = NO_WORDS,
) -> Property:
    """Return a number property that measures ``quantity``."""
    return Property(name, Text(vi, en), "number", quantity, required=required, in_tiles=in_tiles, words=words)


def integer(
    name: str,
    vi: str,
    en: str,
    quantity: str | None = "count",
    *,
    in_tiles: bool = False,
    words: Mapping[str, str] = NO_WORDS,
) -> Property:
    """Return an integer property."""
    return Property(name, Text(vi, en), "integer", quantity, in_tiles=in_tiles, words=words)


def flag(name: str, vi: str, en: str, *, words: Mapping[str, str] = NO_WORDS) -> Property:
    """Return a yes/no property."""
    return Property(name, Text(vi, en), "boolean", words=words)


def guard() -> Property:
    """Return the flag that keeps a row for those who see what is restricted."""
    return Property(GUARD, Text("Hạn chế tiếp cận", "Restricted"), "boolean", access="restricted")


def date(name: str, vi: str, en: str, *, words: Mapping[str, str] = NO_WORDS) -> Property:
    """Return a date property."""
    return Property(name, Text(vi, en), "date", words=words)


def moment(name: str, vi: str, en: str) -> Property:
    """Return a date-time property (stored in UTC)."""
    return Property(name, Text(vi, en), "datetime")


def coded(
    name: str, vi: str, en: str, *codes: Code, required: bool = False, words: Mapping[str, str] = NO_WORDS
) -> Property:
    """Return a string property whose values are a closed code list."""
    return Property(name, Text(vi, en), "string", codes=codes, required=required, words=words)


def code(value: str, vi: str, en: str, color: str | None = None, *, words: Mapping[str, str] = NO_WORDS) -> Code:
    """Return one entry of a code list."""
    return Code(value, Text(vi, en), color, words)
