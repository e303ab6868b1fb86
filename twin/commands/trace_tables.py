"""What ``twin trace`` prints: figures of a trace, and of an isolation the sheet that a crew takes along."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from twin.processes.trace import KIND_TITLES, NETWORKS

MOST_ROWS = 40
_EQUIPMENT = {
    "customers": "khách hàng · customers",
    "hydrants": "trụ nước chữa cháy · hydrants",
    "hospitals": "bệnh viện · hospitals",
    "schools": "trường học · schools",
    "luminaires": "đèn · lamps",
    "cabinets": "tủ chiếu sáng · cabinets",
    "transformers": "trạm biến áp · transformers",
    "catchments": "lưu vực · catchments",
}
_SHEETS = (
    ("close", "ĐÓNG THEO THỨ TỰ · CLOSE IN THIS ORDER"),
    ("close_idle", "CHỈ ĐÓNG NẾU MỞ NGUỒN THAY THẾ · CLOSE ONLY IF ANOTHER FEED IS OPENED"),
    ("already_closed", "ĐANG ĐÓNG, GIỮ NGUYÊN · CLOSED ALREADY, LEAVE"),
    ("stuck", "KẸT, BỎ QUA · STUCK, PASSED OVER"),
)


def print_trace(console: Console, told: Mapping[str, Any]) -> None:
    """Print the figures of a trace."""
    kind, network = KIND_TITLES[told["kind"]], NETWORKS[told["commodity"]]
    console.print(f"[bold]{kind.vi} · {kind.en}[/bold] — {network.vi} · {network.en}")
    _print_starts(console, told["starts"])
    table = Table(box=None, show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("chiều dài · length", f"{told['length']:,.0f} m")
    if "path_length" in told:
        length = told["path_length"]
        table.add_row("đường đi · path", "không có · none" if length is None else f"{length:,.0f} m")
    table.add_row("đoạn, nút · links, nodes", f"{told['link_count']:,}, {told['node_count']:,}")
    for each in told["counts"]:
        table.add_row(f"{each['title']['vi']} · {each['title']['en']}", f"{each['count']:,}")
    for kind_, each in told["equipment"].items():
        if each["count"]:
            table.add_row(_EQUIPMENT.get(kind_, kind_), f"{each['sum']:,.0f}")
    for each in told["results"]:
        if each["function"] != "length":
            table.add_row(each["function"], _write_result(each))
    console.print(table)
    _print_end(console, told)


def print_isolation(console: Console, told: Mapping[str, Any]) -> None:
    """Print valves in order with places and turns, and who is without water."""
    console.print("[bold]CÔ LẬP SỰ CỐ · ISOLATION[/bold]")
    _print_starts(console, told["starts"])
    valves = told["valves"]
    for key, title in _SHEETS:
        if valves[key]:
            console.print(f"\n[bold]{title}[/bold]")
            console.print(_tabulate_valves(valves[key]))
    if not valves["close"] and not valves["close_idle"]:
        console.print("không cần đóng van nào · no valve needs closing")
    for each in valves["sources_inside"]:
        console.print(f"[bold red]NGUỒN TRONG VÙNG, PHẢI NGỪNG · SOURCE INSIDE, SHUT IT:[/bold red] {_name(each)}")
    dry, behind = told["without_water"], told["behind"]
    console.print("\n[bold]MẤT NƯỚC · WITHOUT WATER[/bold]")
    table = Table("", "cộng · all", "trong đó mất nguồn cấp · of it fed only through", box=None, header_style="bold")
    table.add_row("ống · pipes", f"{dry['length']:,.0f} m", f"{behind['length']:,.0f} m")
    for key in ("customers", "population", "hydrants", "hospitals", "schools"):
        if key in dry:
            label = "người · people" if key == "population" else _EQUIPMENT[key]
            table.add_row(label, f"{dry[key]:,}", f"{behind[key]:,}")
    console.print(table)
    for kind, rows in told["named"].items():
        if rows:
            console.print(f"{_EQUIPMENT[kind]}: " + "; ".join(_name(row) for row in rows[:MOST_ROWS]))
    for row in told.get("customers", ()):
        console.print(f"  {row['item'].rpartition('/')[2]}  {row.get('address', '')}")
    if told["feeds"]:
        console.print("\n[bold]CÓ THỂ CẤP THAY THẾ · OTHER FEEDS[/bold] (mở · open)")
        for feed in told["feeds"]:
            again = feed["restores"]
            console.print(f"  {_name(feed)}: {again['customers']:,} khách · customers, {again['length']:,.0f} m")
    for end in told["dead_ends"]:
        console.print(
            f"cụt · dead end {end['length']:,.0f} m tại · at {end['valve']}: {', '.join(end['items'][:5])}", style="dim"
        )
    _print_end(console, told)


def _tabulate_valves(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("", "van · valve", "đường · street", "DN", "vòng · turns", "kinh độ, vĩ độ · lon, lat",
                  "vận hành · operated", "ghi chú · note", box=None, header_style="bold")  # fmt: skip
    for row in rows:
        longitude, latitude = row["position"]
        diameter = row.get("diameter")
        table.add_row(
            str(row.get("order", "")),
            str(row.get("item", "")).rpartition("/")[2],
            str(row.get("street", "")),
            "" if diameter is None else f"{1000 * diameter:.0f}",
            str(row.get("turns", "")),
            f"{longitude:.6f}, {latitude:.6f}",
            str(row.get("last_operated", "")),
            str(row.get("note", "")),
        )
    return table


def _print_starts(console: Console, starts: Sequence[Mapping[str, Any]]) -> None:
    for start in starts:
        away = f", cách · {start['distance']:g} m" if "distance" in start else ""
        parts = start.get("parts", 1)
        part = f", đoạn · part {start['length']:g} m (1/{parts})" if parts > 1 else ""
        console.print(f"từ · from {start['item']}{away}{part}")


def _print_end(console: Console, told: Mapping[str, Any]) -> None:
    if told["unresolved"]:
        console.print(
            f"{told['unresolved']} chỗ chưa nối rõ trong mạng · places of the network are not resolved: "
            "twin network check",
            style="yellow",
        )
    console.print(f"bộ lọc · filter: in_trace('{told['id']}')", style="dim")


def _name(row: Mapping[str, Any]) -> str:
    parts = [row.get("name"), row.get("item", "").rpartition("/")[2], row.get("street") or row.get("address")]
    return ", ".join(str(part) for part in parts if part)


def _write_result(each: Mapping[str, Any]) -> str:
    value = each["value"]
    if value is None:
        return "không rõ · unknown"
    if "code_title" in each:
        return f"{each['code_title']['vi']} · {each['code_title']['en']} ({each['item']})"
    written = f"{value:,.3f}".rstrip("0").rstrip(".") + ("" if each.get("unit", "1") == "1" else f" {each['unit']}")
    return f"{written} ({each['item']})" if "item" in each else written
