"""Pages of items: a table of many with a sketch, all of one."""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from api.pages.parts import (
    Shown,
    anchor,
    both,
    buttons,
    facts,
    section,
    show_value,
    table,
    write_page,
)
from api.pages.sketch import draw_sketch
from layers.access import visible_layers
from layers.schema import Property, VectorLayer

_FILES = (("json", "GeoJSON"), ("jsonfg", "JSON-FG"), ("csv", "CSV"), ("xlsx", "Excel"), ("gpkg", "GeoPackage"),
          ("fgb", "FlatGeobuf"), ("parquet", "GeoParquet"))  # fmt: skip
_SEARCH = (
    "<form method='get' action='{path}'><input type='hidden' name='f' value='html'><input type='search' name='q' "
    "value='{words}' placeholder='Tìm theo tên, mã, địa chỉ – search' aria-label='Tìm – search'>"
    "<button>Tìm</button></form>"
)


def write_items(document: dict[str, Any], shown: Shown) -> str:
    """Return the page of a page of items, those of a saved query too."""
    above = next(link["href"] for link in document["links"] if link["rel"] == "collection")
    layer = visible_layers()[above.rsplit("/", 1)[-1]]
    features = document["features"]
    known = [layer.find(name) for name in (features[0]["properties"] if features else ())]
    # A column that is empty on the whole page tells nothing.
    columns = [p for p in known if p and any(one["properties"][p.name] is not None for one in features)]
    rows = [_write_row(layer, one, columns) for one in features]
    heads = [both("Mã", "Id"), *(_name(prop) for prop in columns)]
    sketch = draw_sketch([one["geometry"] for one in features]) if _is_in_degrees(shown) else ""
    matched = document.get("numberMatched")
    count = f"{document['numberReturned']}" + (f" / {matched}" if matched is not None else "")
    following = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    cursor = _read_cursor(following)
    pager = [(shown.link(cursor=None), both("Trang đầu", "First page"))] if "cursor" in shown.query else []
    pager += [(shown.link(cursor=cursor), both("Trang sau", "Next page"))] if cursor else []
    words = shown.query.get("q", "")
    plain = Shown(shown.path, {key: value for key, value in shown.query.items() if key != "cursor"}, shown.names)
    body = [
        f"<h1>{both(*layer.title)}</h1><p class='note'>{both('Số đối tượng', 'Items')}: {count}</p>",
        _SEARCH.format(path=escape(shown.path), words=escape(words, quote=True)),
        section(sketch) if sketch else "",
        section(table(heads, rows) if rows else f"<p>{both('Không có đối tượng nào.', 'There is no item.')}</p>"),
        buttons(pager, "Trang – pages") if pager else "",
        buttons([(plain.link_form(form), escape(title)) for form, title in _FILES], "Định dạng – formats"),
    ]
    return write_page(f"{layer.title.vi} – {layer.title.en}", body, _way(layer)[:-1])


def write_item(document: dict[str, Any], shown: Shown) -> str:
    """Return the page of one item: every property with its title and unit, its place, its history."""
    layer = visible_layers()[shown.names["layer"]]
    item_id = str(document["id"])
    rows = [(both("Mã", "Id"), f"<code>{escape(item_id)}</code>")]
    for name, value in document["properties"].items():
        prop = layer.find(name)
        if prop is not None:
            rows.append((_name(prop), _show(prop, value)))
    own = f"/api/collections/{layer.id}/items/{quote(item_id, safe='')}"
    more = [
        (f"/#item={layer.id}/{quote(item_id, safe='')}", both("Trên bản đồ", "On the map")),
        (f"{own}/versions", both("Lịch sử", "History")),
        (f"{own}/attachments", both("Tệp đính kèm", "Attachments")),
        (f"{own}?f=json", "GeoJSON"),
        (f"{own}?f=jsonfg", "JSON-FG"),
    ]
    sketch = draw_sketch([document["geometry"]]) if _is_in_degrees(shown) else ""
    title = _find_name(layer, document["properties"]) or item_id
    body = [
        f"<h1>{escape(title)}</h1><p class='note'>{both(*layer.title)}</p>",
        section(sketch) if sketch else "",
        section(facts(rows)),
        buttons(more, "Xem thêm – more"),
    ]
    return write_page(f"{title} – {layer.title.vi}", body, _way(layer))


def _way(layer: VectorLayer) -> Sequence[tuple[str, str]]:
    own = f"/api/collections/{layer.id}"
    return ("/api/collections", "Các lớp – Collections"), (own, layer.title.vi), (f"{own}/items", "Đối tượng – Items")


def _write_row(layer: VectorLayer, feature: dict[str, Any], columns: Sequence[Property]) -> list[str]:
    item_id = str(feature["id"])
    address = f"/api/collections/{layer.id}/items/{quote(item_id, safe='')}?f=html"
    return [anchor(address, escape(item_id)), *(_show(p, feature["properties"][p.name], brief=True) for p in columns)]


def _name(prop: Property) -> str:
    unit = f" <span class='en'>[{escape(prop.measure.symbol)}]</span>" if prop.measure and prop.measure.symbol else ""
    return both(*prop.title) + unit


def _show(prop: Property, value: Any, *, brief: bool = False) -> str:
    """Return a value; one of a code list by its title."""
    code = next((code for code in prop.codes if code.value == value), None)
    if code is not None:
        return escape(code.title.vi) if brief else both(*code.title)
    return show_value(value)


def _find_name(layer: VectorLayer, properties: dict[str, Any]) -> str | None:
    for name in (layer.style.label, "name", "address"):
        if name is not None and isinstance(properties.get(name), str):
            return str(properties[name])
    return None


def _is_in_degrees(shown: Shown) -> bool:
    return "crs" not in shown.query


def _read_cursor(address: str | None) -> str | None:
    for part in (address or "").partition("?")[2].split("&"):
        name, _, value = part.partition("=")
        if name == "cursor":
            return unquote(value)
    return None
