"""``twin sensors simulate``: devices that are not there publish over MQTT as real ones do."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from layers.errors import ConflictError, InputError
from layers.observed import OBSERVED
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.connect import connect_to_city
from twin.demo.station_file import STATIONS_FILE, read_stations
from twin.sensors.broker import name_broker, read_broker
from twin.sensors.broker_rights import ACCOUNT
from twin.settings import Settings, read_settings
from twin.simulation.faults import Fault, Spoiler, read_kind
from twin.simulation.fleets import Fleet, StationFleet, SyntheticFleet, name_devices
from twin.simulation.messages import Bundler
from twin.simulation.publishing import Publisher
from twin.simulation.running import Course, run_course

DEFAULT_SHARE = 0.01
_HERE = "127.0.0.1"
CATCH_UP_S, SPED_UP_S = 3600.0, 86_400.0
DEVICE_INTERVAL_S, DEVICE_SEED = 60.0, 2026
ACKNOWLEDGED_WITHIN_S = 60.0
SOURCE = "simulated"
OFTEN_S, SELDOM_S = 2.0, 600.0


def register_simulate(app: typer.Typer) -> None:
    """Add the command to the family ``twin sensors``."""
    app.command("simulate")(simulate)


def simulate(
    host: Annotated[str, typer.Option(help="Broker to publish to.")] = _HERE,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Its port for devices; default that of twin up.")
    ] = None,
    speed: Annotated[float | None, typer.Option(min=0.001, max=1e6, help="Simulated seconds a second.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First moment, such as 2026-11-20T00:00:00Z.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last moment; without it until stopped.")] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, max=99_999, help="So many alike gauges, not the demo's.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Messages a second.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Readings of a series in one message.")] = 1,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many messages.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="stuck, drift, spike or silence, of the sensor at --at.")
    ] = None,
    at: Annotated[list[str] | None, typer.Option(help="Sensor the fault is at; one for each --fault.")] = None,
    fault_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of series at fault by chance.")
    ] = DEFAULT_SHARE,
    username: Annotated[str | None, typer.Option(help="Account at the broker.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with its password.")
    ] = None,
) -> None:
    """Publish what the demo's stations measure now, or what ``--devices`` gauges would, until stopped."""
    settings = read_settings()
    course = _plan_course(time.time(), speed, _read_moment(start, "--from"), _read_moment(end, "--to"), devices)
    interval = DEVICE_INTERVAL_S
    if devices is not None and rate is not None and course.end is None:
        # As often as makes the rate, so that nothing needs to be held back.
        interval, rate = devices / rate / batch, None
    course = replace(course, rate=rate, count=count)
    # What was measured before we began may be in the city already, and true.
    begin = time.time() if start is None else course.start
    fleet, seed, spans = _make_fleet(settings, devices, interval)
    spoiler = Spoiler(_pair_faults(fault or [], at or [], fleet, course.start), fault_share, seed, spans, begin)
    began = time.monotonic()
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def tell(publisher: Publisher, moment: float) -> None:
        passed = max(time.monotonic() - began, 1e-9)
        shown = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        console.print(
            f"{shown}  sent {publisher.sent:,} in {publisher.messages:,} messages  "
            f"acknowledged {publisher.acknowledged:,}  {publisher.messages / passed:,.0f} messages/s"
        )

    password = password_file.read_text().strip() if password_file is not None else None
    broker = read_broker(name_broker(settings.state_dir))
    if (host, port, username) == (_HERE, None, None) and broker is not None:
        # The twin's own broker knows the twin.
        username, password = ACCOUNT, broker.read_secret()
    with Publisher(host, port or _find_port(settings), username=username, password=password) as publisher:
        try:
            seldom = course.end is None and count is None and not console.is_terminal
            run_course(fleet, spoiler, Bundler(batch), publisher, course, tell, SELDOM_S if seldom else OFTEN_S)
        except KeyboardInterrupt:
            console.print("stopping")
        complete = publisher.wait(ACKNOWLEDGED_WITHIN_S)
    typer.echo(f"sent {publisher.sent} acknowledged {publisher.acknowledged} messages {publisher.messages}")
    if not complete:
        raise ConflictError(
            f"{publisher.sent - publisher.acknowledged} observations were not acknowledged",
            hint="is the broker's queue full? see: twin sensors ledger",
        )


def register_devices(settings: Settings, count: int) -> None:
    """Enter the series of ``count`` synthetic devices, so that their readings find them."""
    observed = OBSERVED["stage"][0]
    series = [
        Datastream(f"{name}-stage", name, observed.name, observed.unit, f"{observed.title.vi} {name}", f"Stage {name}")
        for name in name_devices(count)
    ]
    engine = connect_to_city(settings)
    with engine.begin() as connection:
        upsert_datastreams(connection, series, SOURCE)
    engine.dispose()


def _plan_course(
    now: float, speed: float | None, start: float | None, end: float | None, devices: int | None
) -> Course:
    """Return how time runs, without bounds on messages.

    Without ``--from`` it begins an hour ago, so that a map shows readings of every kind at once; a day ago where time
    is sped up; and now for alike gauges.
    """
    if end is not None and start is None:
        raise InputError("--to is given without --from", hint="name the first moment too")
    if start is not None and end is not None and end <= start:
        raise InputError("--to is not after --from")
    if start is None:
        start = now - (SPED_UP_S if speed is not None else 0.0 if devices is not None else CATCH_UP_S)
    return Course(start, end, speed)


def _make_fleet(settings: Settings, devices: int | None, interval: float) -> tuple[Fleet, int, dict[str, float]]:
    """Return the devices, the seed of their chance and the spans of their series."""
    if devices is None:
        stations, seed = read_stations(settings.raw_dir / "demo" / STATIONS_FILE)
        fleet = StationFleet(stations, seed)
        return fleet, seed, fleet.measure_spans()
    register_devices(settings, devices)
    return SyntheticFleet(devices, interval, DEVICE_SEED), DEVICE_SEED, {}


def _pair_faults(kinds: list[str], sensors: list[str], fleet: Fleet, start: float) -> list[Fault]:
    if len(kinds) != len(sensors):
        raise InputError(f"{len(kinds)} --fault and {len(sensors)} --at, expected one sensor for each fault")
    known = set(fleet.sensor_ids)
    if unknown := [sensor for sensor in sensors if sensor not in known]:
        raise InputError(f"there is no sensor '{unknown[0]}' to be at fault", hint="see: twin sensors list")
    return [Fault(read_kind(kind), sensor, start) for kind, sensor in zip(kinds, sensors, strict=True)]


def _read_moment(value: str | None, name: str) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InputError(f"{name} '{value}' is not a date-time", hint="write 2026-11-20T00:00:00Z") from None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()


def _find_port(settings: Settings) -> int:
    """Return the port for devices of the broker that ``twin up`` started, else the configured one."""
    broker = read_broker(name_broker(settings.state_dir))
    return settings.mqtt_port if broker is None else broker.device_port
