"""``twin up``: from a checkout to a city on the map, and down again without a trace."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import typer
from sqlalchemy import Engine

from layers.errors import ConflictError, SetupError
from layers.ingest.catalog import Catalog, read_catalog
from layers.store.cluster import stop_cluster
from layers.store.migrate import migrate
from twin.commands.demo import make_demo
from twin.commands.load import How, load_all, load_feeds
from twin.connect import connect
from twin.demo.owners import OWNERS_FILE
from twin.demo.station_file import STATIONS_FILE
from twin.leftovers import end_leftovers, end_processes, remember, take_lock
from twin.personal.key import find_key_file, make_key, read_key
from twin.personal.loading import load_owners
from twin.progress import show_progress
from twin.runs import execute, submit_run
from twin.sensors.broker import await_broker, build_command, find_mosquitto, name_broker, prepare_broker
from twin.sensors.consumer import open_session
from twin.settings import Settings, read_settings
from twin.store import list_runs
from twin.store_personal import count_owners

READY_WITHIN_S = 60.0
MOST_LOG = 50_000_000
"""A log larger than this [B] is begun anew when its process is started, and one old one kept."""
DEMO_LASTS_S = 4 * 3600.0
# Coarser than the default: the first look should not wait for the finest water.
FIRST_FORECAST = {"cell_size": 15.0}
ALWAYS = ("worker", "serve", "alarms watch", "warnings send")
WITH_BROKER, SIMULATED = ("sensors ingest",), "sensors simulate"
Children = dict[str, "subprocess.Popen[bytes]"]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("up")(start_everything)


def start_everything() -> None:
    """Start all of it — database, city, first forecast, worker, server — until Ctrl-C."""
    settings = read_settings()
    folder = settings.state_dir
    lock = take_lock(folder)
    end_leftovers(folder)
    # A supervisor that ends us, or a terminal that closes, is as good a reason to stop cleanly as Ctrl-C. Ctrl-C itself
    # is set too: a shell's background job inherits it ignored. Under nohup a closed terminal stays ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    children: Children = {}
    try:
        _check_port(settings)
        catalog = prepare_city(settings)
        for words in ALWAYS:
            children[words] = _start(words, folder)
        _start_telemetry(settings, children, simulate=_is_simulated(settings, catalog))
        remember(folder, [child.pid for child in children.values()])
        address = f"http://{settings.host}:{settings.port}"
        _await_ready(f"{address}/readyz", children, folder)
        lock.truncate(0)
        lock.write(address)
        lock.flush()
        typer.echo(f"Thành phố đã sẵn sàng — the city is ready: {address}")
        _watch(children, folder)
    finally:
        # A second Ctrl-C while stopping would leave the database running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_processes([child.pid for child in children.values()])
        for child in children.values():
            child.wait()
        (folder / "children.json").unlink(missing_ok=True)
        if settings.database_url is None:
            stop_cluster(folder / "postgres")
        lock.close()


def prepare_city(settings: Settings) -> Catalog:
    """Bring database, layers and a first forecast to where people can look, and return the city's catalogue.

    What is there already is left alone.
    """
    if settings.catalog_path == settings.demo_catalog and _is_demo_stale(settings.demo_catalog):
        make_demo()
    catalog = read_catalog(settings.catalog_path)
    with show_progress("Database") as report:
        report(0.1, "starting")
        engine = connect(settings)
        report(0.5, "migrating")
        migrate(engine, catalog.city.id, catalog.city.crs, catalog.city.model_dump(mode="json"))
    load_all(engine, settings, catalog.sources, settings.catalog_path.parent, How(only_changed=True))
    load_feeds(engine, settings, catalog)
    _load_made_up_owners(engine, settings, catalog)
    _run_first_forecast(engine, settings, catalog)
    engine.dispose()
    return catalog


def _load_made_up_owners(engine: Engine, settings: Settings, catalog: Catalog) -> None:
    """Give the made-up city its made-up owners, with a key of their own; a real one has none until they are loaded."""
    path = settings.demo_catalog.with_name(OWNERS_FILE)
    if not catalog.city.synthetic or settings.catalog_path != settings.demo_catalog or not path.exists():
        return
    with engine.connect() as connection:
        if count_owners(connection)[0]:
            return
    if not find_key_file(settings).exists():
        make_key(settings)
    load_owners(engine, read_key(settings), path, None, source="demo-owners")


def _is_demo_stale(catalog: Path) -> bool:
    """Return whether the demo city is not there or its readings end too long ago to forecast from.

    Made again it is the same city to the byte, so only its readings are loaded anew.
    """
    readings = catalog.parent / "observations.csv.gz"
    return not (catalog.exists() and readings.exists()) or time.time() - readings.stat().st_mtime > DEMO_LASTS_S


def _run_first_forecast(engine: Engine, settings: Settings, catalog: Catalog) -> None:
    if catalog.city.main_gauge is None:
        return
    with engine.connect() as connection:
        if list_runs(connection, process="flood-forecast", status="successful", limit=1):
            return
    with show_progress("First flood forecast") as report:
        execute(engine, settings, submit_run(engine, "flood-forecast", FIRST_FORECAST), follow=report)


def _is_simulated(settings: Settings, catalog: Catalog) -> bool:
    """Return whether the city's devices are made up too."""
    return catalog.city.synthetic and (settings.raw_dir / "demo" / STATIONS_FILE).exists()


def _start_telemetry(settings: Settings, children: Children, *, simulate: bool) -> None:
    """Start the broker and what lives by it; where that cannot be, say what is off and go on."""
    if find_mosquitto() is None:
        typer.echo("MQTT tắt — MQTT is off: Mosquitto is not installed; type: apt-get install mosquitto")
        return
    folder = name_broker(settings.state_dir)
    try:
        broker = prepare_broker(folder, settings.mqtt_port)
        children["broker"] = _spawn("broker", build_command(folder), settings.state_dir)
        await_broker(broker, children["broker"])
        open_session(broker)
    except SetupError as error:
        typer.echo(f"MQTT tắt — MQTT is off: {error}")
        if "broker" in children:
            end_processes([children.pop("broker").pid])
        return
    for words in (*WITH_BROKER, SIMULATED) if simulate else WITH_BROKER:
        children[words] = _start(words, settings.state_dir)
    typer.echo(
        f"MQTT: thiết bị gửi — devices send to mqtt://127.0.0.1:{broker.device_port}, "
        f"đọc — subscribers read mqtt://127.0.0.1:{broker.reader_port}"
    )


def _start(words: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Start a ``twin`` command as a process."""
    return _spawn(words, [sys.executable, "-m", "twin", *words.split()], folder)


def _spawn(name: str, command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own, so that the terminal's Ctrl-C reaches only us."""
    path = _name_log(name, folder)
    if path.exists() and path.stat().st_size > MOST_LOG:
        path.replace(path.with_suffix(".old.log"))
    with path.open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _name_log(name: str, folder: Path) -> Path:
    return folder / f"{name.replace(' ', '-')}.log"


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((settings.host, settings.port)) == 0:
            raise ConflictError(
                f"port {settings.port} is taken by another program",
                hint=f"choose another: TWIN_PORT={settings.port + 1} make run",
            )


def _await_ready(url: str, children: Children, folder: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        _check_alive(children, folder)
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise SetupError(
        f"the server did not get ready within {READY_WITHIN_S:.0f} s", hint=f"look into {folder}/serve.log"
    )


def _check_alive(children: Children, folder: Path) -> None:
    """Raise SetupError for a process that ended; made-up devices are missed by nobody, that they ended is said."""
    for name, child in list(children.items()):
        if child.poll() is None:
            continue
        log = _name_log(name, folder)
        last = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-1:]
        words = f"the {name} ended with code {child.returncode}: {' '.join(last)}"
        if name != SIMULATED:
            raise SetupError(words, hint=f"look into {log}")
        typer.echo(f"{words} — look into {log}")
        del children[name]


def _watch(children: Children, folder: Path) -> None:
    while True:
        _check_alive(children, folder)
        time.sleep(0.5)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
