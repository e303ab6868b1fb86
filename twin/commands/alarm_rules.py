"""``twin alarms rules``: alarm rules from files into the database, and back."""

import getpass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml
from rich.console import Console
from rich.table import Column, Table

from layers.errors import InputError, SourceError
from twin.alarms.board import update_derived_rules
from twin.alarms.rules import Rule, parse_rule, write_rule
from twin.alarms.words import PRIORITY_TITLES
from twin.commands.choosing import read_time
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.store_alarm_rules import RuleVersion, end_rule, list_rule_versions, list_rules, put_rule

rules = typer.Typer(help="Quy tắc cảnh báo — alarm rules: list, show, load, derive, end.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why.")]
RuleId = Annotated[str, typer.Argument(help="Id of the rule.")]


class _Loader(yaml.SafeLoader):
    """YAML in which, as in version 1.2, the words ``on`` and ``off`` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if first not in "oO" or not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@rules.command("list")
def list_all(
    at: Annotated[str | None, typer.Option(help="In force at this moment; without it now.")] = None,
    as_json: Json = False,
) -> None:
    """List the rules in force."""
    moment = read_time(at) if at is not None else None
    with connect_to_city(read_settings()).connect() as connection:
        found = list_rules(connection, moment)
    if as_json:
        _print_json([_write(one) for one in found])
        return
    table = Table(
        Column("quy tắc\nrule", overflow="fold"), "mức\npriority", "tên\ntitle", "từ\nfrom", "nguồn\norigin", box=None
    )
    for one in found:
        title = PRIORITY_TITLES[one.rule.priority].vi
        table.add_row(
            one.rule.id, title, one.rule.title.vi, f"{one.valid_from.astimezone():%d/%m/%Y %H:%M}", one.origin
        )
    Console().print(table)


@rules.command("show")
def show(rule_id: RuleId) -> None:
    """Print all versions of a rule as JSON, the newest first."""
    with connect_to_city(read_settings()).connect() as connection:
        _print_json([_write(one) for one in list_rule_versions(connection, rule_id)])


@rules.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="YAML with a list 'rules'.", exists=True, dir_okay=False)],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Write the rules of a file, all or none; a rule that is as it was stays in its version."""
    parsed = [_parse(row) for row in read_rules_file(file)]
    with connect_to_city(read_settings()).begin() as connection:
        before = {one.rule.id: one.version for one in list_rules(connection)}
        written = [
            put_rule(
                connection,
                rule,
                origin="file",
                author=getpass.getuser(),
                reason=reason or file.name,
                valid_from=start,
                valid_to=end,
            )
            for rule, start, end in parsed
        ]
    changed = [one.rule.id for one in written if before.get(one.rule.id) != one.version]
    if as_json:
        _print_json({"rules": len(written), "changed": changed})
    else:
        typer.echo(f"{len(written)} quy tắc, {len(changed)} thay đổi — {len(written)} rules, {len(changed)} changed")


@rules.command("derive")
def derive() -> None:
    """Bring the alarm levels of layer sensors into rules; the watch does it by itself."""
    with connect_to_city(read_settings()).begin() as connection:
        count = update_derived_rules(connection)
    typer.echo(f"{count} quy tắc được ghi — {count} rules written")


@rules.command("end")
def end(rule_id: RuleId, reason: Reason = "") -> None:
    """Let a rule be in force no longer; its alarms end, its versions stay."""
    with connect_to_city(read_settings()).begin() as connection:
        end_rule(connection, rule_id, author=getpass.getuser(), reason=reason)
    typer.echo(f"{rule_id} hết hiệu lực — is in force no longer")


def read_rules_file(file: Path) -> list[dict[str, Any]]:
    """Return the rules of a YAML file as they are written; SourceError says what is wrong with it."""
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"'{file}' is not YAML: {' '.join(str(error).split())}") from None
    found = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(f"'{file}' has no list 'rules'", hint="see docs/alarms.md")
    return found


def _parse(row: dict[str, Any]) -> tuple[Rule, datetime | None, datetime | None]:
    definition = {key: value for key, value in row.items() if key not in ("valid_from", "valid_to")}
    start, end = (_read_moment(row.get(name), str(row.get("id"))) for name in ("valid_from", "valid_to"))
    return parse_rule(definition), start, end


def _read_moment(value: object, rule_id: str) -> datetime | None:
    """Return a moment as YAML gives it: text, a date or a date-time, without an offset in UTC."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        return read_time(value)
    raise InputError(f"rule '{rule_id}': '{value}' is not a moment", hint="2026-11-22T10:00:00+07:00")


def _write(one: RuleVersion) -> dict[str, Any]:
    return {
        "id": one.rule.id,
        "version": one.version,
        "origin": one.origin,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "author": one.author,
        "reason": one.reason,
        "ended_by": one.ended_by,
        "end_reason": one.end_reason,
        "rule": write_rule(one.rule),
    }


def _print_json(content: Any) -> None:
    typer.echo(orjson.dumps(content).decode())
