"""``twin audit``: the record of who did what, and whether it is whole."""

import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.audit.entry import Kept
from twin.audit.retiring import export_month, retire_month
from twin.audit.shipping import write_line
from twin.audit.tending import tend_audit
from twin.audit.verifying import Verdict, compare, verify
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.store_audit import EntryQuery, list_entries, read_last_number, read_sealed

audit = typer.Typer(help="Nhật ký kiểm toán — the audit: list, verify, export, seal, retire.", no_args_is_help=True)
FOLLOW_S = 1.0
_PAGE = 1000
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
From = Annotated[str | None, typer.Option("--from", help="First moment (UTC), as 2026-11-01 or 2026-11-01T08:00.")]
To = Annotated[str | None, typer.Option("--to", help="Last moment (UTC).")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(audit, name="audit")


@audit.command("list")
def list_some(
    subject: Annotated[str | None, typer.Option(help="Who: account:ann, key:…, cli:root.")] = None,
    action: Annotated[str | None, typer.Option(help="What was done: edit, sign-in, personal, export …")] = None,
    object: Annotated[str | None, typer.Option(help="How the object begins.")] = None,
    outcome: Annotated[str | None, typer.Option(help="done, unchanged, refused or failed.")] = None,
    start: From = None,
    end: To = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Các mục nhật ký mới nhất — the newest entries."""
    query = EntryQuery(subject, action, object, outcome, _read_moment(start), _read_moment(end))
    engine = connect_to_city(read_settings())
    with engine.connect() as connection:
        last = read_last_number(connection)
        found = list_entries(connection, query, limit=limit)[::-1]
    _print(found, as_json=as_json or follow, plain=follow and not as_json)
    while follow:
        time.sleep(FOLLOW_S)
        with engine.connect() as connection:
            found = list_entries(connection, query, after=last, limit=_PAGE)
        last = found[-1].number if found else last
        _print(found, as_json=True, plain=not as_json)


@audit.command("verify")
def verify_chain(
    start: From = None,
    end: To = None,
    against: Annotated[Path | None, typer.Option(help="A shipped copy, or a month's file, to compare with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Kiểm tra chuỗi niêm phong — compute the chain again; exit code 1 where it does not hold."""
    engine = connect_to_city(read_settings())
    with engine.connect() as connection:
        verdict = verify(connection, _read_moment(start), _read_moment(end))
        if against is not None:
            compare(connection, against, verdict)
    if as_json:
        typer.echo(orjson.dumps({"holds": verdict.holds, **asdict(verdict)}).decode())
    else:
        _tell(verdict)
    if not verdict.holds:
        raise typer.Exit(1)


@audit.command("export")
def export(
    to: Annotated[Path, typer.Option(help="The file; JSON lines with seals.")],
    month: Annotated[str | None, typer.Option(help="A month alone, as 2026-10; without it the whole chain.")] = None,
) -> None:
    """Xuất nhật ký kèm niêm phong — write sealed entries to a file that can be checked by itself."""
    engine = connect_to_city(read_settings())
    if month is not None:
        with engine.connect() as connection:
            written = export_month(connection, _read_month(month), to)
        typer.echo(f"{to}: {written.entries:,} mục · entries, SHA-256 {written.digest.hex()}")
        return
    done, reached = 0, 0
    with to.open("x", encoding="utf-8") as file, engine.connect() as connection:
        to.chmod(0o600)
        while found := read_sealed(connection, after=reached, limit=_PAGE):
            file.writelines(map(write_line, found))
            done, reached = done + len(found), found[-1].position
    typer.echo(f"{to}: {done:,} mục · entries")


@audit.command("seal")
def seal_now(as_json: AsJson = False) -> None:
    """Niêm phong và gửi ngay — seal and ship what waits, as the worker does every few seconds."""
    settings = read_settings()
    sealed, shipped = tend_audit(connect_to_city(settings), settings, datetime.now(UTC))
    if as_json:
        typer.echo(orjson.dumps({"sealed": sealed, "shipped": shipped}).decode())
    else:
        typer.echo(f"{sealed:,} mục được niêm phong · sealed, {shipped:,} đã gửi · shipped")


@audit.command("retire")
def retire(
    month: Annotated[str, typer.Argument(help="A closed month, as 2026-10.")],
    to: Annotated[Path, typer.Option(help="The file that keeps it.")],
) -> None:
    """Đưa một tháng cũ ra tệp — move a closed month out of the database; the chain goes on."""
    written = retire_month(connect_to_city(read_settings()), _read_month(month), to, now=datetime.now(UTC))
    typer.echo(f"{to}: {written.entries:,} mục · entries, SHA-256 {written.digest.hex()}")


def _print(found: list[Kept], *, as_json: bool, plain: bool = False) -> None:
    if as_json:
        for one in found:
            typer.echo(_write_plain(one) if plain else orjson.dumps(one.as_dict()).decode())
        return
    table = Table("số · no.", "lúc · at", "ai · who", "việc · action", "đối tượng · object", "kết quả · outcome")
    for one in found:
        who = f"{one.subject} ({one.client})" if one.client else one.subject
        table.add_row(str(one.number), f"{one.at:%Y-%m-%d %H:%M:%S}", who, one.action, one.object, one.outcome)
    Console().print(table)


def _write_plain(one: Kept) -> str:
    return f"{one.number}  {one.at:%Y-%m-%d %H:%M:%S}  {one.subject}  {one.action}  {one.object}  {one.outcome}"


def _tell(verdict: Verdict) -> None:
    said = "chuỗi nguyên vẹn · the chain holds" if verdict.holds else "CHUỖI BỊ ĐỨT · THE CHAIN IS BROKEN"
    typer.echo(f"{said}: {verdict.checked:,} mục · entries, {verdict.retired:,} ở tệp · in files")
    typer.echo(f"vị trí cuối · head {verdict.head}: {verdict.head_hash}")
    for one in verdict.broken:
        named = "" if one.number is None else f" (entry {one.number})"
        typer.echo(f"  {one.position}{named}: {one.reason}")
    if verdict.broken_count > len(verdict.broken):
        typer.echo(f"  … {verdict.broken_count - len(verdict.broken):,} more")
    if verdict.compared:
        typer.echo(f"so với bản sao · compared with the copy: {verdict.compared:,}")
    if verdict.unsealed:
        typer.echo(f"chưa niêm phong · unsealed: {verdict.unsealed:,}, oldest {verdict.unsealed_age_s:.0f} s")
    if verdict.missing_numbers:
        first = ", ".join(map(str, verdict.first_gaps))
        typer.echo(f"số bị khuyết · missing numbers: {verdict.missing_numbers:,} (from {first})")


def _read_moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InputError(f"'{value[:40]}' is no moment", hint="as in 2026-11-01 or 2026-11-01T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_month(value: str) -> date:
    try:
        return datetime.strptime(value, "%Y-%m").date()
    except ValueError:
        raise InputError(f"'{value[:40]}' is no month", hint="as in 2026-10") from None
