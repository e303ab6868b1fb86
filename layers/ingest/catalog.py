"""The city's catalogue: who the city is and where its data come from, read from YAML and checked."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from layers.errors import SourceError
from layers.registry import RASTER_LAYERS

# The source of features that were made by hand.
BY_HAND = "edit"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """A text in both languages."""

    vi: str
    en: str


class City(_Strict):
    """Who the city is. ``crs``: projected, metres. ``main_gauge``: sensor id of the stage that drives forecasts.

    ``licence`` and ``attribution`` are those of features made by hand. ``bounds``: west, south, east, north [°] of
    where its data lie; without them the wards tell, once loaded. ``damage``: what a flood costs, by class of use:
    ``value_per_m2``, or ``depths`` [m] with ``factors`` and ``source`` in the place of the packaged curve, or both.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    title: Words
    crs: str
    timezone: str
    vertical_datum: str = "local"
    synthetic: bool = False
    licence: str = ""
    attribution: str = ""
    main_gauge: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    damage: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("bounds")
    @classmethod
    def _is_a_box(cls, value: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
        if value is not None:
            west, south, east, north = value
            if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
                raise ValueError(f"{list(value)} are not west, south, east, north in degrees")
        return value


class Source(_Strict):
    """One source of data.

    ``uri`` is relative to the catalogue. ``kind`` follows from the rest where it is not said: observations where
    ``datastreams`` names the table of series, raster where ``layer`` is one, else features. ``table`` chooses a layer
    inside the file, ``mapping`` a YAML file beside it.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,80}$")
    uri: str
    kind: Literal["features", "raster", "observations"] = "features"
    layer: str = ""
    title: Words
    licence: str
    attribution: str
    synthetic: bool = False
    table: str | None = None
    mapping: str | None = None
    crs: str | None = None
    datastreams: str | None = None

    @field_validator("id")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value == BY_HAND:
            raise ValueError(f"'{BY_HAND}' is the source of features made by hand, give another id")
        return value

    @model_validator(mode="before")
    @classmethod
    def _infer_kind(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "kind" in values:
            return values
        inferred = "raster" if values.get("layer") in RASTER_LAYERS else "features"
        return {**values, "kind": "observations" if values.get("datastreams") else inferred}

    @model_validator(mode="after")
    def _has_target(self) -> "Source":
        if self.kind == "observations" and not self.datastreams:
            raise ValueError("a source of observations needs 'datastreams'")
        if self.kind == "raster" and not self.layer:
            raise ValueError("a raster source needs 'layer'")
        if self.kind == "features" and not (self.layer or self.mapping):
            raise ValueError("a source of features needs 'layer' or 'mapping'")
        return self


class Transit(_Strict):
    """A feed of public transport: a GTFS zip or folder beside the catalogue, or an address."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    uri: str
    title: Words
    licence: str
    attribution: str
    synthetic: bool = False


class Catalog(_Strict):
    """A city, its sources in the order they are loaded, and its feeds of public transport."""

    city: City
    sources: tuple[Source, ...] = ()
    transit: tuple[Transit, ...] = ()


def read_catalog(path: Path) -> Catalog:
    """Return the catalogue at ``path``; SourceError names the entry that is wrong."""
    if not path.exists():
        raise SourceError(f"catalogue {path} does not exist", hint="type: twin demo — or set TWIN_CATALOG")
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SourceError(f"catalogue {path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        catalog = Catalog.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise SourceError(f"catalogue {path}: {place}: {first['msg']}") from error
    seen: set[str] = set()
    for source in catalog.sources:
        if source.id in seen:
            raise SourceError(f"catalogue {path}: source '{source.id}' is listed twice")
        seen.add(source.id)
    return catalog
