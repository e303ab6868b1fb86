"""``twin keys``: keys by which machines and devices are known."""

from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.accounts.keys import add_device_key, add_key, take_key
from twin.commands.accounts import Json, Wards, name_author
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.store_keys import list_keys

keys = typer.Typer(help="Khóa API — keys of machines and devices: add, list, revoke.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(keys, name="keys")


@keys.command("add")
def add(
    title: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[list[str] | None, typer.Option("--role", help="A role, as often as needed.")] = None,
    ward: Wards = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, write or an action: only that of what the role may.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="The key of this device: it writes its series alone.")] = None,
    thing: Annotated[str | None, typer.Option(help="The key of this thing: it writes its series alone.")] = None,
    gateway: Annotated[bool, typer.Option("--gateway", help="The key of a network server of many devices.")] = False,
    expires: Annotated[str | None, typer.Option(help="Until when, as 2027-12-31; without it until revoked.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    until = None if expires is None else read_until(expires)
    is_device = bool(device or thing or gateway)
    if is_device and (role or ward or scope):
        raise InputError("a device has no further roles, wards or scopes")
    with connect_to_city(read_settings()).begin() as connection:
        if is_device:
            made = add_device_key(
                connection, name_author(), title, device=device, thing=thing, gateway=gateway, until=until
            )
        else:
            made = add_key(
                connection, name_author(), title, roles=role or [], wards=ward or [], scopes=scope, until=until
            )
    if as_json:
        typer.echo(orjson.dumps({"id": made.id, "key": made.key}).decode())
        return
    typer.echo(made.key)
    typer.echo("Chỉ hiện một lần — shown this once. MQTT: user " + made.id + ", password: the key", err=True)


@keys.command("list")
def show(as_json: Json = False) -> None:
    """List keys: what for, what they may do, when they were used last."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = [key.describe() for key in list_keys(connection)]
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("khóa · key", "để làm gì · what for", "vai trò · roles", "dùng · used", box=None, header_style="bold")
    for words in ("đến · until", ""):
        table.add_column(words)
    for row in rows:
        bound = row["device"] or row["thing"] or ("gateway" if row["gateway"] else row["owner"] or "")
        may = ", ".join(row["roles"]) + (f" ({', '.join(row['scopes'])})" if row["scopes"] else "")
        table.add_row(
            row["id"], f"{row['title']} {bound}".strip(), may, row["used"] or "—", row["until"] or "—",
            "thu hồi · revoked" if row["revoked"] else "",
        )  # fmt: skip
    Console(width=160).print(table)


@keys.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="Id of the key.")]) -> None:
    """Let a key count no longer, at once."""
    with connect_to_city(read_settings()).begin() as connection:
        take_key(connection, name_author(), name)
    typer.echo(f"{name}: đã thu hồi · revoked")


def read_until(written: str) -> datetime:
    """Return a moment written as a day (its end, UTC) or as ISO 8601 with a zone."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise InputError(f"'{written[:40]}' is no moment", hint="write it as 2027-12-31") from None
    if len(written) == 10:
        moment = moment.replace(hour=23, minute=59, second=59)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
