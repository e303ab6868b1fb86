"""``twin backup``: make backups, list them, prove that they can be restored."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import ConflictError
from layers.store.cluster import find_running
from layers.store.engine import open_engine
from twin.backup.drilling import drill_backup
from twin.backup.making import Order, make_backup
from twin.backup.restoring import check_backup
from twin.backup.shelf import Listed, find_backup, list_backups
from twin.backup.standing import read_standing
from twin.commands.ending import end_cleanly
from twin.progress import show_progress
from twin.settings import Settings, read_settings
from twin.store_backup import Archiver, read_archiver

Folder = Annotated[Path | None, typer.Option(help="Folder of backups; else TWIN_BACKUP_DIR.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

backup = typer.Typer(help="Sao lưu — back up database and files: make one, list, check, drill.")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(backup, name="backup")


@backup.callback(invoke_without_command=True)
def make(
    context: typer.Context,
    shelf: Annotated[Path | None, typer.Option("--folder", help="Folder of backups; else TWIN_BACKUP_DIR.")] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep so many, remove older ones and the log only they need.")
    ] = None,
    dump: Annotated[
        bool, typer.Option("--dump", help="By pg_dump, for another server or version; an external database always.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Copy every file, share none with the backup before.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=32, help="Tables dumped at a time.")] = 2,
    max_rate: Annotated[
        int | None, typer.Option(min=32, max=1_048_576, help="Most that is read of the database [kB/s].")
    ] = None,
    patience: Annotated[float, typer.Option(min=0, help="How long a moment without writers is waited for [s].")] = 600,
    as_json: AsJson = False,
) -> None:
    """Sao lưu — back up database and files: make one, list, check, drill."""
    if context.invoked_subcommand is not None:
        return
    end_cleanly()
    settings = read_settings()
    order = Order(keep=keep, dump=dump, anew=anew, jobs=jobs, max_rate=max_rate, patience_s=patience)
    with show_progress("Sao lưu · backup") as report:
        made, removed = make_backup(settings, shelf or settings.backups_dir, order, report)
    folder = (shelf or settings.backups_dir) / made.name
    if as_json:
        typer.echo(orjson.dumps({**_sum_up(Listed(made.name, folder, made)), "removed": removed}).decode())
        return
    typer.echo(
        f"{folder}: {made.moment:%Y-%m-%d %H:%M:%S} UTC, {len(made.tables)} bảng · tables, "
        f"{len(made.files):,} tệp · files, {_size(made.database_bytes + made.fresh_bytes)}, {made.seconds:.0f} s"
    )
    for name in removed:
        typer.echo(f"đã xoá · removed {name}")
    if made.missing:
        typer.echo(
            f"{len(made.missing)} tệp mà cơ sở dữ liệu nhắc tới không có · files that the database names are not "
            f"there: {', '.join(made.missing[:3])}; type: twin check --invariants",
            err=True,
        )


@backup.command("list")
def show(folder: Folder = None, as_json: AsJson = False) -> None:
    """Danh sách bản sao lưu — the backups there are, and how old the last good ones are."""
    settings = read_settings()
    shelf = folder or settings.backups_dir
    found, standing, archiver = list_backups(shelf), read_standing(shelf), _find_archiver(settings)
    if as_json:
        archive = None if archiver is None else {**asdict(archiver), "failing": archiver.failing}
        said = {
            "folder": str(shelf),
            "backups": [_sum_up(one) for one in found],
            **asdict(standing),
            "archive": archive,
        }
        typer.echo(orjson.dumps(said).decode())
        return
    table = Table("tên · name", "loại · kind", "thời điểm · moment (UTC)", box=None, header_style="bold")
    for title in ("bảng · tables", "tệp · files", "cỡ · size", "s"):
        table.add_column(title, justify="right")
    for one in found:
        made = one.backup
        if made is None:
            table.add_row(one.name, "", one.damaged or "", style="red")
            continue
        size, tables = _size(made.database_bytes + made.files_bytes), str(len(made.tables))
        row = (
            made.kind,
            f"{made.moment:%Y-%m-%d %H:%M:%S}",
            tables,
            f"{len(made.files):,}",
            size,
            f"{made.seconds:.0f}",
        )
        table.add_row(one.name, *row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    drill = standing.drill
    if drill is not None:
        word = "tốt · good" if drill["ok"] else f"hỏng · failed: {drill['problem']}"
        typer.echo(f"diễn tập · last drill {drill['at']}, {drill['backup']}: {word}, {drill['seconds']:.0f} s")
    if archiver is not None:
        word = f"HỎNG · FAILING since {archiver.failed_at}" if archiver.failing else "tốt · good"
        typer.echo(f"lưu nhật ký · log archive: {archiver.segment} at {archiver.at}, {word}")


def _find_archiver(settings: Settings) -> Archiver | None:
    """Return how the archive of the private cluster stands, when there is one and it runs."""
    url = find_running(settings.state_dir / "postgres") if settings.database_url is None else None
    if url is None or settings.wal_archive is None:
        return None
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return read_archiver(connection)
    finally:
        engine.dispose()


@backup.command("check")
def check(
    name: Annotated[str, typer.Argument(help="Name of a backup, or latest.")] = "latest", folder: Folder = None
) -> None:
    """Kiểm tra một bản sao lưu — read all of a backup against its checksums; exit code 1 when it is damaged."""
    place, found = find_backup(folder or read_settings().backups_dir, name)
    with show_progress("Kiểm tra · check") as report:
        check_backup(place, found, report, files=True)
    typer.echo(f"{found.name}: {len(found.files) + len(found.database):,} tệp còn nguyên · files are whole")


@backup.command("drill")
def drill(
    name: Annotated[str, typer.Argument(help="Name of a backup, or latest.")] = "latest",
    folder: Folder = None,
    within: Annotated[Path | None, typer.Option("--in", help="Folder to restore into for the time being.")] = None,
    as_json: AsJson = False,
) -> None:
    """Diễn tập phục hồi — restore a backup into a passing cluster and prove it; exit code 1 when it fails."""
    end_cleanly()
    settings = read_settings()
    with show_progress("Diễn tập · drill") as report:
        done = drill_backup(settings, folder or settings.backups_dir, name, within, report)
    if as_json:
        typer.echo(orjson.dumps(asdict(done)).decode())
    elif done.ok:
        typer.echo(
            f"{done.backup}: phục hồi được · restored as of {done.moment}, {done.compared} bảng khớp · tables agree, "
            f"{done.files:,} tệp · files, rolled forward to {done.as_of}, {done.seconds:.0f} s"
        )
    if not done.ok:
        raise ConflictError(f"the drill of '{done.backup}' failed: {done.problem}")


def _sum_up(one: Listed) -> dict[str, Any]:
    made = one.backup
    if made is None:
        return {"name": one.name, "folder": str(one.folder), "damaged": one.damaged}
    return {
        "name": one.name,
        "folder": str(one.folder),
        "kind": made.kind,
        "city": made.city,
        "moment": made.moment,
        "seconds": made.seconds,
        "tables": len(made.tables),
        "rows": sum(table.rows for table in made.tables.values()),
        "files": len(made.files),
        "missing": list(made.missing),
        "database_bytes": made.database_bytes,
        "files_bytes": made.files_bytes,
        "fresh_bytes": made.fresh_bytes,
        "wal_archive": made.wal_archive,
    }


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
