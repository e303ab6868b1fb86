"""``twin leaks``: search the readings for leaks, print alarms and the pipes to walk."""

from typing import Annotated, Any

import orjson
import typer

from layers.registry import read_vector_layer
from layers.store.features import select_features
from twin.commands.carrying import carry_out
from twin.connect import connect_to_city
from twin.process import parse_words
from twin.processes.leak_detection import PROCESS
from twin.settings import read_settings

leaks = typer.Typer(
    no_args_is_help=True, help="Rò rỉ — leaks: detect them from pressures and inflows, with the pipes to walk."
)
_KINDS = {"abrupt": "đột ngột · abrupt", "incipient": "lớn dần · incipient"}
_LITRES = 1000.0


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(leaks, name="leaks")


@leaks.callback()
def choose() -> None:
    """Rò rỉ — leaks: detect them from pressures and inflows, with the pipes to walk."""


@leaks.command("detect")
def detect(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]…", help="Đầu vào — inputs (twin run leak-detection --inputs lists them)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Dò rò rỉ — search readings and model for leaks: time, size, place, pipes to walk."""
    settings = read_settings()
    engine = connect_to_city(settings)
    done = carry_out(engine, settings, PROCESS, parse_words(PROCESS, words or []))
    summary = dict(done.summary or {})
    if as_json:
        typer.echo(orjson.dumps({"run": done.id, **summary}).decode())
        return
    with engine.connect() as connection:
        walked = select_features(connection, read_vector_layer("leak_pipes"), equals={"run_id": done.id})
    order = walked.sort_values("walk_order") if len(walked) else walked
    typer.echo(f"{done.id}\n{done.title_vi} — {done.title_en}")
    typer.echo(_say_alarms(summary, {str(key): list(part["pipe_id"]) for key, part in order.groupby("alarm_id")}))


def _say_alarms(summary: dict[str, Any], pipes: dict[str, list[str]]) -> str:
    alarms = summary["alarms"]
    if not alarms:
        return "Không thấy rò rỉ — no leak was found."
    lines = []
    for alarm in alarms:
        over = f", hết lúc · over {alarm['ended']}" if alarm["ended"] else ""
        lines.append(
            f"{alarm['id']}  {alarm['raised']}  {_KINDS[alarm['kind']]}  {alarm['size'] * _LITRES:.2f} l/s"
            f"  ống · pipe {alarm['pipe']}{over}"
        )
        if alarm["id"] in pipes:
            walk = pipes[alarm["id"]]
            more = f" … ({len(walk)})" if len(walk) > 10 else ""
            lines.append(f"   đi dò · walk {alarm['walk']['length']:.0f} m: {', '.join(walk[:10])}{more}")
    return "\n".join(lines)
