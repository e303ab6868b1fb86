"""``twin warnings``: drafts, messages and deliveries on the command line, and the sender."""

import getpass
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import Connection

from layers.errors import InputError
from layers.store.migrate import read_city
from twin.connect import connect_to_city
from twin.observing.heart import alive
from twin.observing.logs import begin_logging
from twin.observing.work import make_part_registry
from twin.settings import read_settings
from twin.store_drafts import list_drafts, settle_draft
from twin.store_outbox import State, list_deliveries, retry_delivery
from twin.store_warnings import Message, find_station, find_wards_near, list_messages, read_body, read_message
from twin.warning.flood import FloodWarning, Status
from twin.warning.issuing import cancel, issue, issue_draft
from twin.warning.policy import Policy, read_policy
from twin.warning.proposing import NEAR_M
from twin.warning.sending import ContactsFile, Pace, Sender

warnings = typer.Typer(
    help="Cảnh báo gửi đi — warnings that leave the house: drafts, CAP messages, deliveries.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Level = Annotated[int, typer.Option(min=1, max=4, help="1, 2, 3 (báo động I, II, III) or 4 (above the record).")]
Station = Annotated[str, typer.Option(help="Sensor whose stage it is about.")]
Wards = Annotated[list[str] | None, typer.Option("--ward", help="Ward code; may be repeated. Else those near by.")]
Hours = Annotated[float, typer.Option(min=0.1, max=240.0, help="How long it holds [h].")]
Metres = Annotated[float | None, typer.Option(help="Above datum [m].")]
Probability = Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Of a forecast; left out: measured.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(warnings, name="warnings")


@warnings.command("list")
def list_all(
    drafts: Annotated[bool, typer.Option("--drafts", help="What is proposed and waits, not what was issued.")] = False,
    in_force: Annotated[bool, typer.Option("--in-force", help="Only what holds now.")] = False,
    status: Annotated[Status | None, typer.Option(help="Only with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages as issued, or drafts, the newest first."""
    with connect_to_city(read_settings()).connect() as connection:
        if drafts:
            _show_drafts(connection, limit, as_json)
            return
        moment = datetime.now(UTC) if in_force else None
        messages = list_messages(connection, status=status, in_force=moment, limit=limit)
    if as_json:
        typer.echo(orjson.dumps([_describe(one) for one in messages]).decode())
        return
    # What is typed again is never cut short.
    table = Table(
        Column("mã · identifier", no_wrap=True), "loại · kind", "mức · severity", "nội dung · headline", box=None
    )
    for one in messages:
        table.add_row(one.identifier, one.kind, one.severity, one.headline.vi)
    Console().print(table)


@warnings.command("show")
def show(identifier: Annotated[str, typer.Argument(help="Identifier of a message.")]) -> None:
    """Print a message as it was issued: CAP 1.2."""
    with connect_to_city(read_settings()).connect() as connection:
        typer.echo(read_body(connection, identifier).decode())


@warnings.command("issue")
def issue_one(
    draft: Annotated[int | None, typer.Argument(help="Number of a draft; else say what is warned of.")] = None,
    level: Annotated[int | None, typer.Option(min=1, max=4, help="1, 2, 3 (báo động) or 4 (above the record).")] = None,
    station: Annotated[str | None, typer.Option(help="Sensor whose stage it is about.")] = None,
    ward: Wards = None,
    hours: Hours = 6.0,
    status: Annotated[Status | None, typer.Option(help="Left out: what the settings say.")] = None,
    stage: Metres = None,
    threshold: Metres = None,
    probability: Probability = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Issue a draft, or a warning written out with --level and --station."""
    with _begin() as (connection, policy):
        if draft is not None:
            message = issue_draft(connection, policy, draft, author=getpass.getuser(), reason=reason)
        elif level is not None and station is not None:
            values = {"level": level, "stage": stage, "threshold": threshold, "probability": probability}
            warning = _make_warning(connection, station, ward, hours, status or policy.status, values)
            message = issue(connection, policy, warning, author=getpass.getuser(), reason=reason)
        else:
            raise InputError("nothing is said to issue", hint="name a draft, or give --level and --station")
    _tell(message, as_json)


@warnings.command("update")
def update(
    identifier: Annotated[str, typer.Argument(help="Any message of the chain.")],
    level: Level,
    ward: Wards = None,
    hours: Hours = 6.0,
    stage: Metres = None,
    threshold: Metres = None,
    probability: Probability = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Issue what holds now in place of what was issued before; wards stay unless given."""
    with _begin() as (connection, policy):
        before = list_messages(connection, chain=read_message(connection, identifier).chain, limit=1)[0]
        changes: dict[str, Any] = {
            "level": level, "stage": stage, "threshold": threshold, "probability": probability, "at": None,
            "onset": None, "wards": tuple(ward) if ward else before.warning.wards,
            "expires": datetime.now(UTC) + timedelta(hours=hours),
        }  # fmt: skip
        message = issue(
            connection,
            policy,
            _check({**before.warning.model_dump(), **changes}),
            author=getpass.getuser(),
            reason=reason,
            kind="Update",
            chains=[before.chain],
        )
    _tell(message, as_json)


@warnings.command("cancel")
def cancel_one(
    identifier: Annotated[str, typer.Argument(help="Any message of the chain.")],
    reason: Annotated[str, typer.Option(help="Why it ends.")],
    as_json: Json = False,
) -> None:
    """End a warning."""
    with _begin() as (connection, policy):
        latest = list_messages(connection, chain=read_message(connection, identifier).chain, limit=1)[0]
        message = cancel(connection, policy, latest, author=getpass.getuser(), reason=reason)
    _tell(message, as_json)


@warnings.command("discard")
def discard(draft: Annotated[int, typer.Argument(help="Number of a draft.")]) -> None:
    """Decide not to issue a draft."""
    with connect_to_city(read_settings()).begin() as connection:
        settle_draft(connection, draft, "discarded", author=getpass.getuser())
    typer.echo(f"Đã bỏ bản thảo {draft} — draft {draft} is discarded")


@warnings.command("outbox")
def outbox(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    reference: Annotated[str | None, typer.Option(help="Only of this message or alarm step.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List deliveries: sent, waiting, dead with the reason; addresses are never shown."""
    with connect_to_city(read_settings()).connect() as connection:
        deliveries = list_deliveries(connection, state=state, reference=reference, limit=limit)
    if as_json:
        shown = [{name: getattr(one, name) for name in type(one).__slots__ if name != "content"} for one in deliveries]
        typer.echo(orjson.dumps(shown).decode())
        return
    table = Table(
        Column("mã · id", no_wrap=True),
        Column("việc · of", overflow="fold"),
        Column("nhóm · group", overflow="fold"),
        "tình trạng · state",
        "lỗi · error",
        box=None,
    )
    for one in deliveries:
        place = f"{one.contact_group}/{one.channel}"
        table.add_row(str(one.id), one.reference, place, f"{one.state} ({one.attempts})", one.error or "")
    Console().print(table)


@warnings.command("retry")
def retry(delivery: Annotated[UUID, typer.Argument(help="Id of a dead delivery.")]) -> None:
    """Try a dead delivery again."""
    with connect_to_city(read_settings()).begin() as connection:
        retry_delivery(connection, delivery, moment=datetime.now(UTC))
    typer.echo(f"Sẽ gửi lại {delivery} — {delivery} will be tried again")


@warnings.command("send")
def send(
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is due.")] = False,
    threads: Annotated[int, typer.Option(min=1, max=32, help="Deliveries at a time.")] = 4,
    lease: Annotated[
        float, typer.Option(min=1.0, help="A delivery in progress for longer is taken up anew [s].")
    ] = 120.0,
) -> None:
    """Propose warnings from alarms and deliver what is in the outbox, until stopped."""
    settings = read_settings()
    begin_logging("warnings", settings)
    contacts = ContactsFile(settings.notify_file)
    engine = connect_to_city(settings)
    with engine.connect() as connection:
        policy = read_policy(settings, read_city(connection))
    sender = Sender(engine, policy, contacts, pace=replace(Pace(), lease_s=lease), threads=threads)
    if once:
        sender.run_once()
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sender.stop())
    with alive(settings, "warnings", make_part_registry()):
        sender.run()


@contextmanager
def _begin() -> Iterator[tuple[Connection, Policy]]:
    """Give a transaction on the city's database, with the rules of sending."""
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        yield connection, read_policy(settings, read_city(connection))


def _make_warning(
    connection: Connection,
    station: str,
    wards: list[str] | None,
    hours: float,
    status: Status,
    values: dict[str, Any],
) -> FloodWarning:
    found = wards or find_wards_near(connection, [station], NEAR_M)[station]
    if not found:
        raise InputError(f"no ward is known near sensor '{station}'", hint="name them with --ward")
    return _check(
        {
            **values,
            "station": find_station(connection, station),
            "wards": tuple(dict.fromkeys(found)),
            "expires": datetime.now(UTC) + timedelta(hours=hours),
            "status": status,
        }
    )


def _check(values: dict[str, Any]) -> FloodWarning:
    try:
        return FloodWarning.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(str(part) for part in first['loc']) or 'warning'}: {first['msg']}") from None


def _show_drafts(connection: Connection, limit: int, as_json: bool) -> None:
    found = list_drafts(connection, limit=limit)
    if as_json:
        shown = [
            {"id": one.id, "kind": one.kind, "chains": one.chains, "warning": one.warning.model_dump(mode="json")}
            for one in found
        ]
        typer.echo(orjson.dumps(shown).decode())
        return
    table = Table("số · no.", "loại · kind", "mức · level", "trạm · station", "phường · wards", box=None)
    for one in found:
        said = one.warning
        table.add_row(str(one.id), one.kind, str(said.level), said.station.title.vi, ", ".join(said.wards))
    Console().print(table)


def _describe(message: Message) -> dict[str, Any]:
    return {
        "identifier": message.identifier,
        "chain": message.chain,
        "sent": message.sent,
        "status": message.status,
        "kind": message.kind,
        "severity": message.severity,
        "expires": message.expires,
        "headline": message.headline._asdict(),
        "warning": message.warning.model_dump(mode="json"),
        "author": message.author,
        "reason": message.reason,
    }


def _tell(message: Message, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(_describe(message)).decode())
    else:
        typer.echo(f"{message.identifier} · {message.status} · {message.kind} · {message.headline.vi}")
