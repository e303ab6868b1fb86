"""Mappings: YAML that says which rows of a file feed which layer, and which columns its properties."""

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from layers.errors import InputError, MappingError, NotFoundError
from layers.ingest.dates import DateOrder
from layers.ingest.numbers import NumberStyle
from layers.quantities import conversion_factor
from layers.registry import read_vector_layer
from layers.schema import VectorLayer

PACKAGED = Path(__file__).resolve().parent / "mappings"
PLACE, ROW = "@place", "@row"
_FIELD = re.compile(r"\{([^{}]+)\}")
_SHARED = ("numbers", "null_words", "date_order")
Scalar = str | int | float


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(_Strict):
    """What a column must hold: one of ``any_of`` (written ``in``), none of ``none_of`` (``not``), anything or nothing.

    A plain value or list in the YAML is short for ``in``. Values are compared as text.
    """

    any_of: tuple[str, ...] | None = Field(default=None, alias="in")
    none_of: tuple[str, ...] | None = Field(default=None, alias="not")
    exists: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_short(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: _as_texts(item) if key in ("in", "not") else item for key, item in value.items()}
        return {"in": _as_texts(value)}


def _as_texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))


class PropertyRule(_Strict):
    """Where a property comes from and how its values become those of the layer.

    The first of ``columns`` that holds something counts. ``nodata`` values become null, and with ``null_words`` so do
    words such as "không có" and N/A; ``pattern`` keeps its first group; ``codes`` translates (``"*"`` stands for all
    others, null drops the value). ``unit`` is the file's unit, ``cell_units`` reads units in cells (600mm, D600, 5'6"),
    ``numbers`` says how numbers in text are written: vi (1.234,5), en (1,234.5) or mixed. ``date`` lists formats
    (strptime's, or iso, ymd, dmy, mdy, vi, year, excel, epoch_s, epoch_ms, rfc1123); ``date_order`` is dmy or mdy;
    ``drop_dates`` are placeholders; ``timezone`` is that of times written without one.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    unit: str | None = None
    cell_units: bool = False
    numbers: NumberStyle | None = None
    null_words: bool = False
    codes: dict[str, str | None] = {}
    nodata: tuple[Scalar, ...] = ()
    pattern: str | None = None
    date: tuple[str, ...] = ()
    date_order: DateOrder | None = None
    drop_dates: tuple[str, ...] = ()
    timezone: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"columns": (value,)}
        if isinstance(value, dict) and "column" in value:
            if "columns" in value:
                raise ValueError("give 'column' or 'columns', not both")
            value = dict(value)
            value["columns"] = (value.pop("column"),)
        return value

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                compiled = re.compile(value)
            except re.error as error:
                raise ValueError(f"'{value}' is not a regular expression: {error}") from error
            if compiled.groups != 1:
                raise ValueError(f"'{value}' needs exactly one group, the part to keep")
        return value


class GeometryRule(_Strict):
    """How rows get their geometry: from columns ``x`` and ``y``, from ``wkt``, or from a column ``xy`` that holds both
    ("105.74, 9.97"), or the boundary of the ward whose official code a column ``ward`` holds; or the file's own made
    into something else.

    ``as: point`` takes a point on the surface of an area or line, ``as: area`` fills closed lines; ``square`` draws a
    square of this side [m] around a point. ``swap: yes`` exchanges x and y, ``auto`` only in rows that fall into the
    city that way and not as given.
    """

    x: str | None = None
    y: str | None = None
    wkt: str | None = None
    xy: str | None = None
    ward: str | None = None
    drawn_as: Literal["point", "area"] | None = Field(default=None, alias="as")
    square: float | None = Field(default=None, gt=0.0, le=1.0e5)
    swap: Literal["no", "auto", "yes"] = "no"

    @model_validator(mode="after")
    def _is_whole(self) -> "GeometryRule":
        if (self.x is None) != (self.y is None):
            raise ValueError("'x' and 'y' belong together")
        if len(self.columns) > (2 if self.x is not None else 1):
            raise ValueError("give 'x' and 'y', 'wkt', 'xy' or 'ward', only one of them")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the geometry is made of."""
        return tuple(name for name in (self.x, self.y, self.wkt, self.xy, self.ward) if name is not None)

    @property
    def as_point(self) -> bool:
        """Whether a point is taken of every shape."""
        return self.drawn_as == "point"

    @property
    def as_area(self) -> bool:
        """Whether closed lines are filled."""
        return self.drawn_as == "area"


class LayerRule(_Strict):
    """Which rows feed one layer (``where``: conditions that all hold, or a list of such sets) and how.

    ``id`` is a column or a template such as ``"{street}-{number}"``; ``@place`` stands for a digest of the geometry,
    ``@row`` for the row number. ``ignore`` names columns that are neither loaded nor kept (names of persons), ``keep``
    those that look personal and are not (owner: a company). ``numbers``, ``null_words`` and ``date_order`` hold for
    every property that does not say its own.
    """

    layer: str
    where: tuple[dict[str, Condition], ...] = ()
    id: str | None = None
    id_prefix: str = ""
    geometry: GeometryRule = GeometryRule()
    constants: dict[str, Scalar | bool] = Field(default={}, alias="set")
    numbers: NumberStyle | None = None
    null_words: bool = False
    date_order: DateOrder | None = None
    properties: dict[str, PropertyRule] = {}
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    null_unknown_codes: bool = Field(default=False, alias="on_unknown_code")

    @field_validator("where", mode="before")
    @classmethod
    def _as_sets(cls, value: Any) -> Any:
        return (value,) if isinstance(value, dict) else value

    @field_validator("properties")
    @classmethod
    def _inherit(cls, value: dict[str, PropertyRule], info: ValidationInfo) -> dict[str, PropertyRule]:
        shared = {name: info.data[name] for name in _SHARED if info.data.get(name)}
        return {
            name: rule.model_copy(update={key: one for key, one in shared.items() if key not in rule.model_fields_set})
            for name, rule in value.items()
        }

    @field_validator("null_unknown_codes", mode="before")
    @classmethod
    def _read_choice(cls, value: Any) -> bool:
        if value not in (None, "null", "quarantine", True, False):
            raise ValueError(f"'{value}' is not known, expected quarantine or null")
        return value in (None, "null", True)

    @model_validator(mode="after")
    def _sets_once(self) -> "LayerRule":
        both = sorted(set(self.constants) & set(self.properties))
        if both:
            raise ValueError(f"'{both[0]}' is both set and mapped")
        return self

    @property
    def id_columns(self) -> tuple[str, ...]:
        """Columns the identifier is made of."""
        if self.id is None:
            return ()
        return tuple(_FIELD.findall(self.id)) or (self.id,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the file this rule names except the ignored ones."""
        named = [name for test in self.where for name in test]
        named += [*self.id_columns, *self.geometry.columns]
        named += [name for rule in self.properties.values() for name in rule.columns]
        return tuple(dict.fromkeys(name for name in named if name not in (PLACE, ROW)))


class Mapping(_Strict):
    """A mapping file: the rules of the layers it feeds, and the CRS of coordinates if the file does not say."""

    layers: tuple[LayerRule, ...] = Field(min_length=1)
    crs: str | None = None


class _Loader(yaml.SafeLoader):
    """YAML where ``no`` is a word and a date is a word: codes and placeholder dates are compared as text."""


_PLAIN = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_mapping(path: Path) -> Mapping:
    """Return the mapping at ``path``; MappingError names the key, layer, property, code or unit that does not fit."""
    if not path.is_file():
        raise MappingError(f"mapping {path} does not exist")
    try:
        document: Any = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"mapping {path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        mapping = Mapping.model_validate(_codes_as_text(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise MappingError(f"mapping {path}: {place}: {first['msg']}") from error
    for position, rule in enumerate(mapping.layers):
        _check_rule(rule, f"mapping {path}: layers.{position}")
    return mapping


def _codes_as_text(document: Any) -> Any:
    """Return the document with the keys of every ``codes`` as text, for codes are often written as numbers."""
    if isinstance(document, dict):
        return {
            key: {str(code): target for code, target in value.items()}
            if key == "codes" and isinstance(value, dict)
            else _codes_as_text(value)
            for key, value in document.items()
        }
    return [_codes_as_text(item) for item in document] if isinstance(document, list) else document


def _check_rule(rule: LayerRule, place: str) -> None:
    """Hold one rule against the declared layer; MappingError names what does not fit."""
    try:
        layer = read_vector_layer(rule.layer)
    except NotFoundError as error:
        raise MappingError(f"{place}: {error.message}", hint=error.hint) from error
    for name in (*rule.constants, *rule.properties):
        if layer.find(name) is None:
            known = ", ".join(prop.name for prop in layer.properties)
            raise MappingError(f"{place}: layer '{layer.id}' has no property '{name}'", hint=f"it has {known}")
    if rule.geometry.square is not None and layer.geometry != "MultiPolygon":
        raise MappingError(f"{place}: 'square' makes areas, layer '{layer.id}' holds {layer.geometry}")
    if rule.geometry.as_area and layer.geometry != "MultiPolygon":
        raise MappingError(f"{place}: 'as: area' makes areas, layer '{layer.id}' holds {layer.geometry}")
    if rule.geometry.as_point and layer.geometry != "Point":
        raise MappingError(f"{place}: 'as: point' makes points, layer '{layer.id}' holds {layer.geometry}")
    for name, prop_rule in rule.properties.items():
        _check_property(layer, name, prop_rule, f"{place}.properties.{name}")


def _check_property(layer: VectorLayer, name: str, rule: PropertyRule, place: str) -> None:
    prop = layer.find(name)
    assert prop is not None
    allowed = {code.value for code in prop.codes}
    for target in rule.codes.values():
        if allowed and target is not None and target not in allowed:
            raise MappingError(f"{place}: '{target}' is no code of it", hint=f"one of {', '.join(sorted(allowed))}")
    if rule.unit is not None:
        if prop.unit is None:
            raise MappingError(f"{place}: has unit '{rule.unit}' but measures nothing")
        try:
            conversion_factor(rule.unit, prop.unit)
        except InputError as error:
            raise MappingError(f"{place}: {error.message}", hint=error.hint) from error
    if rule.cell_units and prop.unit is None:
        raise MappingError(f"{place}: has units in cells but measures nothing")
    if (rule.date or rule.drop_dates or rule.timezone) and prop.type not in ("date", "datetime"):
        raise MappingError(f"{place}: date rules on a {prop.type}")
