"""``twin lighting``: circuits, dark lamps, energy against plan, and the programs that lamps follow."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.commands.lighting_programs import register_programs
from twin.connect import connect_to_city
from twin.immediate import answer_now
from twin.process import Outputs
from twin.registry import read_process
from twin.settings import read_settings

lighting = typer.Typer(
    help="Chiếu sáng công cộng — public lighting: circuits, faults, energy, programs.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HINTS = {
    "as_planned": "đúng kế hoạch · as planned",
    "burns_by_day": "sáng ban ngày · burns by day",
    "dead_phase": "mất một pha · a phase is dead",
    "dark_lamps": "có đèn tắt · lamps are dark",
    "not_dimmed": "không tiết giảm · does not dim",
    "clock_wrong": "đồng hồ sai · clock is wrong",
    "more_load": "dùng thêm điện · more load",
    "off": "không có điện · no energy",
    "no_meter": "không có công tơ · no meter",
}
KINDS = {
    "lamp": "bộ đèn · lamp",
    "phase": "cầu chì một pha · fuse of one phase",
    "fuse": "cầu chì · fuse",
    "cabinet": "tủ · cabinet",
    "cable": "đoạn cáp · cable",
    "transformer": "trạm biến áp · transformer",
    "line": "xuất tuyến · feeder",
    "substation": "trạm nguồn · substation",
}
LIMIT_S = 600.0


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    register_programs(lighting)
    app.add_typer(lighting, name="lighting")


@lighting.command("circuits")
def circuits(
    drop: Annotated[float, typer.Option(help="Allowed voltage drop, as a share.")] = 0.03,
    as_json: Json = False,
) -> None:
    """Mạch đèn: tải, sụt áp, chỗ hồ sơ khác thực tế — circuits: load, voltage drop, where records differ."""
    found = _ask("circuit-loads", {"largest_drop": drop})
    if as_json:
        return _print_json(found, "circuit_loads")
    told = found.summary
    typer.echo(
        f"{told['lamps_fed']}/{told['lamps']} đèn có tủ · lamps fed, {told['cabinets']} tủ · cabinets, "
        f"{told['circuits']} mạch · circuits, {told['length'] / 1000:.1f} km, {told['power'] / 1000:.0f} kW"
    )
    table = Table("mạch · circuit", "tủ · cabinet", "sụt áp · drop")
    for each in told["largest_drops"]:
        table.add_row(each["circuit_id"], each["cabinet_id"], f"{100 * each['voltage_drop']:.1f} %")
    Console().print(table)
    for word, count in {**told["verdicts"], **told["disagreements"]}.items():
        typer.echo(f"{word}: {count}")


@lighting.command("faults")
def faults(
    dark: Annotated[str, typer.Option(help="Lamps the crew saw dark: ids, comma-divided, or @file.")] = "",
    lit: Annotated[str, typer.Option(help="Lamps the crew saw lit.")] = "",
    reported: Annotated[str, typer.Option(help="Lamps citizens say are dark; they may be wrong.")] = "",
    controllers: Annotated[bool, typer.Option(help="Use the readings of controllers too.")] = True,
    at: Annotated[str | None, typer.Option(help="Time of the readings; without it, now.")] = None,
    as_json: Json = False,
) -> None:
    """Hỏng gì thì giải thích được đèn tắt — what failed, if these lamps are dark."""
    values: dict[str, Any] = {
        "dark": _read_ids(dark), "lit": _read_ids(lit), "reported": _read_ids(reported), "controllers": controllers,
        **({} if at is None else {"at": at}),
    }  # fmt: skip
    found = _ask("circuit-faults", values)
    if as_json:
        return _print_json(found, "circuit_faults")
    told = found.summary
    if not told["failures"]:
        typer.echo("Không có đèn nào được báo tắt · no lamp is reported dark")
    table = Table("kiểm tra · check", "hỏng gì · what", "mã · id", "giải thích · explains", "cũng có thể · or")
    for each in told["failures"]:
        table.add_row(
            str(each["check_first"]), KINDS[each["kind"]], each["id"],
            f"{each['explains']} báo cáo, {each['lamps']} đèn · lamps", ", ".join(each["alternatives"][:4]),
        )  # fmt: skip
    if told["failures"]:
        Console().print(table)
    if told["wrong_reports"]:
        typer.echo(f"báo nhầm · wrong reports: {', '.join(told['wrong_reports'])}")


@lighting.command("energy")
def energy(
    start: Annotated[str | None, typer.Option("--from", help="From; without it, 30 days before the end.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="To; without it, the newest full hour.")] = None,
    tariff: Annotated[float | None, typer.Option(help="VND a kWh.")] = None,
    as_json: Json = False,
) -> None:
    """Điện năng theo công tơ so với kế hoạch — energy by meter against plan, each cabinet."""
    given = {"start": start, "end": end, "tariff": tariff}
    found = _ask("circuit-energy", {name: value for name, value in given.items() if value is not None})
    if as_json:
        return _print_json(found, "circuit_energy")
    told = found.summary
    typer.echo(
        f"{told['start']} – {told['end']}: kế hoạch · plan {told['planned_energy']:,.0f} kWh "
        f"({told['planned_energy_year']:,.0f} kWh/năm · year), {told['metered']}/{told['cabinets']} tủ có công tơ · "
        f"metered: {told['metered_energy']:,.0f} / {told['planned_where_metered']:,.0f} kWh"
    )
    table = Table("tủ · cabinet", "kế hoạch · plan kWh", "công tơ · meter kWh", "lệch · difference", "lý do · why")
    frame = found.features["circuit_energy"]
    for row in frame[frame["hint"] != "no_meter"].drop(columns="geometry").to_dict("records"):
        table.add_row(
            row["cabinet_id"], f"{row['planned_energy']:,.0f}", f"{row['metered_energy']:,.0f}",
            f"{100 * row['deviation']:+.1f} %", HINTS[row["hint"]],
        )  # fmt: skip
    Console().print(table)


def _ask(process_id: str, values: Mapping[str, Any]) -> Outputs:
    settings = read_settings()
    engine = connect_to_city(settings)
    process = read_process(process_id)
    author = getpass.getuser()
    return answer_now(
        engine, settings, process, values, author=author, choose=lambda outputs: list(outputs.features), limit_s=LIMIT_S
    ).outputs


def _print_json(found: Outputs, layer: str) -> None:
    items = orjson.loads(found.features[layer].drop(columns="geometry").to_json(orient="records"))
    typer.echo(orjson.dumps({"summary": found.summary, layer: items}, option=orjson.OPT_SERIALIZE_NUMPY).decode())


def _read_ids(words: str) -> list[str]:
    """Return ids divided by commas or white space; ``@file`` reads them from a file."""
    if words.startswith("@"):
        try:
            words = Path(words[1:]).read_text("utf-8")
        except OSError as error:
            raise InputError(f"file '{words[1:]}' cannot be read: {error}") from error
    return list(dict.fromkeys(words.replace(",", " ").split()))
