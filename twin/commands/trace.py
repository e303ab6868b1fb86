"""``twin trace``: ask a network, from the place or the item where somebody stands."""

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from layers.errors import InputError
from layers.ingest.crs import read_crs
from layers.ingest.export import SUFFIXES, check_target, export_features
from layers.registry import read_vector_layer
from twin.commands.trace_tables import print_isolation, print_trace
from twin.connect import connect_to_city
from twin.immediate import answer_now
from twin.networks.commodities import read_commodity
from twin.networks.traces import KINDS
from twin.process import Outputs
from twin.processes import isolation
from twin.processes import trace as tracing
from twin.settings import read_settings

ISOLATION = "isolation"
LIMIT_S = 3_600.0
_CRS84 = "EPSG:4326"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    kinds = ", ".join((*KINDS, ISOLATION))
    app.command("trace", no_args_is_help=True, epilog=f"Kinds: {kinds}")(trace)


def trace(
    commodity: Annotated[str, typer.Argument(help="water, drainage, sewer, lighting, power.")],
    kind: Annotated[str, typer.Argument(help="upstream, downstream, connected, isolation …; all below.")],
    starts: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="LAYER/ITEM|LON,LAT", help="Where it starts, or what is broken; repeat for more."
        ),
    ] = None,
    ends: Annotated[
        list[str] | None, typer.Option("--to", metavar="LAYER/ITEM|LON,LAT", help="Where a path ends.")
    ] = None,
    barrier: Annotated[
        list[str] | None,
        typer.Option(metavar="[LAYER:]CQL2", help="What is not passed: \"water_valves: status = 'closed'\"."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="[LAYER:]CQL2", help='Only what passes is walked: "diameter >= 0.1".'),
    ] = None,
    result: Annotated[
        list[str] | None,
        typer.Option(help="length, volume, area, population, customers, mean(diameter), worst(condition) …"),
    ] = None,
    through_closed: Annotated[bool, typer.Option("--through-closed", help="Pass closed valves and pipes too.")] = False,
    stuck: Annotated[
        list[str] | None, typer.Option(metavar="VALVE", help="Isolation: a valve that cannot be closed.")
    ] = None,
    closed: Annotated[
        list[str] | None, typer.Option(metavar="VALVE", help="Isolation: a valve that is closed already.")
    ] = None,
    whole_pipe: Annotated[
        bool, typer.Option("--whole-pipe", help="Isolation: all parts of a pipe, not only the longest between valves.")
    ] = False,
    customers: Annotated[int, typer.Option(help="Isolation: list so many customers with their addresses.")] = 0,
    tolerance: Annotated[float, typer.Option(help="How far a place may lie from a link [m].")] = 25.0,
    configuration: Annotated[str | None, typer.Option(help="Named inputs, kept at /api/traces/configurations.")] = None,
    output: Annotated[Path | None, typer.Option(help=f"Write what is found to a file: {' '.join(SUFFIXES)}")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Truy vết mạng lưới — trace a network: upstream, downstream, isolation, paths …"""
    read_commodity(commodity)
    isolates = kind == ISOLATION
    if not isolates and kind not in KINDS:
        raise InputError(f"'{kind}' is no kind of trace", hint=f"one of {', '.join((*KINDS, ISOLATION))}")
    traces = {"to": ends, "barrier": barrier, "filter": where, "result": result, "through-closed": through_closed}
    isolations = {"stuck": stuck, "closed": closed, "customers": customers, "whole-pipe": whole_pipe}
    for name, given in (traces if isolates else isolations).items():
        if given:
            raise InputError(f"--{name} does not belong to '{kind}'")
    inputs: dict[str, Any] = {"commodity": commodity, "starts": starts or [], "tolerance": tolerance}
    if isolates:
        inputs |= {"stuck": stuck or [], "closed": closed or [], "list_customers": customers, "whole_pipe": whole_pipe}
    else:
        inputs |= {
            "kind": kind,
            "ends": ends or [],
            "barriers": barrier or [],
            "filter": where or [],
            "through_closed": through_closed,
        }
        if result:
            inputs["results"] = result
    if configuration is not None:
        inputs["configuration"] = configuration
    if output is not None:
        check_target(output, read_crs(_CRS84))
    settings = read_settings()
    process = isolation.PROCESS if isolates else tracing.PROCESS
    layer_id = process.outputs[0] if not isolates else "isolation_outage"
    wanted = (layer_id,) if output is not None else ()
    answer = answer_now(
        connect_to_city(settings), settings, process, inputs, author="local", choose=lambda _: wanted, limit_s=LIMIT_S
    )
    if output is not None:
        count = write_features(answer.outputs, layer_id, output)
        typer.echo(f"{output}: {count:,}", err=True)
    if as_json:
        typer.echo(orjson.dumps(answer.outputs.summary).decode())
        return
    console = Console(width=None if sys.stdout.isatty() else 140)
    (print_isolation if isolates else print_trace)(console, answer.outputs.summary)


def write_features(outputs: Outputs, layer_id: str, path: Path) -> int:
    """Write what was found to a file and return how many features there are."""
    layer = read_vector_layer(layer_id)
    frame = outputs.features[layer_id].assign(run_id="trace")
    return export_features(frame.reindex(columns=["id", *(p.name for p in layer.properties), "geometry"]), layer, path,
                           crs=_CRS84)  # fmt: skip
