"""SQL of named configurations: inputs of traces and isolations under a name, to be asked again."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.schema import Text

MOST_CONFIGURATIONS = 1_000
NAME = "configuration"
"""The input that names a configuration."""
_SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")
_COLUMNS = "id, process, title_vi, title_en, inputs, author, created, changed"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Inputs of a process under a name, who kept them last, and when."""

    id: str
    process: str
    title: Text
    inputs: Mapping[str, Any]
    author: str
    created: datetime
    changed: datetime


def put_configuration(
    connection: Connection, configuration_id: str, process: str, title: Text, inputs: Mapping[str, Any], *, author: str
) -> Configuration:
    """Keep inputs in place of those of that name, if there are any; InputError for a name that is none."""
    if not _SLUG.match(configuration_id):
        raise InputError(
            f"configuration id '{configuration_id[:80]}' is not a name", hint="small letters, digits and '-'"
        )
    count = connection.execute(text("select count(*) from network.trace_configuration")).scalar_one()
    if count >= MOST_CONFIGURATIONS:
        raise InputError(f"there are {count} configurations already", hint="delete some first")
    row = connection.execute(
        text(
            "insert into network.trace_configuration (id, process, title_vi, title_en, inputs, author) "
            "values (:id, :process, :vi, :en, cast(:inputs as jsonb), :author) on conflict (id) do update set "
            "process = excluded.process, title_vi = excluded.title_vi, title_en = excluded.title_en, "
            f"inputs = excluded.inputs, author = excluded.author, changed = now() returning {_COLUMNS}"
        ),
        {
            "id": configuration_id,
            "process": process,
            "vi": title.vi,
            "en": title.en,
            "inputs": json.dumps(inputs, ensure_ascii=False),
            "author": author,
        },
    ).one()
    return _read(row)


def read_configuration(connection: Connection, configuration_id: str) -> Configuration:
    """Return a configuration; NotFoundError where there is none."""
    row = connection.execute(
        text(f"select {_COLUMNS} from network.trace_configuration where id = :id"), {"id": configuration_id}
    ).first()
    if row is None:
        raise NotFoundError(
            f"no configuration is called '{configuration_id[:80]}'", hint="/api/traces/configurations lists them"
        )
    return _read(row)


def list_configurations(connection: Connection) -> list[Configuration]:
    """Return all configurations by name."""
    rows = connection.execute(text(f"select {_COLUMNS} from network.trace_configuration order by id"))
    return [_read(row) for row in rows]


def delete_configuration(connection: Connection, configuration_id: str) -> None:
    """Forget a configuration; NotFoundError where there is none."""
    done = connection.execute(text("delete from network.trace_configuration where id = :id"), {"id": configuration_id})
    if not done.rowcount:
        raise NotFoundError(f"no configuration is called '{configuration_id[:80]}'")


def fill_in(connection: Connection, process: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with those of the configuration they name, which they override; InputError for another's."""
    named = values.get(NAME)
    if not isinstance(named, str) or not named:
        return dict(values)
    kept = read_configuration(connection, named)
    if kept.process != process:
        raise InputError(f"configuration '{named}' belongs to process '{kept.process}', not to '{process}'")
    return {**kept.inputs, **{name: value for name, value in values.items() if name != NAME}}


def _read(row: Any) -> Configuration:
    title = Text(row.title_vi, row.title_en)
    return Configuration(row.id, row.process, title, row.inputs, row.author, row.created, row.changed)
