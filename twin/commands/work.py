"""``twin work``: work orders on the command line."""

import getpass
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.references import Reference
from layers.store.work_orders import (
    NewWorkOrder,
    WorkOrder,
    list_events,
    list_work_orders,
    move_work_order,
    open_work_order,
    read_work_order,
)
from layers.upkeep import NEXT, STATUS_TITLES, Kind, Priority, Status
from twin.connect import connect_to_city
from twin.settings import read_settings

work = typer.Typer(help="Phiếu việc — work orders: list, show, open, move.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(work, name="work")


@work.command("list")
def list_all(
    status: Annotated[Status | None, typer.Option(help="Only with this status.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only of this team or office.")] = None,
    layer: Annotated[str | None, typer.Option(help="Only about features of this layer.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose day has passed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List work orders, the newest first."""
    layer_id = read_vector_layer(layer).id if layer is not None else None
    with connect_to_city(read_settings()).connect() as connection:
        orders = list_work_orders(
            connection,
            status=[status] if status else (),
            layer_id=layer_id,
            assignee=assignee,
            overdue=overdue,
            limit=limit,
        )
    if as_json:
        typer.echo(orjson.dumps([asdict(order) for order in orders], default=list).decode())
        return
    table = Table("số · no.", "tình trạng · status", "việc · title", "đội · team", "hạn · due", box=None)
    for order in orders:
        due = f"{order.due}{' !' if order.overdue else ''}" if order.due else ""
        table.add_row(str(order.id), STATUS_TITLES[order.status].vi, order.title, order.assignee or "", due)
    Console().print(table)


@work.command("show")
def show(order_id: Annotated[int, typer.Argument(help="Number of the order.")], as_json: Json = False) -> None:
    """Show one work order and every step of it."""
    with connect_to_city(read_settings()).connect() as connection:
        order, events = read_work_order(connection, order_id), list_events(connection, order_id)
    if as_json:
        held = {**asdict(order), "next": NEXT[order.status], "events": [asdict(one) for one in events]}
        typer.echo(orjson.dumps(held, default=list).decode())
        return
    typer.echo(_describe(order))
    for one in order.features:
        typer.echo(f"  {one.layer} {one.feature}")
    for event in events:
        why = f": {event.reason}" if event.reason else ""
        typer.echo(f"  {event.at:%Y-%m-%d %H:%M} {event.author}: {STATUS_TITLES[event.status_after].vi}{why}")


@work.command("open")
def open_one(
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    kind: Annotated[Kind, typer.Option(help="What kind of work.")] = "repair",
    on: Annotated[list[str] | None, typer.Option("--on", help="LAYER/ID of a feature; may be repeated.")] = None,
    priority: Annotated[Priority, typer.Option(help="How urgent.")] = "normal",
    assignee: Annotated[str | None, typer.Option(help="Team or office that does it.")] = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Open a work order on one or more features."""
    references = [_read_reference(words) for words in on or ()]
    new = NewWorkOrder(title, kind, references, priority=priority, assignee=assignee)
    with connect_to_city(read_settings()).begin() as connection:
        order = open_work_order(connection, new, author=getpass.getuser(), reason=reason)
    typer.echo(orjson.dumps(asdict(order), default=list).decode() if as_json else _describe(order))


@work.command("move")
def move(
    order_id: Annotated[int, typer.Argument(help="Number of the order.")],
    status: Annotated[Status, typer.Argument(help="Its next status.")],
    assignee: Annotated[str | None, typer.Option(help="Team or office that does it.")] = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Take a work order to its next status."""
    with connect_to_city(read_settings()).begin() as connection:
        order = move_work_order(
            connection, order_id, status, author=getpass.getuser(), reason=reason, assignee=assignee
        )
    typer.echo(orjson.dumps(asdict(order), default=list).decode() if as_json else _describe(order))


def _read_reference(words: str) -> Reference:
    layer, slash, feature = words.partition("/")
    if not slash or not feature:
        raise InputError(f"'{words}' does not name a feature", hint="write LAYER/ID, such as drainage_nodes/HG-12")
    return Reference(read_vector_layer(layer).id, feature)


def _describe(order: WorkOrder) -> str:
    team = f" · {order.assignee}" if order.assignee else ""
    return f"{order.id} · {STATUS_TITLES[order.status].vi} · {order.title}{team}"
