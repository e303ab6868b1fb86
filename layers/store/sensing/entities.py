"""The entities of SensorThings (OGC 18-088) over the tables: attributes, and how one leads to another.

Declared once; paths, filters, expansions, answers and writing are derived. ``{a}`` in an expression is the alias of the
entity's own row, ``{b}`` in a join that of the row it leads to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "json", "number", "time", "interval", "geometry", "result"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its name in JSON, its expression over row ``{a}``, and the column written, if it can be.

    ``kind`` tells how it is compared and shown: ``interval`` is a time or a stretch of time, its expression the start
    and ``end`` the end (``period``: shown as a stretch even where both are equal); ``geometry`` is shown as the JSON it
    was given as and compared as ``shape``; ``result`` is a number (``{a}.result``) or any other JSON (``{a}.value``).
    ``always`` is written even where there is no value; other attributes are then left out.
    """

    name: str
    kind: Kind
    expression: str
    column: str | None = None
    required: bool = False
    end: str | None = None
    shape: str | None = None
    period: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Navigation:
    """One link: its name, the entity set it leads to, whether to many, and the condition that joins ``{a}`` to ``{b}``.

    ``column`` holds the target's id in the entity's own table where the link is to one and can be written; ``sure``:
    every row has one, which the tables see to. ``scattered``: what it leads to lies in no order; it is found first and
    put in order after.
    """

    name: str
    target: str
    many: bool
    join: str
    column: str | None = None
    required: bool = False
    sure: bool = False
    scattered: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity set: its name, the name of one, its relation, its id over ``{a}``, and what it has.

    ``order`` holds the columns over ``{a}`` that are the key of the relation: pages come in their order.
    """

    name: str
    singular: str
    table: str
    key: str
    order: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    navigations: tuple[Navigation, ...]

    def find_attribute(self, name: str) -> Attribute | None:
        """Return the attribute called ``name``, or None."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)

    def find_navigation(self, name: str) -> Navigation | None:
        """Return the link called ``name``, or None."""
        return next((link for link in self.navigations if link.name == name), None)


def _text(name: str, column: str, *, required: bool = False) -> Attribute:
    return Attribute(name, "text", f"{{a}}.{column}", column, required)


def _json(name: str, column: str, *, required: bool = False) -> Attribute:
    return Attribute(name, "json", f"{{a}}.{column}", column, required)


_NAME = _text("name", "name", required=True)
_DESCRIPTION = _text("description", "description", required=True)
_PROPERTIES = _json("properties", "properties")
_ENCODING = _text("encodingType", "encoding_type", required=True)

OBSERVATION_KEY = "{a}.datastream || '_' || (extract(epoch from {a}.phenomenon_time) * 1000000)::bigint"
"""A reading is known by its series and its time; so is its id, which the same reading sent again gets again."""

_THING = Entity(
    "Things", "Thing", "sensing.thing", "{a}.id", ("{a}.id",),
    (_NAME, _DESCRIPTION, _PROPERTIES),
    (
        Navigation("Datastreams", "Datastreams", True, "{b}.thing_id = {a}.id"),
        Navigation(
            "Locations", "Locations", True,
            "exists (select from sensing.thing_location x where x.thing_id = {a}.id and x.location_id = {b}.id)",
        ),
        Navigation("HistoricalLocations", "HistoricalLocations", True, "{b}.thing_id = {a}.id"),
    ),
)  # fmt: skip
_LOCATION = Entity(
    "Locations", "Location", "sensing.location", "{a}.id", ("{a}.id",),
    (
        _NAME, _DESCRIPTION, _ENCODING,
        Attribute("location", "geometry", "{a}.location", "location", True, shape="{a}.geom"), _PROPERTIES,
    ),
    (
        Navigation(
            "Things", "Things", True,
            "exists (select from sensing.thing_location x where x.location_id = {a}.id and x.thing_id = {b}.id)",
        ),
        Navigation(
            "HistoricalLocations", "HistoricalLocations", True,
            "exists (select from sensing.historical_location_location x "
            "where x.location_id = {a}.id and x.historical_location_id = {b}.id)",
        ),
    ),
)  # fmt: skip
_HISTORICAL_LOCATION = Entity(
    "HistoricalLocations", "HistoricalLocation", "sensing.historical_location", "{a}.id", ("{a}.id",),
    (Attribute("time", "time", "{a}.time", "time", True),),
    (
        Navigation("Thing", "Things", False, "{b}.id = {a}.thing_id", "thing_id", True, True),
        Navigation(
            "Locations", "Locations", True,
            "exists (select from sensing.historical_location_location x "
            "where x.historical_location_id = {a}.id and x.location_id = {b}.id)",
        ),
    ),
)  # fmt: skip
_DATASTREAM = Entity(
    "Datastreams", "Datastream", "sensing.datastream", "{a}.id", ("{a}.id",),
    (
        _text("name", "title_vi", required=True), _DESCRIPTION,
        _text("observationType", "observation_type", required=True),
        Attribute(
            "unitOfMeasurement", "json",
            "coalesce({a}.unit_of_measurement, jsonb_build_object('name', {a}.unit, 'symbol', {a}.unit, "
            "'definition', 'http://unitsofmeasure.org/ucum.html#' || {a}.unit))",
            "unit_of_measurement", True,
        ),
        Attribute(
            "observedArea", "geometry", "st_asgeojson({a}.observed_area)::jsonb", None, shape="{a}.observed_area"
        ),
        Attribute(
            "phenomenonTime", "interval",
            "(select l.first_time from sensing.latest l where l.datastream = {a}.fid)",
            end="(select l.phenomenon_time from sensing.latest l where l.datastream = {a}.fid)", period=True,
        ),
        Attribute("resultTime", "interval", "null::timestamptz", end="null::timestamptz", period=True),
        _PROPERTIES,
    ),
    (
        Navigation("Thing", "Things", False, "{b}.id = {a}.thing_id", "thing_id", True, True),
        Navigation("Sensor", "Sensors", False, "{b}.id = {a}.sensor_id", "sensor_id", True),
        Navigation(
            "ObservedProperty", "ObservedProperties", False, "{b}.id = {a}.observed_property", "observed_property",
            True, True,
        ),
        Navigation("Observations", "Observations", True, "{b}.datastream = {a}.fid"),
    ),
)  # fmt: skip
_SENSOR = Entity(
    "Sensors", "Sensor", "sensing.sensor", "{a}.id", ("{a}.id",),
    (_NAME, _DESCRIPTION, _ENCODING, _json("metadata", "metadata", required=True), _PROPERTIES),
    (Navigation("Datastreams", "Datastreams", True, "{b}.sensor_id = {a}.id"),),
)  # fmt: skip
_OBSERVED_PROPERTY = Entity(
    "ObservedProperties", "ObservedProperty", "sensing.observed_property", "{a}.id", ("{a}.id",),
    (_NAME, _text("definition", "definition", required=True), _DESCRIPTION, _PROPERTIES),
    (Navigation("Datastreams", "Datastreams", True, "{b}.observed_property = {a}.id"),),
)  # fmt: skip
_OBSERVATION = Entity(
    "Observations", "Observation", "sensing.reading", OBSERVATION_KEY,
    ("{a}.datastream", "{a}.phenomenon_time"),
    (
        Attribute(
            "phenomenonTime", "interval", "{a}.phenomenon_time", "phenomenon_time",
            end="coalesce({a}.phenomenon_end, {a}.phenomenon_time)",
        ),
        Attribute("result", "result", "coalesce(to_jsonb({a}.result), {a}.value)", "result", True, always=True),
        Attribute("resultTime", "time", "{a}.result_time", "result_time", always=True),
        Attribute("resultQuality", "number", "{a}.quality", "quality"),
        Attribute("validTime", "interval", "{a}.valid_start", "valid_start", end="{a}.valid_end", period=True),
        _json("parameters", "parameters"),
    ),
    (
        Navigation("Datastream", "Datastreams", False, "{b}.fid = {a}.datastream", "datastream", True, True),
        Navigation(
            "FeatureOfInterest", "FeaturesOfInterest", False,
            "{b}.id = coalesce({a}.feature_of_interest_id, "
            "(select d.feature_of_interest_id from sensing.datastream d where d.fid = {a}.datastream))",
            "feature_of_interest_id",
        ),
    ),
)  # fmt: skip
_FEATURE_OF_INTEREST = Entity(
    "FeaturesOfInterest", "FeatureOfInterest", "sensing.feature_of_interest", "{a}.id", ("{a}.id",),
    (
        _NAME, _DESCRIPTION, _ENCODING,
        Attribute("feature", "geometry", "{a}.feature", "feature", True, shape="{a}.geom"), _PROPERTIES,
    ),
    (
        Navigation(
            "Observations", "Observations", True,
            "{b}.feature_of_interest_id = {a}.id or {b}.feature_of_interest_id is null and {b}.datastream = any (array("
            "select d.fid from sensing.datastream d where d.feature_of_interest_id = {a}.id))",
            scattered=True,
        ),
    ),
)  # fmt: skip

ENTITIES: Mapping[str, Entity] = MappingProxyType(
    {
        entity.name: entity
        for entity in (
            _THING, _LOCATION, _HISTORICAL_LOCATION, _DATASTREAM, _SENSOR, _OBSERVED_PROPERTY, _OBSERVATION,
            _FEATURE_OF_INTEREST,
        )
    }
)  # fmt: skip
