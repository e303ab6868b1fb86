"""``twin sensors rejected``: messages that were not taken, and why; taken in again after mending, or settled."""

import getpass
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.connect import connect_to_city
from twin.sensors.message import CODES
from twin.sensors.replay import replay_rejected
from twin.settings import read_settings
from twin.store_telemetry import count_rejected, list_rejected, read_rejected, settle_rejected

rejected = typer.Typer(help="Bản tin bị loại — messages that were not taken, and why.", no_args_is_help=True)
DeviceOption = Annotated[str | None, typer.Option("--device", help="Only of this device or thing.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only refused for this reason.")]
IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="ID…", show_default=False)]
AuthorOption = Annotated[str | None, typer.Option("--by", help="Who does it; the user of this machine if not given.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register_rejected(sensors: typer.Typer) -> None:
    """Add the commands to the family."""
    sensors.add_typer(rejected, name="rejected")


@rejected.command("list")
def list_all(
    device: DeviceOption = None,
    code: CodeOption = None,
    settled: Annotated[bool, typer.Option("--settled", help="Also those that are settled.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Messages to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Say how many messages of which device were refused for which reason, and show the first of them."""
    with connect_to_city(read_settings()).connect() as connection:
        counts = count_rejected(connection)
        rows = list_rejected(connection, device=device, code=code, settled=settled, limit=limit)
    if as_json:
        typer.echo(orjson.dumps({"summary": counts, "rows": [row.as_dict() for row in rows]}).decode())
        return
    table = Table("thiết bị · device", "mã · code", "lý do · why", box=None, header_style="bold")
    table.add_column("bản tin · messages", justify="right")
    table.add_column("số đo · readings", justify="right")
    for one in counts:
        title = CODES[one["code"]]
        words = f"{title.vi} · {title.en}"
        table.add_row(one["device"], one["code"], words, f"{one['messages']:,}", f"{one['readings']:,}")
    console = Console(width=160)
    console.print(table)
    for row in rows:
        words = f"{row.id}: {row.received:%Y-%m-%d %H:%M:%SZ} {row.device} {row.code} ×{row.times}: {row.reason}"
        console.print(words, highlight=False, markup=False)


@rejected.command("show")
def show(row_id: Annotated[int, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show one message: where it came from, what it held, why it was refused."""
    with connect_to_city(read_settings()).connect() as connection:
        held = read_rejected(connection, row_id).as_dict()
    if as_json:
        typer.echo(orjson.dumps(held).decode())
        return
    for name, value in held.items():
        if value is not None:
            typer.echo(f"{name:10} {value}")


@rejected.command("replay")
def replay(
    ids: IdsArgument = None,
    device: DeviceOption = None,
    code: CodeOption = None,
    shift: Annotated[float | None, typer.Option(help="Seconds added to the times, for a clock that was off.")] = None,
    author: AuthorOption = None,
    as_json: Json = False,
) -> None:
    """Take messages in again after mending; exit code 1 where some are still refused."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        rows = list_rejected(connection, device=device, code=code, ids=ids or None, lock=True)
        outcomes = replay_rejected(
            connection,
            rows,
            tolerance_s=settings.clock_tolerance,
            author=author or getpass.getuser(),
            shift=None if shift is None else timedelta(seconds=shift),
        )
    still = [one for one in outcomes if not one.settled]
    if as_json:
        typer.echo(orjson.dumps([asdict(one) for one in outcomes]).decode())
    else:
        stored = sum(one.stored for one in outcomes)
        typer.echo(
            f"{stored:,} số đo đã lưu · readings stored, {len(still):,} bản tin còn lại · messages still refused"
        )
        for one in still[:20]:
            typer.echo(f"  {one.id}: {'; '.join(one.reasons)}")
    if still:
        raise typer.Exit(1)


@rejected.command("settle")
def settle(
    ids: IdsArgument = None,
    device: DeviceOption = None,
    code: CodeOption = None,
    author: AuthorOption = None,
) -> None:
    """Say of messages that they need not be taken in."""
    if not (ids or device or code):
        raise InputError("give the numbers of messages, or --device or --code")
    with connect_to_city(read_settings()).begin() as connection:
        rows = list_rejected(connection, device=device, code=code, ids=ids or None, lock=True)
        count = settle_rejected(connection, [row.id for row in rows], author=author or getpass.getuser())
    typer.echo(f"{count:,} bản tin đã xử lý · messages settled")
