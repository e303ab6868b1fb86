"""``twin alarms``: standing alarms, what is done with them, and the watch that raises them."""

import getpass
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from twin.alarms.forecasts import ForecastFeed, LoopFeed
from twin.alarms.incidents import IncidentFeed
from twin.alarms.leaks import LeakFeed
from twin.alarms.lifecycle import Action, ActionKind
from twin.alarms.rules import Priority
from twin.alarms.state import VisibleState
from twin.alarms.watch import watch
from twin.alarms.words import PRIORITY_TITLES, STATE_TITLES, STEP_TITLES
from twin.commands.alarm_rules import rules
from twin.connect import connect_to_city
from twin.observing.heart import alive
from twin.observing.logs import begin_logging
from twin.observing.work import make_part_registry
from twin.settings import read_settings
from twin.store_alarm_incidents import list_incidents
from twin.store_alarm_statistics import compute_statistics
from twin.store_alarms import (
    STANDING,
    AlarmQuery,
    AlarmRow,
    act_on_alarm,
    list_alarm_events,
    list_alarms,
    read_alarm,
    read_now,
)

alarms = typer.Typer(
    help="Cảnh báo — alarms: rules, list, show, acknowledge, shelve, comment, watch.", no_args_is_help=True
)
Number = Annotated[int, typer.Argument(help="Number of the alarm.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    alarms.add_typer(rules, name="rules")
    app.add_typer(alarms, name="alarms")


@alarms.command("list")
def list_all(
    state: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated; 'all'.")] = None,
    priority: Annotated[Priority | None, typer.Option(help="Only this priority.")] = None,
    event: Annotated[str | None, typer.Option(help="Only about this, such as flood.")] = None,
    ward: Annotated[str | None, typer.Option(help="Only in the ward of this code.")] = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="Alarms of one cause as one line.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List the alarms that stand, the newest first."""
    with connect_to_city(read_settings()).connect() as connection:
        if grouped:
            _print_incidents(list_incidents(connection, limit=limit), as_json)
            return
        query = AlarmQuery(
            states=_read_states(state),
            priorities=[priority] if priority else (),
            events=[event] if event else (),
            ward=ward,
        )
        rows = list_alarms(connection, query, limit=limit)
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    table = Table(
        "số\nno.", "mức\npriority", "trạng thái\nstate", "cảnh báo\nalarm", "từ\nsince", "trị số\nvalue", box=None
    )
    for row in rows:
        value = "" if row.value is None else f"{row.value:.2f} {row.unit or ''}"
        since = f"{row.since.astimezone():%d/%m %H:%M}"
        titles = PRIORITY_TITLES[row.priority].vi, STATE_TITLES[row.state].vi
        table.add_row(str(row.id), *titles, row.title_vi, since, value)
    Console().print(table)


@alarms.command("show")
def show(alarm_id: Number, as_json: Json = False) -> None:
    """Show one alarm and every step of it, the newest first."""
    with connect_to_city(read_settings()).connect() as connection:
        row, events = read_alarm(connection, alarm_id), list_alarm_events(connection, alarm_id)
    if as_json:
        _print_json({**asdict(row), "events": [asdict(one) for one in events]})
        return
    typer.echo(_describe(row))
    for one in events:
        told = one.reason or one.details.get("group", "")
        why = f": {told}" if told else ""
        value = "" if one.value is None else f" {one.value:.2f}"
        when = f"{one.at.astimezone():%Y-%m-%d %H:%M:%S}"
        typer.echo(
            f"  {when} {one.author} · {STEP_TITLES[one.kind].vi} → {STATE_TITLES[one.state_after].vi}{value}{why}"
        )


@alarms.command("acknowledge")
def acknowledge(alarm_id: Number, reason: Reason = "", as_json: Json = False) -> None:
    """Say that the alarm was seen."""
    _act(alarm_id, "acknowledge", reason, as_json)


@alarms.command("shelve")
def shelve(
    alarm_id: Number,
    reason: Annotated[str, typer.Option(help="Why; needed.")],
    minutes: Annotated[float, typer.Option(min=1, max=1440, help="For how long.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Put the alarm aside for some time; it comes back by itself."""
    _act(alarm_id, "shelve", reason, as_json, minutes=minutes)


@alarms.command("unshelve")
def unshelve(alarm_id: Number, reason: Reason = "", as_json: Json = False) -> None:
    """Take the alarm off the shelf before its time."""
    _act(alarm_id, "unshelve", reason, as_json)


@alarms.command("comment")
def comment(
    alarm_id: Number, words: Annotated[str, typer.Argument(help="What is to be remembered.")], as_json: Json = False
) -> None:
    """Put a remark into the alarm's history."""
    _act(alarm_id, "comment", words, as_json)


@alarms.command("suppress")
def suppress(
    alarm_id: Number,
    reason: Annotated[str, typer.Option(help="Why; needed.")],
    end: Annotated[bool, typer.Option("--end", help="Let it speak again.")] = False,
    as_json: Json = False,
) -> None:
    """Suppress the alarm by hand, or no longer."""
    _act(alarm_id, "unsuppress" if end else "suppress", reason, as_json)


@alarms.command("service")
def service(
    alarm_id: Number,
    reason: Annotated[str, typer.Option(help="Why; needed.")],
    back: Annotated[bool, typer.Option("--return", help="Return it to service.")] = False,
    as_json: Json = False,
) -> None:
    """Take the alarm out of service, or return it."""
    _act(alarm_id, "return-to-service" if back else "out-of-service", reason, as_json)


@alarms.command("statistics")
def statistics(
    hours: Annotated[float, typer.Option(min=0.2, max=9600, help="Over so many hours up to now.")] = 24.0,
    as_json: Json = False,
) -> None:
    """Say how many alarms there are, and which: the measures of ISA-18.2."""
    end = datetime.now(UTC)
    with connect_to_city(read_settings()).connect() as connection:
        found = compute_statistics(connection, end - timedelta(hours=hours), end)
    if as_json:
        _print_json(asdict(found))
        return
    typer.echo(f"báo ra · announced {found.announced}, mỗi 10 phút · in 10 min {found.per_10_min:.2f}")
    typer.echo(f"nhiều nhất 10 phút · most in 10 min {found.peak_10_min}, dồn dập · in floods {found.flood_share:.1%}")
    typer.echo(f"đang có · standing {found.standing}, quá một ngày · over a day {found.stale}")
    for one in found.most_frequent:
        typer.echo(f"  {one['count']:4d} {one['share']:4.0%} {one['title']['vi']}")


@alarms.command("watch")
def watch_all(
    once: Annotated[bool, typer.Option("--once", help="One pass over all that is new, then stop.")] = False,
) -> None:
    """Follow readings, forecasts and timers and raise alarms, until stopped. Only one process does it at a time."""
    settings = read_settings()
    begin_logging("alarms", settings)
    engine = connect_to_city(settings)
    # So that it takes leave when it is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with alive(settings, "alarms", make_part_registry()):
        watch(engine, (ForecastFeed(), LoopFeed(), LeakFeed(), IncidentFeed()), once=once)


def _act(alarm_id: int, kind: ActionKind, reason: str, as_json: bool, *, minutes: float | None = None) -> None:
    now = read_now()
    action = Action(kind, now, getpass.getuser(), reason, None if minutes is None else now + minutes * 60.0)
    with connect_to_city(read_settings()).begin() as connection:
        row = act_on_alarm(connection, alarm_id, action)
    if as_json:
        _print_json(asdict(row))
    else:
        typer.echo(_describe(row))


def _read_states(words: list[str] | None) -> tuple[VisibleState, ...]:
    if not words:
        return STANDING
    if words == ["all"]:
        return ()
    known: dict[str, VisibleState] = {state: state for state in STATE_TITLES}
    for word in words:
        if word not in known:
            raise InputError(f"state '{word}' is not known", hint=f"one of {', '.join(known)}, or all")
    return tuple(known[word] for word in words)


def _print_incidents(found: list[Any], as_json: bool) -> None:
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    table = Table("số\nno.", "cảnh báo\nalarm", "đang có\nstanding", "từ\nopened", "mới nhất\nlast", box=None)
    for one in found:
        times = [f"{at.astimezone():%d/%m %H:%M}" for at in (one.opened, one.last_raised)]
        table.add_row(str(one.id), one.title_vi or one.event, str(one.standing), *times)
    Console().print(table)


def _print_json(content: Any) -> None:
    typer.echo(orjson.dumps(content).decode())


def _describe(row: AlarmRow) -> str:
    value = "" if row.value is None else f" · {row.value:.2f} {row.unit or ''}".rstrip()
    return f"{row.id} · {STATE_TITLES[row.state].vi} · {row.title_vi}{value}"
