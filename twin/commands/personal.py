"""``twin personal``: owners of land — load, show, find, give out, erase; apart from all other data."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from layers.errors import InputError
from twin.backup.shelf import list_backups
from twin.connect import connect_to_city
from twin.personal.key import find_key_file, make_key, read_key, read_key_file
from twin.personal.loading import load_owners
from twin.personal.looking import Purpose, show_by_name, show_parcels
from twin.personal.rekeying import rekey
from twin.personal.requests import Erased, erase_again, erase_person, expire, export_person, list_late_backups
from twin.personal.staff import anonymise, erase_file
from twin.settings import Settings, read_settings
from twin.store_personal import count_owners, list_overdue_erasures, list_rejected, showing

personal = typer.Typer(
    help="Dữ liệu cá nhân — owners of land: load, show, find, export and erase on request.", no_args_is_help=True
)
Person = Annotated[str, typer.Argument(help="Id here, or identity number; - reads it from standard input.")]
PurposeOf = Annotated[str, typer.Option(help="land-administration, compensation, emergency, dispute, works, request.")]
Ground = Annotated[str, typer.Option(help="The case it is for, as in 'hồ sơ 123/2026'.")]
ReasonOf = Annotated[str, typer.Option(help="request, consent-withdrawn, wrong, court or expired.")]
BackupDays = Annotated[int, typer.Option(min=0, max=3650, help="Days a backup is kept at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(personal, name="personal")


@personal.command("key")
def key() -> None:
    """Tạo khóa — make the key that seals personal data; keep a copy of it apart from backups."""
    typer.echo(make_key(read_settings()))


@personal.command("rekey")
def rekey_all(old: Annotated[Path, typer.Option(help="File with the key they are sealed with.")]) -> None:
    """Đổi khóa — seal everything with the key in force in place of an old one."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        done = rekey(connection, read_key_file(old), read_key(settings))
    typer.echo(f"{done:,} chủ · owners")


@personal.command("load")
def load(
    path: Annotated[Path, typer.Argument(help="CSV, XLSX or another table.")],
    mapping: Annotated[Path | None, typer.Option(help="YAML: columns, basis, keep_until; else known by name.")] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; the file's if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Nạp chủ sử dụng đất — load owners and rights; a file can be loaded again."""
    settings = read_settings()
    if settings.personal_key_file is None and not find_key_file(settings).exists():
        typer.echo(f"khóa mới · new key: {make_key(settings)}", err=True)
    loaded = load_owners(connect_to_city(settings), read_key(settings), path, mapping, source=source or path.name[:200])
    if as_json:
        rejected = [{"row": one.row, "field": one.field, "reason": one.reason} for one in loaded.rejected]
        told = {"source": loaded.source, "rows": loaded.rows, "new": loaded.new, "known": loaded.known}
        typer.echo(orjson.dumps({**told, "rejected": rejected}).decode())
        return
    typer.echo(f"{loaded.rows:,} dòng · rows: {loaded.new:,} mới · new, {loaded.known:,} đã có · known")
    for one in loaded.rejected[:20]:
        typer.echo(f"  {one.row}: {one.field}: {one.reason}")
    if len(loaded.rejected) > 20:
        typer.echo(f"  … twin personal rejected --source {loaded.source}")


@personal.command("rejected")
def rejected(
    source: Annotated[str | None, typer.Option(help="Only rows of this source.")] = None, as_json: AsJson = False
) -> None:
    """Dòng bị loại — rows of files that were not taken, and why; never what they say."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_rejected(connection, source)
    if as_json:
        found = [{"source": name, "row": one.row, "field": one.field, "reason": one.reason} for name, one in rows]
        typer.echo(orjson.dumps(found).decode())
        return
    for name, one in rows:
        typer.echo(f"{name} {one.row}: {one.field}: {one.reason}")


@personal.command("count")
def count(as_json: AsJson = False) -> None:
    """Số lượng — how many owners and rights there are."""
    with connect_to_city(read_settings()).connect() as connection:
        owners, rights = count_owners(connection)
    if as_json:
        typer.echo(orjson.dumps({"owners": owners, "rights": rights}).decode())
    else:
        typer.echo(f"{owners:,} chủ · owners, {rights:,} quyền · rights")


@personal.command("show")
def show(
    parcels: Annotated[list[str], typer.Argument(help="Ids of parcels.")], purpose: PurposeOf, ground: Ground
) -> None:
    """Chủ của thửa đất — who holds parcels now, as JSON; it is recorded."""
    settings = read_settings()
    why, sealed = Purpose.of(purpose, ground), read_key(settings)
    with showing(connect_to_city(settings)) as connection:
        found = show_parcels(connection, sealed, parcels, why, today=_today())
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@personal.command("find")
def find(
    name: Annotated[str, typer.Argument(help="Words of a name; - reads them.")], purpose: PurposeOf, ground: Ground
) -> None:
    """Tìm theo tên — people by name, as JSON; for few purposes, and it is recorded."""
    settings = read_settings()
    why, sealed = Purpose.of(purpose, ground), read_key(settings)
    with showing(connect_to_city(settings)) as connection:
        found = show_by_name(connection, sealed, _read_words(name), why)
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@personal.command("export")
def export(person: Person, to: Annotated[Path, typer.Option(help="The file; JSON, for its owner alone.")]) -> None:
    """Cung cấp dữ liệu — write all that is kept of a person, on their request."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        document = export_person(connection, read_key(settings), _read_words(person))
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    typer.echo(to)


@personal.command("erase")
def erase(
    reason: ReasonOf,
    person: Annotated[str | None, typer.Argument(help="Id here, or identity number; - reads it.")] = None,
    again: Annotated[
        Path | None, typer.Option(help="After a restore: a shipped copy of the audit; who was erased is again.")
    ] = None,
    backup_days: BackupDays = 35,
    as_json: AsJson = False,
) -> None:
    """Xóa dữ liệu — erase a person with all rights; says which backups still hold them, and until when."""
    if (person is None) == (again is None):
        raise InputError("name a person, or a copy of the audit with --again, and not both")
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        if again is not None:
            done = erase_again(connection, again, today=_today(), backup_days=backup_days)
        else:
            words = _read_words(str(person))
            sealed = read_key(settings)
            done = [erase_person(connection, sealed, words, reason, today=_today(), backup_days=backup_days)]
    _tell_erased(done, settings, as_json=as_json)


@personal.command("expire")
def expire_old(backup_days: BackupDays = 35, as_json: AsJson = False) -> None:
    """Hết thời hạn — erase who was kept long enough; exit code 1 where backups are older than they may be."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        done = expire(connection, today=_today(), backup_days=backup_days)
        overdue = list_overdue_erasures(connection, _today())
    _tell_erased(done, settings, as_json=as_json)
    late = list_late_backups(overdue, _list_moments(settings))
    for name in late:
        typer.echo(f"bản sao lưu quá hạn · backup {name} still holds people who were erased: remove it", err=True)
    if late:
        raise typer.Exit(1)


@personal.command("anonymise")
def anonymise_one(
    name: Annotated[str, typer.Argument(help="The name as records have it; - reads it from standard input.")],
    reason: ReasonOf,
    as_json: AsJson = False,
) -> None:
    """Ẩn danh — put a made-up word in the place of a name of staff who left, in all records."""
    with connect_to_city(read_settings()).begin() as connection:
        by, done = anonymise(connection, _read_words(name), reason)
    if as_json:
        typer.echo(orjson.dumps({"by": by, "rows": done}).decode())
        return
    for table, rows in done.items():
        typer.echo(f"{table}: {rows:,}")
    typer.echo(by)


@personal.command("erase-file")
def erase_attachment(
    attachment: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="Number of the attachment.")], reason: ReasonOf
) -> None:
    """Xóa ảnh, tệp — erase an attached photograph or paper for good."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        erase_file(connection, settings.processed_dir, attachment, reason)
    typer.echo(f"đã xóa · erased {attachment}")


def _tell_erased(done: Sequence[Erased], settings: Settings, *, as_json: bool) -> None:
    backups = sorted(_list_moments(settings)) if done else []
    if as_json:
        erased = [{"owner": str(one.owner), "rights": one.rights, "backups_until": one.backups_until} for one in done]
        typer.echo(orjson.dumps({"erased": erased, "backups": backups}).decode())
        return
    typer.echo(f"{len(done):,} đã xóa · erased, {sum(one.rights for one in done):,} quyền · rights")
    if backups:
        until = max(one.backups_until for one in done)
        typer.echo(f"còn trong bản sao lưu · still in backups until {until}: {', '.join(backups)}")


def _list_moments(settings: Settings) -> dict[str, datetime]:
    return {one.name: one.backup.moment for one in list_backups(settings.backups_dir) if one.backup is not None}


def _read_words(given: str) -> str:
    """Return what was given, or a line of standard input for ``-``: what is typed is kept by shells."""
    return sys.stdin.readline().strip() if given == "-" else given


def _today() -> date:
    return datetime.now(UTC).date()
