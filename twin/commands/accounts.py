"""``twin accounts``: who may sign in, and what each may do."""

import getpass
import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.accounts.keeping import (
    Author,
    add_account,
    change_account,
    remove_account,
    reset_code,
    set_password,
    unlock,
)
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.store_accounts import list_accounts

Name = Annotated[str, typer.Argument(help="Name of the account: small letters, digits and . _ @ -")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role, as often as needed: docs/accounts.md.")]
Wards = Annotated[list[str] | None, typer.Option("--ward", help="Code of a ward it is bound to, as often as needed.")]
Title = Annotated[str | None, typer.Option(help="The person's name.")]
FromStdin = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")]

accounts = typer.Typer(help="Tài khoản — accounts: add, list, change, remove.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(accounts, name="accounts")


def name_author() -> Author:
    """Return who works at this machine's command line."""
    return Author(f"cli:{getpass.getuser()}", "cli")


@accounts.command("add")
def add(name: Name, role: Roles = None, ward: Wards = None, title: Title = None, from_stdin: FromStdin = False) -> None:
    """Make an account; the password is asked for, or read from standard input."""
    settings = read_settings()
    password = read_password(from_stdin)
    with connect_to_city(settings).begin() as connection:
        made = add_account(
            connection, name_author(), name, password=password, roles=role or [], wards=ward or [], title=title or ""
        )
    typer.echo(f"{made.id}: đã tạo · made, {', '.join(made.roles)}")


@accounts.command("list")
def show(as_json: Json = False) -> None:
    """List accounts with their roles."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = [account.describe() for account in list_accounts(connection)]
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("tên · name", "họ tên · title", "vai trò · roles", "phường · wards", box=None, header_style="bold")
    for words in ("mã · code", "đăng nhập · signed in", ""):
        table.add_column(words)
    for row in rows:
        table.add_row(
            row["name"], row["title"], ", ".join(row["roles"]), ", ".join(row["wards"]) or "—",
            "✓" if row["code"] else "—", row["signedIn"] or "—", "" if row["enabled"] else "khóa · disabled",
        )  # fmt: skip
    Console(width=160).print(table)


@accounts.command("change")
def change(
    name: Name,
    role: Roles = None,
    ward: Wards = None,
    title: Title = None,
    whole_city: Annotated[bool, typer.Option("--whole-city", help="Bound to no ward any more.")] = False,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it may sign in.")] = None,
) -> None:
    """Change roles, wards, name, or whether it may sign in; what is not given stays."""
    if whole_city and ward:
        raise InputError("give --ward or --whole-city, not both")
    with connect_to_city(read_settings()).begin() as connection:
        made = change_account(
            connection, name_author(), name, roles=role, wards=[] if whole_city else ward, title=title, enabled=enabled
        )
    state = "" if made.enabled else ", khóa · disabled"
    typer.echo(f"{made.id}: {', '.join(made.roles)}; {', '.join(made.wards) or 'cả thành phố · whole city'}{state}")


@accounts.command("password")
def password(name: Name, from_stdin: FromStdin = False) -> None:
    """Give an account a new password; its sessions end."""
    settings = read_settings()
    given = read_password(from_stdin)
    with connect_to_city(settings).begin() as connection:
        set_password(connection, name_author(), name, given)
    typer.echo(f"{name}: mật khẩu mới · new password")


@accounts.command("reset-code")
def take_code(name: Name) -> None:
    """Take the second factor away, for who lost the device; it is set up again at the next sign-in."""
    with connect_to_city(read_settings()).begin() as connection:
        reset_code(connection, name_author(), name)
    typer.echo(f"{name}: mã một lần đã bỏ · one-time codes are off")


@accounts.command("unlock")
def forget_failures(name: Name) -> None:
    """Let somebody try again at once after too many failed attempts."""
    with connect_to_city(read_settings()).begin() as connection:
        unlock(connection, name_author(), name)
    typer.echo(f"{name}: thử lại được · may try again")


@accounts.command("remove")
def remove(
    name: Name,
    last: Annotated[
        bool, typer.Option("--last", help="Even the only account: this machine then needs no sign-in again.")
    ] = False,
) -> None:
    """Remove an account with its sessions and keys; the audit keeps what it did."""
    with connect_to_city(read_settings()).begin() as connection:
        remove_account(connection, name_author(), name, last=last)
    typer.echo(f"{name}: đã xóa · removed")


def read_password(from_stdin: bool) -> str:
    """Return a password from standard input's first line, or asked for twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to ask for the password", hint="give it by --stdin")
    given = getpass.getpass("Mật khẩu · password: ")
    if getpass.getpass("Lần nữa · again: ") != given:
        raise InputError("the passwords differ")
    return given
