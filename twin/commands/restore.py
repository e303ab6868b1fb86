"""``twin restore``: a backup becomes a city again, proven against its manifest."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from layers.errors import ConflictError, InputError
from twin.backup.restoring import restore_backup
from twin.backup.room import Target
from twin.backup.shelf import find_backup, list_backups
from twin.commands.choosing import read_time
from twin.commands.ending import end_cleanly
from twin.leftovers import take_lock
from twin.progress import show_progress
from twin.settings import Settings, read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("restore")(restore)


def restore(
    name: Annotated[str, typer.Argument(help="Name or folder of a backup, or latest.")] = "latest",
    into: Annotated[Path | None, typer.Option(help="Folder for the city: run/ and data/ are made in it.")] = None,
    here: Annotated[bool, typer.Option("--here", help="In the place of this city; with --replace.")] = False,
    to: Annotated[
        str | None, typer.Option(help="A moment after the backup, as 2026-11-29T05:00+07, or latest.")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="A dump goes into this database, empty.")] = None,
    wal: Annotated[Path | None, typer.Option(help="Folder of the archived log; else where the backup says.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of backups; else TWIN_BACKUP_DIR.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Lay aside what is there; a database is never replaced.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Phục hồi thành phố từ bản sao lưu — restore the city from a backup, at its moment or a later one."""
    end_cleanly()
    settings = read_settings()
    moment = to if to in (None, "latest") else read_time(to)
    shelf = folder or settings.backups_dir
    chosen = _choose(shelf, name, moment)
    place, backup = find_backup(shelf, chosen)
    target = _choose_target(settings, into, here, database_url, replace)
    archive = wal or (Path(backup.wal_archive) if backup.wal_archive else None)
    if archive is not None and backup.system_identifier and (archive / backup.system_identifier).is_dir():
        archive = archive / backup.system_identifier
    lock = take_lock(settings.state_dir) if here else None
    try:
        with show_progress("Phục hồi · restore") as report:
            done = restore_backup(place, backup, target, report, to=moment, archive=archive, replace=replace)
    finally:
        if lock is not None:
            lock.close()
    if as_json:
        typer.echo(orjson.dumps(asdict(done)).decode())
        return
    now = done.standing
    typer.echo(
        f"{done.name}: thành phố · the city '{now.city}' as of {done.as_of.isoformat(timespec='seconds')}; "
        f"{done.compared} bảng khớp · tables agree, {done.files:,} tệp · files, {done.seconds:.0f} s"
    )
    typer.echo(
        f"{now.features:,} đối tượng · features, {now.runs:,} lần chạy · runs; "
        f"last edit {_say(now.last_edit)}, last reading {_say(now.last_reading)}, last run {_say(now.last_run)}"
    )
    if into is not None and database_url is None:
        typer.echo(f"type: TWIN_RUN_DIR={into.resolve() / 'run'} TWIN_DATA_DIR={into.resolve() / 'data'} twin up")


def _choose(shelf: Path, name: str, moment: datetime | str | None) -> str:
    """Return the newest backup that is not after the moment, when any will do."""
    if name != "latest" or not isinstance(moment, datetime):
        return name
    fitting = [
        one.name
        for one in list_backups(shelf)
        if one.backup is not None and one.backup.kind == "base" and one.backup.moment <= moment
    ]
    if not fitting:
        raise InputError(f"no backup is older than {moment.isoformat()}", hint="type: twin backup list")
    return fitting[-1]


def _choose_target(
    settings: Settings, into: Path | None, here: bool, database_url: str | None, replace: bool
) -> Target:
    if here == (into is not None) and database_url is None:
        raise InputError("where to restore is not said", hint="name a folder with --into, or this city with --here")
    if here and not replace:
        raise ConflictError(
            "this would replace the living city", hint="say so with --replace; what is there is laid aside"
        )
    if here:
        return Target(
            None if database_url or settings.database_url else settings.state_dir / "postgres",
            settings.data_dir,
            database_url or settings.database_url,
        )
    data = None if into is None else into / "data"
    return Target(None if database_url or into is None else into / "run" / "postgres", data, database_url)


def _say(moment: datetime | None) -> str:
    return "–" if moment is None else moment.isoformat(timespec="seconds")
