"""``twin doctor``: what works, what is missing, what to type."""

import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from layers.errors import TwinError
from layers.ingest.catalog import read_catalog
from layers.store.cluster import find_binaries, find_running
from layers.store.engine import check_connection, open_engine
from layers.store.features import read_versions
from layers.store.migrate import read_city
from twin.finding import Finding
from twin.hardening import examine_hardening
from twin.sensors.broker import find_mosquitto, name_broker, read_broker
from twin.settings import Settings, read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(examine)


def examine(
    hardening: Annotated[
        bool, typer.Option("--hardening", help="Say what is unsafe in this configuration instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what works, what is missing or unsafe and what to type; exit code 1 when something is."""
    settings = read_settings()
    findings = examine_hardening(settings) if hardening else [look(settings) for look in CHECKS]
    if as_json:
        typer.echo(orjson.dumps([asdict(finding) for finding in findings]).decode())
    else:
        for finding in findings:
            mark = {"ok": "✓", "missing": "✗", "unsafe": "✗", "optional": "–"}[finding.verdict]
            typer.echo(f"{mark} {finding.name:<18} {finding.detail}")
            if finding.verdict != "ok" and finding.remedy:
                typer.echo(f"  {'':<18} type: {finding.remedy}")
    if any(finding.verdict in ("missing", "unsafe") for finding in findings):
        raise typer.Exit(1)


def _look_at_python(_: Settings) -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", "ok" if sys.version_info >= (3, 11) else "missing", version, "apt-get install python3")


def _look_at_postgis(settings: Settings) -> Finding:
    if settings.database_url:
        return Finding("PostGIS", "ok", "an existing database is configured (TWIN_DATABASE_URL)")
    binaries = find_binaries()
    if binaries is None:
        return Finding("PostGIS", "missing", "no server with PostGIS", "apt-get install postgresql-postgis")
    return Finding("PostGIS", "ok", str(binaries))


def _look_at_database(settings: Settings) -> Finding:
    url = settings.database_url or find_running(settings.state_dir / "postgres")
    if url is None:
        return Finding("database", "optional", "the private cluster is not running; it starts when needed", "make run")
    try:
        engine = open_engine(url)
        version = check_connection(engine)
        with engine.connect() as connection:
            city = read_city(connection)
            filled = len(read_versions(connection))
    except TwinError as error:
        return Finding("database", "missing", error.message, error.hint or "twin db migrate")
    return Finding("database", "ok", f"PostGIS {version}, city '{city.id}' in EPSG:{city.srid}, {filled} layers filled")


def _look_at_catalog(settings: Settings) -> Finding:
    try:
        catalog = read_catalog(settings.catalog_path)
    except TwinError as error:
        return Finding("catalogue", "missing", error.message, "twin demo")
    return Finding("catalogue", "ok", f"{settings.catalog_path}: {len(catalog.sources)} sources")


def _look_at_viewer(settings: Settings) -> Finding:
    if not (settings.web_dir / "index.html").exists():
        return Finding("viewer", "missing", f"not built ({settings.web_dir})", "make setup")
    return Finding("viewer", "ok", str(settings.web_dir))


def _look_at_port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        taken = probe.connect_ex((settings.host, settings.port)) == 0
    where = f"{settings.host}:{settings.port}"
    if taken:
        return Finding(
            "port",
            "optional",
            f"{where} answers: the twin runs, or another program holds it",
            "TWIN_PORT=8001 make run",
        )
    return Finding("port", "ok", f"{where} is free")


def _look_at_browser(_: Settings) -> Finding:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        return Finding("browser", "optional", "none; only the browser tests need it", "apt-get install chromium")
    return Finding("browser", "ok", found)


def _look_at_broker(settings: Settings) -> Finding:
    program = find_mosquitto()
    if program is None:
        return Finding("MQTT broker", "optional", "none; devices cannot send over MQTT", "apt-get install mosquitto")
    broker = read_broker(name_broker(settings.state_dir))
    if broker is None:
        return Finding("MQTT broker", "ok", program)
    with socket.socket() as probe:
        runs = probe.connect_ex(("127.0.0.1", broker.device_port)) == 0
    where = f"devices 127.0.0.1:{broker.device_port}, subscribers 127.0.0.1:{broker.reader_port}"
    return Finding("MQTT broker", "ok", f"{program}, {where}, {'runs' if runs else 'not running'}")


def _look_at_disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free / 1e9
    return Finding("disk", "ok" if free > 2.0 else "missing", f"{free:.1f} GB free, 2 GB needed", "free some space")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _look_at_python,
    _look_at_postgis,
    _look_at_database,
    _look_at_catalog,
    _look_at_viewer,
    _look_at_port,
    _look_at_browser,
    _look_at_broker,
    _look_at_disk,
)
