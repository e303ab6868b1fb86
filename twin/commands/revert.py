"""``twin revert``: take an edit back."""

import getpass
from typing import Annotated

import orjson
import typer

from layers.editing.revert import revert_edit
from twin.connect import connect_to_city
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("revert")(revert)


def revert(
    edit: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="Number of the edit; see: twin history.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    author: Annotated[str | None, typer.Option(help="Who; the user of this machine if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hoàn tác một lần biên tập — take an edit back."""
    with connect_to_city(read_settings()).begin() as connection:
        outcome = revert_edit(connection, edit, author=author or getpass.getuser(), reason=reason)
    results = [{"layer": one.layer.id, "id": one.id, "status": one.status} for one in outcome.results]
    if as_json:
        findings = [finding.as_dict() for finding in outcome.findings]
        typer.echo(orjson.dumps({"edit": outcome.edit_id, "results": results, "findings": findings}).decode())
        return
    for one in results:
        typer.echo(f"{one['layer']} {one['id']}: {one['status']}")
    for finding in outcome.findings:
        typer.echo(f"{finding.layer} {finding.feature}: {finding.reason.vi} · {finding.reason.en}")
    typer.echo(f"lần biên tập · edit {outcome.edit_id}")
