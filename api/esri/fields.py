"""Fields of a layer in GeoServices, and values in both directions: times are milliseconds, yes and no are 1 and 0."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.esri.where import OBJECT_ID
from layers.errors import InputError
from layers.ingest.clean import LONGEST_ID
from layers.schema import Property, VectorLayer

_TYPES = {
    "string": "esriFieldTypeString",
    "integer": "esriFieldTypeBigInteger",
    "number": "esriFieldTypeDouble",
    "boolean": "esriFieldTypeSmallInteger",
    "date": "esriFieldTypeDate",
    "datetime": "esriFieldTypeDate",
}
_LONGEST_TEXT = 4000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_fields(layer: VectorLayer) -> list[dict[str, Any]]:
    """Return the fields of ``layer``: object id, item id, and every property everybody may see."""
    fixed = [
        {"name": OBJECT_ID, "type": "esriFieldTypeOID", "alias": OBJECT_ID, "editable": False, "nullable": False},
        {"name": "id", "type": "esriFieldTypeString", "alias": "Mã", "length": LONGEST_ID, "nullable": False},
    ]
    described = [
        {"sqlType": "sqlTypeOther", "domain": None, "defaultValue": None, "editable": True} | one for one in fixed
    ]
    return described + [_describe(prop) for prop in layer.properties]


def _describe(prop: Property) -> dict[str, Any]:
    unit = f" [{prop.measure.symbol}]" if prop.measure and prop.measure.symbol else ""
    described: dict[str, Any] = {
        "name": prop.name,
        "type": _TYPES[prop.type],
        "alias": prop.title.vi + unit,
        "description": prop.title.en,
        "sqlType": "sqlTypeOther",
        "nullable": not prop.required,
        "editable": True,
        "domain": _describe_domain(prop),
        "defaultValue": None,
    }
    if prop.type == "string":
        described["length"] = _LONGEST_TEXT
    return described


def _describe_domain(prop: Property) -> dict[str, Any] | None:
    values: list[tuple[Any, str]] = [(code.value, code.title.vi) for code in prop.codes]
    if prop.type == "boolean":
        values = [(1, "Có"), (0, "Không")]
    if not values:
        return None
    coded = [{"name": title, "code": value} for value, title in values]
    return {"type": "codedValue", "name": prop.name, "codedValues": coded}


def write_value(value: object) -> object:
    """Return a value as a client reads it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return round((value - _EPOCH) / timedelta(milliseconds=1))
    if isinstance(value, date):
        return write_value(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return value


def read_value(prop: Property, value: Any) -> Any:
    """Return a client's value as an edit takes it: JSON of the property's own type."""
    if value is None:
        return None
    if prop.type == "boolean" and value in (0, 1):
        return bool(value)
    if prop.type in ("date", "datetime") and isinstance(value, int | float) and not isinstance(value, bool):
        moment = read_milliseconds(value, prop.name)
        return moment.date().isoformat() if prop.type == "date" else moment.isoformat()
    return value


def read_milliseconds(value: float, name: str) -> datetime:
    """Return the moment ``value`` ms after 1970; InputError names ``name``."""
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        raise InputError(f"{name} {value} is not a time in milliseconds since 1970") from None
