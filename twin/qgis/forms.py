"""The attribute form of a layer: Vietnamese names with units, lists of codes, check boxes, calendars."""

from xml.etree.ElementTree import Element

from layers.schema import Property, VectorLayer
from twin.qgis.words import add, add_options


def add_form(parent: Element, layer: VectorLayer) -> None:
    """Add fields, their names and their widgets to a map layer."""
    fields = add(parent, "fieldConfiguration")
    _add_field(fields, "id", "TextEdit", {})
    for prop in layer.properties:
        if prop.codes:
            _add_choice(fields, prop)
        else:
            _add_field(fields, prop.name, *_choose_widget(prop))
    aliases = add(parent, "aliases")
    add(aliases, "alias", field="id", index="0", name="Mã")
    for place, prop in enumerate(layer.properties, 1):
        add(aliases, "alias", field=prop.name, index=str(place), name=write_alias(prop))


def write_alias(prop: Property) -> str:
    """Return the name of a property as a form shows it, with its unit."""
    symbol = prop.measure.symbol if prop.measure else ""
    return f"{prop.title.vi} ({symbol})" if symbol not in ("", "–") else prop.title.vi


def _choose_widget(prop: Property) -> tuple[str, dict[str, str]]:
    if prop.type == "boolean":
        return "CheckBox", {"CheckedState": "", "UncheckedState": ""}
    if prop.type == "date":
        return "DateTime", {"display_format": "dd/MM/yyyy", "field_format": "yyyy-MM-dd", "calendar_popup": "true"}
    return "TextEdit", {"IsMultiline": "false"}


def _add_field(fields: Element, name: str, widget: str, options: dict[str, str]) -> None:
    field = add(fields, "field", name=name, configurationFlags="None")
    add_options(add(add(field, "editWidget", type=widget), "config"), options)


def _add_choice(fields: Element, prop: Property) -> None:
    field = add(fields, "field", name=prop.name, configurationFlags="None")
    config = add(add(field, "editWidget", type="ValueMap"), "config")
    choices = add(add(config, "Option", type="Map"), "Option", type="List", name="map")
    for code in prop.codes:
        add(add(choices, "Option", type="Map"), "Option", name=code.title.vi, value=code.value, type="QString")
