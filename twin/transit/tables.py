"""The files of GTFS Schedule as the reference declares them: fields, types, codes, keys, references.

Source: General Transit Feed Specification Reference, https://gtfs.org/documentation/schedule/reference/ (2025). What a
feed holds besides is kept as it came.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "id", "text", "url", "email", "phone", "language", "timezone", "color", "currency", "date", "time", "enum",
    "integer", "float", "latitude", "longitude",
]  # fmt: skip
Presence = Literal["required", "recommended", "optional", "conditional"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``codes`` are the values of an enumeration; ``references`` the ``file.field`` it may point to.

    ``low`` is the least number allowed; ``above`` says that the number must be greater than it.
    """

    name: str
    kind: Kind
    presence: Presence = "optional"
    codes: tuple[int, ...] = ()
    references: tuple[str, ...] = ()
    low: float | None = None
    above: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its name without ending, whether a feed must hold it, the columns that together name a row."""

    name: str
    presence: Presence
    key: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def filename(self) -> str:
        """The file's name in the feed."""
        return f"{self.name}.txt"

    def find(self, name: str) -> Field | None:
        """Return the field called ``name``, or None."""
        return next((field for field in self.fields if field.name == name), None)


def _enum(name: str, *codes: int, presence: Presence = "optional") -> Field:
    return Field(name, "enum", presence, codes)


def _refer(name: str, *references: str, presence: Presence = "optional") -> Field:
    return Field(name, "id", presence, references=references)


def _count(name: str, presence: Presence = "optional", *, above: bool = False) -> Field:
    return Field(name, "integer", presence, low=0.0, above=above)


def _length(name: str, presence: Presence = "optional") -> Field:
    return Field(name, "float", presence, low=0.0)


def _text(name: str, presence: Presence = "optional") -> Field:
    return Field(name, "text", presence)


def _id(name: str, presence: Presence = "optional") -> Field:
    return Field(name, "id", presence)


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ROUTE_TYPES = (0, 1, 2, 3, 4, 5, 6, 7, 11, 12)
_STOP, _ROUTE, _TRIP = "stops.stop_id", "routes.route_id", "trips.trip_id"
_SERVICE = ("calendar.service_id", "calendar_dates.service_id")

_ALL = (
    Table(
        "agency",
        "required",
        ("agency_id",),
        (
            _id("agency_id", "conditional"),
            _text("agency_name", "required"),
            Field("agency_url", "url", "required"),
            Field("agency_timezone", "timezone", "required"),
            Field("agency_lang", "language"),
            Field("agency_phone", "phone"),
            Field("agency_fare_url", "url"),
            Field("agency_email", "email"),
            _enum("cemv_support", 0, 1, 2),
        ),
    ),
    Table(
        "stops",
        "required",
        ("stop_id",),
        (
            _id("stop_id", "required"),
            _text("stop_code"),
            _text("stop_name", "conditional"),
            _text("tts_stop_name"),
            _text("stop_desc"),
            Field("stop_lat", "latitude", "conditional"),
            Field("stop_lon", "longitude", "conditional"),
            _id("zone_id"),
            Field("stop_url", "url"),
            _enum("location_type", 0, 1, 2, 3, 4),
            _refer("parent_station", _STOP, presence="conditional"),
            Field("stop_timezone", "timezone"),
            _enum("wheelchair_boarding", 0, 1, 2),
            _refer("level_id", "levels.level_id"),
            _text("platform_code"),
            _enum("stop_access", 0, 1),
        ),
    ),
    Table(
        "routes",
        "required",
        ("route_id",),
        (
            _id("route_id", "required"),
            _refer("agency_id", "agency.agency_id", presence="conditional"),
            _text("route_short_name", "conditional"),
            _text("route_long_name", "conditional"),
            _text("route_desc"),
            _enum("route_type", *ROUTE_TYPES, presence="required"),
            Field("route_url", "url"),
            Field("route_color", "color"),
            Field("route_text_color", "color"),
            _count("route_sort_order"),
            _enum("continuous_pickup", 0, 1, 2, 3),
            _enum("continuous_drop_off", 0, 1, 2, 3),
            _id("network_id"),
            _enum("cemv_support", 0, 1, 2),
        ),
    ),
    Table(
        "trips",
        "required",
        ("trip_id",),
        (
            _refer("route_id", _ROUTE, presence="required"),
            _refer("service_id", *_SERVICE, presence="required"),
            _id("trip_id", "required"),
            _text("trip_headsign"),
            _text("trip_short_name"),
            _enum("direction_id", 0, 1),
            _id("block_id"),
            _refer("shape_id", "shapes.shape_id", presence="conditional"),
            _enum("wheelchair_accessible", 0, 1, 2),
            _enum("bikes_allowed", 0, 1, 2),
            _enum("cars_allowed", 0, 1, 2),
        ),
    ),
    Table(
        "stop_times",
        "required",
        ("trip_id", "stop_sequence"),
        (
            _refer("trip_id", _TRIP, presence="required"),
            Field("arrival_time", "time", "conditional"),
            Field("departure_time", "time", "conditional"),
            _refer("stop_id", _STOP, presence="conditional"),
            _refer("location_group_id", "location_groups.location_group_id"),
            _id("location_id"),
            _count("stop_sequence", "required"),
            _text("stop_headsign"),
            Field("start_pickup_drop_off_window", "time"),
            Field("end_pickup_drop_off_window", "time"),
            _enum("pickup_type", 0, 1, 2, 3),
            _enum("drop_off_type", 0, 1, 2, 3),
            _enum("continuous_pickup", 0, 1, 2, 3),
            _enum("continuous_drop_off", 0, 1, 2, 3),
            _length("shape_dist_traveled"),
            _enum("timepoint", 0, 1),
            _id("pickup_booking_rule_id"),
            _id("drop_off_booking_rule_id"),
        ),
    ),
    Table(
        "calendar",
        "conditional",
        ("service_id",),
        (
            _id("service_id", "required"),
            *(_enum(day, 0, 1, presence="required") for day in _DAYS),
            Field("start_date", "date", "required"),
            Field("end_date", "date", "required"),
        ),
    ),
    Table(
        "calendar_dates",
        "conditional",
        ("service_id", "date"),
        (
            _id("service_id", "required"),
            Field("date", "date", "required"),
            _enum("exception_type", 1, 2, presence="required"),
        ),
    ),
    Table(
        "fare_attributes",
        "optional",
        ("fare_id",),
        (
            _id("fare_id", "required"),
            _length("price", "required"),
            Field("currency_type", "currency", "required"),
            _enum("payment_method", 0, 1, presence="required"),
            _enum("transfers", 0, 1, 2),
            _refer("agency_id", "agency.agency_id"),
            _count("transfer_duration"),
        ),
    ),
    Table(
        "fare_rules",
        "optional",
        ("fare_id", "route_id", "origin_id", "destination_id", "contains_id"),
        (
            _refer("fare_id", "fare_attributes.fare_id", presence="required"),
            _refer("route_id", _ROUTE),
            _refer("origin_id", "stops.zone_id"),
            _refer("destination_id", "stops.zone_id"),
            _refer("contains_id", "stops.zone_id"),
        ),
    ),
    Table(
        "shapes",
        "optional",
        ("shape_id", "shape_pt_sequence"),
        (
            _id("shape_id", "required"),
            Field("shape_pt_lat", "latitude", "required"),
            Field("shape_pt_lon", "longitude", "required"),
            _count("shape_pt_sequence", "required"),
            _length("shape_dist_traveled"),
        ),
    ),
    Table(
        "frequencies",
        "optional",
        ("trip_id", "start_time"),
        (
            _refer("trip_id", _TRIP, presence="required"),
            Field("start_time", "time", "required"),
            Field("end_time", "time", "required"),
            _count("headway_secs", "required", above=True),
            _enum("exact_times", 0, 1),
        ),
    ),
    Table(
        "transfers",
        "optional",
        ("from_stop_id", "to_stop_id", "from_trip_id", "to_trip_id", "from_route_id", "to_route_id"),
        (
            _refer("from_stop_id", _STOP, presence="conditional"),
            _refer("to_stop_id", _STOP, presence="conditional"),
            _refer("from_route_id", _ROUTE),
            _refer("to_route_id", _ROUTE),
            _refer("from_trip_id", _TRIP),
            _refer("to_trip_id", _TRIP),
            _enum("transfer_type", 0, 1, 2, 3, 4, 5, presence="required"),
            _count("min_transfer_time"),
        ),
    ),
    Table(
        "pathways",
        "optional",
        ("pathway_id",),
        (
            _id("pathway_id", "required"),
            _refer("from_stop_id", _STOP, presence="required"),
            _refer("to_stop_id", _STOP, presence="required"),
            _enum("pathway_mode", 1, 2, 3, 4, 5, 6, 7, presence="required"),
            _enum("is_bidirectional", 0, 1, presence="required"),
            _length("length"),
            _count("traversal_time", above=True),
            Field("stair_count", "integer"),
            Field("max_slope", "float"),
            Field("min_width", "float", low=0.0, above=True),
            _text("signposted_as"),
            _text("reversed_signposted_as"),
        ),
    ),
    Table(
        "levels",
        "optional",
        ("level_id",),
        (_id("level_id", "required"), Field("level_index", "float", "required"), _text("level_name")),
    ),
    Table(
        "location_groups",
        "optional",
        ("location_group_id",),
        (_id("location_group_id", "required"), _text("location_group_name")),
    ),
    Table(
        "location_group_stops",
        "optional",
        ("location_group_id", "stop_id"),
        (
            _refer("location_group_id", "location_groups.location_group_id", presence="required"),
            _refer("stop_id", _STOP, presence="required"),
        ),
    ),
    Table("areas", "optional", ("area_id",), (_id("area_id", "required"), _text("area_name"))),
    Table(
        "stop_areas",
        "optional",
        ("area_id", "stop_id"),
        (_refer("area_id", "areas.area_id", presence="required"), _refer("stop_id", _STOP, presence="required")),
    ),
    Table("networks", "optional", ("network_id",), (_id("network_id", "required"), _text("network_name"))),
    Table(
        "route_networks",
        "optional",
        ("route_id",),
        (
            _refer("network_id", "networks.network_id", presence="required"),
            _refer("route_id", _ROUTE, presence="required"),
        ),
    ),
    Table(
        "translations",
        "optional",
        ("table_name", "field_name", "language", "record_id", "record_sub_id", "field_value"),
        (
            _text("table_name", "required"),
            _text("field_name", "required"),
            Field("language", "language", "required"),
            _text("translation", "required"),
            _id("record_id", "conditional"),
            _id("record_sub_id", "conditional"),
            _text("field_value", "conditional"),
        ),
    ),
    Table(
        "feed_info",
        "recommended",
        (),
        (
            _text("feed_publisher_name", "required"),
            Field("feed_publisher_url", "url", "required"),
            Field("feed_lang", "language", "required"),
            Field("default_lang", "language"),
            Field("feed_start_date", "date", "recommended"),
            Field("feed_end_date", "date", "recommended"),
            _text("feed_version", "recommended"),
            Field("feed_contact_email", "email"),
            Field("feed_contact_url", "url"),
        ),
    ),
    Table(
        "attributions",
        "optional",
        ("attribution_id",),
        (
            _id("attribution_id"),
            _refer("agency_id", "agency.agency_id"),
            _refer("route_id", _ROUTE),
            _refer("trip_id", _TRIP),
            _text("organization_name", "required"),
            _enum("is_producer", 0, 1),
            _enum("is_operator", 0, 1),
            _enum("is_authority", 0, 1),
            Field("attribution_url", "url"),
            Field("attribution_email", "email"),
            Field("attribution_phone", "phone"),
        ),
    ),
)  # fmt: skip

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
WEEKDAYS = _DAYS
# What the reference names and nothing here reads: kept as it came, and not told as unknown.
KEPT = frozenset({
    "timeframes", "rider_categories", "fare_media", "fare_products", "fare_leg_rules", "fare_leg_join_rules",
    "fare_transfer_rules", "booking_rules",
})  # fmt: skip
