"""Pages of the way in: landing, conformance, all collections, one of them."""

from html import escape
from typing import Any

from api.pages.parts import (
    Shown,
    anchor,
    anchor_link,
    both,
    both_of,
    buttons,
    facts,
    heading,
    section,
    table,
    write_page,
)
from layers.access import visible_layers
from layers.registry import LAYERS, THEMES

_PAGES = (
    ("/api/collections?f=html", "Các lớp dữ liệu", "Collections of features"),
    ("/api/processes?f=html", "Phân tích", "Processes"),
    ("/api/jobs?f=html", "Việc đang chạy", "Jobs"),
    ("/api/docs", "Mô tả giao diện", "Description of the API"),
    ("/api/conformance?f=html", "Chuẩn tuân theo", "Standards kept"),
    ("/verification", "Kiểm chứng dự báo", "Verification of forecasts"),
)

_SCHEMAS = {
    "queryables": ("Lọc được theo", "Queryables: what items can be filtered by"),
    "sortables": ("Sắp xếp được theo", "Sortables: what items can be sorted by"),
    "schema": ("Lược đồ của đối tượng", "Schema of the items"),
}
_HEADS = (("Tên", "Name"), ("Nghĩa", "Meaning"), ("Kiểu", "Type"), ("Đơn vị", "Unit"), ("Giá trị", "Codes"))


def write_landing(document: dict[str, Any], _shown: Shown) -> str:
    """Return the landing page."""
    heads = [both("Tài nguyên", "Resource"), both("Loại", "Type")]
    rows = [[anchor_link(link), escape(str(link.get("type", "")))] for link in document["links"]]
    entries = [(path, both(vi, en)) for path, vi, en in _PAGES]
    body = [
        f"<h1>{both_of(document.get('title_i18n'), document['title'])}</h1>",
        f"<p>{escape(document['description'])}</p>",
        buttons(entries, "Lối vào – entries"),
        section(heading("Mọi liên kết", "All links"), table(heads, rows)),
        f"<p class='note'>{both('Nguồn', 'Attribution')}: {escape(str(document.get('attribution', '')))}</p>",
    ]
    return write_page(document["title"], body)


def write_conformance(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of the conformance classes."""
    rows = "".join(f"<li><code>{escape(one)}</code></li>" for one in document["conformsTo"])
    body = [heading("Chuẩn tuân theo", "Standards kept", 1), section(f"<ul>{rows}</ul>")]
    return write_page("Chuẩn tuân theo – Conformance", body)


def write_collections(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of all collections by theme."""
    told = {one["id"]: one for one in document["collections"]}
    body = [heading("Các lớp dữ liệu", "Collections of features", 1)]
    for theme in THEMES:
        rows = [
            [
                anchor(f"/api/collections/{key}?f=html", both_of(one.get("title_i18n"), one["title"])),
                both_of(one.get("description_i18n"), one.get("description", "")),
                str(one.get("itemCount", "")),
            ]
            for key, one in told.items()
            if key in LAYERS and LAYERS[key].theme == theme.id
        ]
        if rows:
            heads = [both("Lớp", "Collection"), both("Nội dung", "Content"), both("Số lượng", "Items")]
            body.append(section(heading(*theme.title), table(heads, rows)))
    return write_page("Các lớp dữ liệu – Collections", body)


def write_collection(document: dict[str, Any], shown: Shown) -> str:
    """Return the page of a collection: what it holds and which properties its items have."""
    layer = visible_layers().get(shown.names["layer"])
    if layer is None:
        return _write_raster(document)
    own = f"/api/collections/{layer.id}"
    boxes = document.get("extent", {}).get("spatial", {}).get("bbox", [])
    about = [
        (both("Mã lớp", "Id"), f"<code>{escape(layer.id)}</code>"),
        (both("Số đối tượng", "Items"), str(document.get("itemCount", "–"))),
        (both("Hệ toạ độ lưu trữ", "Storage CRS"), f"<code>{escape(str(document.get('storageCrs', '')))}</code>"),
        *(
            (both("Phạm vi", "Extent"), escape(", ".join(f"{edge:.5f}" for edge in box)) + " (CRS84)")
            for box in boxes[:1]
        ),
    ]
    rows = [
        [
            f"<code>{escape(prop.name)}</code>",
            both(*prop.title),
            escape(prop.type),
            escape(prop.measure.symbol) if prop.measure else "",
            ", ".join(escape(code.title.vi) for code in prop.codes),
        ]
        for prop in layer.properties
    ]
    heads = [both(*words) for words in _HEADS]
    more = [
        (f"{own}/items?f=html", both("Các đối tượng", "Items")),
        (f"{own}/queryables", "Queryables"),
        (f"{own}/schema", "Schema"),
        (f"{own}/tiles", both("Ô bản đồ", "Tiles")),
        (f"/#layers=~{layer.id}", both("Trên bản đồ", "On the map")),
        (f"{own}?f=json", "JSON"),
    ]
    body = [
        f"<h1>{both(*layer.title)}</h1><p>{both(*layer.description)}</p>",
        buttons(more, "Xem thêm – more"),
        section(facts(about)),
        section(heading("Thuộc tính", "Properties"), table(heads, rows)),
    ]
    return write_page(f"{layer.title.vi} – {layer.title.en}", body, [("/api/collections", "Các lớp – Collections")])


def _write_raster(document: dict[str, Any]) -> str:
    """Return the page of a collection that has no items: a raster, with where it can be had."""
    rows = [[anchor_link(link), escape(str(link.get("type", "")))] for link in document["links"]]
    body = [
        f"<h1>{both_of(document.get('title_i18n'), document['title'])}</h1>",
        f"<p>{both_of(document.get('description_i18n'), document.get('description', ''))}</p>",
        section(table([both("Tài nguyên", "Resource"), both("Loại", "Type")], rows)),
    ]
    return write_page(str(document["title"]), body, [("/api/collections", "Các lớp – Collections")])


def write_schema(document: dict[str, Any], shown: Shown) -> str:
    """Return the page of a JSON Schema: queryables, sortables, or all of an item."""
    layer = visible_layers()[shown.names["layer"]]
    rows = []
    for name, one in document["properties"].items():
        prop = layer.find(name)
        kind = escape(str(one.get("type", one.get("format", ""))))
        codes = ", ".join(escape(code.title.vi) for code in prop.codes) if prop else ""
        unit = escape(prop.measure.symbol) if prop and prop.measure else ""
        rows.append([f"<code>{escape(name)}</code>", both(*prop.title) if prop else "", kind, unit, codes])
    vi, en = _SCHEMAS[shown.names["what"]]
    body = [
        f"<h1>{both(*layer.title)}</h1><p>{both(vi, en)}</p>",
        section(table([both(*words) for words in _HEADS], rows)),
        buttons([(shown.link_form("json"), "JSON Schema")], "Định dạng – formats"),
    ]
    above = [("/api/collections", "Các lớp – Collections"), (f"/api/collections/{layer.id}", layer.title.vi)]
    return write_page(f"{layer.title.vi} – {en}", body, above)


def write_functions(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of the functions that filters may call."""
    rows = [
        [f"<code>{escape(one['name'])}</code>", escape(one["description"]), f"<code>{escape(one['example'])}</code>"]
        for one in document["functions"]
    ]
    heads = [both("Hàm", "Function"), both("Nghĩa", "Meaning"), both("Ví dụ", "Example")]
    body = [heading("Hàm dùng trong bộ lọc", "Functions of filters", 1), section(table(heads, rows))]
    return write_page("Hàm dùng trong bộ lọc – Functions", body)
