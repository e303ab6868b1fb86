"""``twin network``: the networks of the city, built anew, and what is wrong with them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import orjson
import pandas as pd
import shapely
import typer
from pyproj import CRS
from rich.console import Console
from rich.table import Table

from layers.errors import InputError, NotFoundError
from layers.ingest.crs import read_crs, transform
from layers.ingest.export import check_target, export_features
from layers.registry import read_vector_layer
from layers.store.migrate import read_city
from layers.types.network_checks import KINDS
from twin.connect import connect_to_city
from twin.networks.commodities import COMMODITIES, Commodity, read_commodity
from twin.networks.lines_file import check_file
from twin.networks.reading import StoreReader
from twin.networks.storing import build_stored
from twin.networks.validating import WARNINGS, NetworkReport, check_network, make_frame
from twin.networks.warm import WARM
from twin.settings import read_settings

network = typer.Typer(help="Mạng lưới — the networks of the city: list, build, check.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_CRS84 = "EPSG:4326"
_TITLES = {code.value: code.title for code in KINDS}


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(network, name="network")


@network.callback(invoke_without_command=True)
def list_networks(context: typer.Context, as_json: Json = False) -> None:
    """Mạng lưới — the networks of the city: nodes, links, version, unresolved places; build, check."""
    if context.invoked_subcommand is not None:
        return
    with connect_to_city(read_settings()).connect() as connection:
        graphs = [(one, WARM.get(connection, one.id)) for one in COMMODITIES.values()]
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "title": one.title._asdict(),
            "layers": list(one.layers),
            "nodes": graph.graph.node_count,
            "links": graph.graph.link_count,
            "length": round(float(graph.graph.weights.sum()), 3),
            "sources": int(graph.sources.size),
            "sinks": int(graph.sinks.size),
            "valves": int(graph.valves.sum()),
            "unresolved": graph.unresolved,
            "stamp": graph.stamp,
        }
        for one, graph in graphs
    ]
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("mạng · network", "", box=None, header_style="bold")
    for title in (
        "nút · nodes",
        "tuyến · links",
        "km",
        "nguồn · sources",
        "xả · sinks",
        "van · valves",
        "chưa rõ · unresolved",
    ):
        table.add_column(title, justify="right")
    table.add_column("phiên bản · stamp")
    for (one, _), row in zip(graphs, rows, strict=True):
        numbers = [f"{row[key]:,}" for key in ("nodes", "links")]
        rest = [f"{row[key]:,}" for key in ("sources", "sinks", "valves", "unresolved")]
        title = f"{one.title.vi} · {one.title.en}"
        table.add_row(one.id, title, *numbers, f"{row['length'] / 1000.0:,.1f}", *rest, str(row["stamp"]))
    _console().print(table)


@network.command("build")
def build(
    commodity: Annotated[str | None, typer.Argument(help="Only this one; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Dựng lại từ các lớp — build from the layers anew and store."""
    chosen = _choose(commodity)
    engine = connect_to_city(read_settings())
    done: list[dict[str, Any]] = []
    for one in chosen:
        with engine.begin() as connection:
            build_stored(connection, one)
        with engine.connect() as connection:
            graph = WARM.get(connection, one.id)
        done.append(
            {
                "id": one.id, "nodes": graph.graph.node_count, "links": graph.graph.link_count,
                "unresolved": graph.unresolved, "stamp": graph.stamp,
            }
        )  # fmt: skip
    if as_json:
        typer.echo(orjson.dumps(done).decode())
        return
    for row in done:
        typer.echo(f"{row['id']:10} {row['nodes']:,} nút · nodes, {row['links']:,} tuyến · links  {row['stamp']}")


@network.command("check")
def check(
    commodity: Annotated[str | None, typer.Argument(help="Only this one; all that the city has without it.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Check the lines of a file instead, without a database: pipes.shp.")
    ] = None,
    table: Annotated[str | None, typer.Option(help="With --file: the layer or sheet of the file.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="With --file: the column that names the lines.")] = None,
    crs: Annotated[str | None, typer.Option(help="With --file: its CRS, where it does not say it.")] = None,
    tolerance: Annotated[
        float, typer.Option(min=1e-6, max=9.0, help="With --file: ends this close are joined [m].")
    ] = 0.001,
    examples: Annotated[int, typer.Option(min=0, max=1000, help="Faults to show for each kind.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Write all faults to a file: .geojson, .csv, .gpkg and others.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kiểm tra mạng — what is wrong with a network, with place and fix; exit code 1 when there are errors."""
    if output is not None:
        check_target(output, read_crs(_CRS84))
    if file is not None:
        if commodity is not None:
            raise InputError("either a commodity or --file is checked, not both")
        checked = check_file(file, table=table, id_column=id_column, crs=crs, tolerance=tolerance)
        found = [(file.name, checked.report, _to_degrees(make_frame(checked.report, checked.crs), checked.crs))]
    else:
        found = _check_city(_choose(commodity), named=commodity is not None)
    if output is not None:
        frames = [frame for _, _, frame in found]
        whole = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=_CRS84)
        whole["id"] = [f"F{number + 1:06d}" for number in range(len(whole))]
        export_features(whole, read_vector_layer("network_findings"), output)
    if as_json:
        typer.echo(orjson.dumps([_describe(name, report, frame) for name, report, frame in found]).decode())
    else:
        for name, report, frame in found:
            _print(name, report, frame, examples)
        if output is not None:
            typer.echo(f"→ {output}")
    if any(report.errors for _, report, _ in found):
        raise typer.Exit(1)


def _choose(commodity: str | None) -> list[Commodity]:
    return list(COMMODITIES.values()) if commodity is None else [read_commodity(commodity)]


def _check_city(chosen: list[Commodity], *, named: bool) -> list[tuple[str, NetworkReport, gpd.GeoDataFrame]]:
    """Return name, report and findings in degrees of the networks the city has; NotFoundError for one it lacks."""
    found = []
    with connect_to_city(read_settings()).connect() as connection:
        crs = CRS.from_epsg(read_city(connection).srid)
        for one in chosen:
            report = check_network(one, StoreReader(connection))
            if report.lines:
                found.append((one.id, report, _to_degrees(make_frame(report, crs), crs)))
    if not found:
        names = ", ".join(one.id for one in chosen)
        layers = ", ".join(lines.layer for one in chosen for lines in one.lines)
        raise NotFoundError(f"the city has no network {names}", hint=f"load features into {layers}")
    return found


def _to_degrees(frame: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    places = transform(frame.geometry.to_numpy().astype(object), crs, read_crs("OGC:CRS84"))
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=places, crs=_CRS84)


def _describe(name: str, report: NetworkReport, frame: gpd.GeoDataFrame) -> dict[str, Any]:
    return {
        "network": name, "lines": report.lines, "nodes": report.nodes, "links": report.links, "parts": report.parts,
        "largest_share": round(report.largest_share, 6), "errors": report.errors,
        "warnings": len(report.findings) - report.errors, "counts": dict(sorted(report.counts.items())),
        "findings": [_describe_finding(row) for row in frame.to_dict("records")],
    }  # fmt: skip


def _describe_finding(row: Mapping[Any, Any]) -> dict[str, Any]:
    lon, lat = shapely.get_coordinates(row["geometry"])[0].tolist()
    others = row["other_items"].split(", ") if isinstance(row["other_items"], str) else []
    measure = row["measure"]
    return {
        "kind": row["kind"], "severity": row["severity"],
        "layer": row["layer_id"] if isinstance(row["layer_id"], str) else None, "items": [row["item_id"], *others],
        "count": row["items"], "place": [round(lon, 7), round(lat, 7)],
        "measure": None if measure is None or measure != measure else round(float(measure), 4),
        "fix": {"vi": row["fix_vi"], "en": row["fix_en"]},
    }  # fmt: skip


def _print(name: str, report: NetworkReport, frame: gpd.GeoDataFrame, examples: int) -> None:
    console = _console()
    title = COMMODITIES[name].title if name in COMMODITIES else None
    console.print(f"{name}{f' — {title.vi} · {title.en}' if title else ''}", style="bold", highlight=False)
    console.print(
        f"  {report.lines:,} đường · lines, {report.nodes:,} nút · nodes, {report.links:,} tuyến · links, "
        f"{report.parts:,} phần · parts; phần lớn nhất · the largest: {report.largest_share:.1%}",
        highlight=False,
    )
    counts = report.counts
    for kind in sorted(counts, key=lambda one: (one in WARNINGS, -counts[one])):
        style = "yellow" if kind in WARNINGS else "red"
        words = _TITLES[kind]
        console.print(f"  {counts[kind]:>7,}  {words.vi} · {words.en}", style=style, highlight=False)
        own = frame[frame["kind"] == kind].head(examples)
        for row in own.to_dict("records"):
            one = _describe_finding(row)
            who = ", ".join(one["items"][:4]) + (" …" if one["count"] > 4 else "")
            far = f", {one['measure']:,.3f} m" if one["measure"] is not None else ""
            where = f"{one['place'][0]:.6f}, {one['place'][1]:.6f}"
            console.print(f"           {who} ({where}{far})", highlight=False, markup=False)
        if len(own):
            console.print(
                f"           → {own['fix_vi'].iloc[0]} · {own['fix_en'].iloc[0]}", highlight=False, style="dim"
            )
    console.print(
        f"  {report.errors:,} lỗi · errors, {len(report.findings) - report.errors:,} cảnh báo · warnings",
        highlight=False,
    )


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 180)
