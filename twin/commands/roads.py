"""``twin roads``: the roads of the city as a graph, what is wrong with them, and files for others."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import orjson
import shapely
import typer
from pyproj import CRS
from rich.console import Console
from rich.table import Table

from layers.errors import InputError, NotFoundError
from layers.ingest.crs import read_crs, transform
from layers.ingest.export import check_target, export_features
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.migrate import read_city
from layers.types.network_checks import KINDS
from layers.types.transport import ROAD_CLASS
from network.roads import MODES, ROAD_CLASSES
from twin.connect import connect_to_city
from twin.roads.attributes import ROADS
from twin.roads.checking import FIXES, RoadReport, check_roads, make_findings_frame, share_of_largest
from twin.roads.city_roads import CityRoads
from twin.roads.handing import make_gmns, make_node_link, write_gmns
from twin.roads.warm import ROADS_IN_MEMORY
from twin.settings import read_settings

roads_app = typer.Typer(help="Mạng đường — the roads: list, check, export.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_CRS84 = "EPSG:4326"
_CLASSES = {one.value: one.title for one in ROAD_CLASS}
_KINDS = {one.value: one.title for one in KINDS}
_MODE_WORDS = {
    "car": "ô tô", "motorbike": "xe máy", "truck": "xe tải", "bus": "xe buýt", "emergency": "xe ưu tiên",
    "bicycle": "xe đạp", "foot": "đi bộ",
}  # fmt: skip


class Format(StrEnum):
    """What roads can be written as."""

    gmns = "gmns"
    node_link = "networkx-node-link"


class Mode(StrEnum):
    """What moves."""

    car = "car"
    motorbike = "motorbike"
    truck = "truck"
    bus = "bus"
    emergency = "emergency"
    bicycle = "bicycle"
    foot = "foot"


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(roads_app, name="roads")


@roads_app.callback(invoke_without_command=True)
def list_roads(context: typer.Context, as_json: Json = False) -> None:
    """Mạng đường — the roads as a graph: junctions, links, kilometres by class, who may go where; check, export."""
    if context.invoked_subcommand is not None:
        return
    roads, _, _ = _read(features=False)
    row = _describe(roads)
    if as_json:
        typer.echo(orjson.dumps(row).decode())
        return
    console = _console()
    console.print(
        f"{row['junctions']:,} nút · junctions, {row['edges']:,} đoạn · stretches, {row['links']:,} chiều · links, "
        f"{row['kilometres']:,.1f} km, {row['ferries']} tuyến phà · ferries",
        highlight=False,
    )
    console.print(
        f"{row['banned_turns']} biển cấm rẽ · banned turns, {row['unheeded_signs']} không dùng được · not heeded, "
        f"{row['joined_ends']} đầu nối thêm · ends joined, {row['parted_levels']} chỗ tách tầng · levels parted",
        highlight=False,
    )
    table = Table("cấp đường · class", box=None, header_style="bold")
    table.add_column("km", justify="right")
    for name, length in row["kilometres_by_class"].items():
        table.add_row(f"{_CLASSES[name].vi} · {_CLASSES[name].en}", f"{length:,.1f}")
    console.print(table)
    modes = Table("đi được · may go", box=None, header_style="bold")
    modes.add_column("km một chiều · directed km", justify="right")
    modes.add_column("liên thông · connected", justify="right")
    for name, one in row["modes"].items():
        modes.add_row(f"{_MODE_WORDS[name]} · {name}", f"{one['kilometres']:,.1f}", f"{one['largest_share']:.1%}")
    console.print(modes)
    console.print(f"phiên bản · stamp {row['stamp']}", style="dim", highlight=False)


@roads_app.command("check")
def check(
    examples: Annotated[int, typer.Option(min=0, max=1000, help="Faults to show for each kind.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Write all faults to a file: .geojson, .csv, .gpkg and others.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kiểm tra mạng đường — what is wrong with the roads, with place and fix; exit code 1 when there are errors."""
    if output is not None:
        check_target(output, read_crs(_CRS84))
    roads, features, crs = _read(features=True)
    report = check_roads(roads, features)
    frame = _to_degrees(make_findings_frame(report, crs.to_string()), crs)
    if output is not None:
        export_features(frame, read_vector_layer("network_findings"), output)
    if as_json:
        typer.echo(orjson.dumps(_describe_report(report, frame)).decode())
    else:
        _print(report, frame, examples)
        if output is not None:
            typer.echo(f"→ {output}")
    if report.errors:
        raise typer.Exit(1)


@roads_app.command("export")
def export(
    output: Annotated[Path, typer.Argument(help="roads.zip or a folder for GMNS, roads.json for networkx.")],
    form: Annotated[Format, typer.Option("--format", help="gmns or networkx-node-link.")] = Format.gmns,
    mode: Annotated[Mode, typer.Option(help="With networkx-node-link: whose roads and times.")] = Mode.car,
    as_json: Json = False,
) -> None:
    """Xuất mạng đường — write the roads for other programs: GMNS tables, or JSON that networkx reads."""
    if not output.parent.is_dir():
        raise InputError(f"folder {output.parent} does not exist")
    roads, _, crs = _read(features=False)
    if form is Format.gmns:
        write_gmns(make_gmns(roads, crs), output)
    else:
        output.write_bytes(orjson.dumps(make_node_link(roads, mode.value)))
    done = {"file": str(output), "format": form.value, "junctions": roads.graph.junction_count}
    done["links"] = roads.graph.link_count
    words = f"→ {output}: {done['junctions']:,} nút · junctions, {done['links']:,} chiều · links"
    typer.echo(orjson.dumps(done).decode() if as_json else words)


def _read(*, features: bool) -> tuple[CityRoads, gpd.GeoDataFrame | None, CRS]:
    """Return the roads, the features if asked for, and the city's CRS; NotFoundError where there is no road."""
    with connect_to_city(read_settings()).connect() as connection:
        crs = CRS.from_epsg(read_city(connection).srid)
        roads = ROADS_IN_MEMORY.get(connection)
        frame = select_features(connection, read_vector_layer(ROADS)) if features else None
    if not roads.items.size:
        raise NotFoundError("the city has no roads", hint=f"load lines into {ROADS}: twin load FILE --layer {ROADS}")
    return roads, frame, crs


def _describe(roads: CityRoads) -> dict[str, Any]:
    graph = roads.graph
    lengths = roads.measures[:, 1] - roads.measures[:, 0]
    ferry = np.zeros(graph.edge_count, np.bool_)
    ferry[graph.edges[graph.is_ferry]] = True
    classes = np.full(graph.edge_count, -1)
    classes[graph.edges] = graph.road_classes
    by_class = {
        name: round(float(lengths[(classes == k) & ~ferry].sum()) / 1000.0, 3)
        for k, name in enumerate(ROAD_CLASSES)
        if ((classes == k) & ~ferry).any()
    }
    modes = {
        mode: {
            "kilometres": round(float(graph.lengths[graph.allows(mode)].sum()) / 1000.0, 3),
            "largest_share": round(share_of_largest(roads, mode), 6),
        }
        for mode in MODES
    }
    return {
        "features": len(roads.places), "junctions": graph.junction_count, "edges": graph.edge_count,
        "links": graph.link_count, "nodes": graph.node_count, "arcs": graph.arc_count,
        "kilometres": round(float(lengths[~ferry].sum()) / 1000.0, 3), "ferries": len(set(roads.items[ferry])),
        "kilometres_by_class": by_class, "modes": modes, "banned_turns": len(roads.bans),
        "unheeded_signs": len(roads.unheeded), "joined_ends": len(roads.joined), "parted_levels": len(roads.parted),
        "stamp": roads.stamp,
    }  # fmt: skip


def _to_degrees(frame: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    places = transform(frame.geometry.to_numpy().astype(object), crs, read_crs("OGC:CRS84"))
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=places, crs=_CRS84)


def _describe_report(report: RoadReport, frame: gpd.GeoDataFrame) -> dict[str, Any]:
    places = shapely.get_coordinates(frame.geometry.to_numpy())
    return {
        "parts": report.parts, "largest_share": round(report.largest_share, 6), "errors": report.errors,
        "warnings": len(report.findings) - report.errors, "counts": dict(sorted(report.counts.items())),
        "features": report.features, "missing": dict(report.missing),
        "findings": [
            {
                "kind": one.kind, "severity": one.severity, "layer": one.layer, "items": list(one.items),
                "place": place.round(7).tolist(), "reason": one.reason,
                "measure": None if one.measure is None else round(one.measure, 3), "fix": FIXES[one.kind]._asdict(),
            }
            for one, place in zip(report.findings, places, strict=True)
        ],
    }  # fmt: skip


def _print(report: RoadReport, frame: gpd.GeoDataFrame, examples: int) -> None:
    console = _console()
    console.print(
        f"{report.features:,} đường · roads, {report.parts:,} phần · parts; ô tô đi khắp · a car comes anywhere on "
        f"{report.largest_share:.1%}",
        highlight=False,
    )
    places = shapely.get_coordinates(frame.geometry.to_numpy())
    for kind, count in sorted(report.counts.items(), key=lambda pair: -pair[1]):
        own = [k for k, one in enumerate(report.findings) if one.kind == kind]
        style = "red" if report.findings[own[0]].severity == "error" else "yellow"
        console.print(f"  {count:>7,}  {_KINDS[kind].vi} · {_KINDS[kind].en}", style=style, highlight=False)
        for k in own[:examples]:
            one, place = report.findings[k], places[k]
            who = ", ".join(one.items[:4]) + (" …" if len(one.items) > 4 else "")
            far = f", {one.measure:,.0f} m" if one.measure is not None else ""
            why = f" — {one.reason}" if one.reason else ""
            console.print(f"           {who} ({place[1]:.6f}, {place[0]:.6f}{far}){why}", highlight=False, markup=False)
        if examples:
            fix = FIXES[kind]
            console.print(f"           → {fix.vi} · {fix.en}", highlight=False, style="dim")
    lacking = ", ".join(f"{name} {count:,}" for name, count in report.missing.items() if count)
    if lacking:
        console.print(f"  chưa ghi · not said: {lacking}", highlight=False)
    console.print(
        f"  {report.errors:,} lỗi · errors, {len(report.findings) - report.errors:,} cảnh báo · warnings",
        highlight=False,
    )


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 180)
