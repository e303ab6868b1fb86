"""Hydraulic models beside the layers: the document each was read from, where it lies, the files it names."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError

ModelKind = Literal["swmm", "epanet"]
LONGEST_ID = 40
"""Signs of a model's id at most; an id of the layers is ``{model}.{name}``."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the city: its file's text, how its coordinates lie in the city, what it was read from."""

    id: str
    kind: ModelKind
    title: str
    document: str
    fingerprint: str
    source: str
    anchor: Mapping[str, Any]
    facts: Mapping[str, Any]
    author: str
    loaded: datetime


def store_model(
    connection: Connection,
    model_id: str,
    kind: ModelKind,
    document: str,
    *,
    title: str,
    source: str,
    anchor: Mapping[str, Any],
    facts: Mapping[str, Any],
    author: str,
    files: Mapping[str, bytes],
) -> None:
    """Keep a model with the files that it names; one of the same id and kind is replaced.

    Raises InputError where the id is another kind's.
    """
    done = connection.execute(
        text(
            "insert into meta.model (id, kind, title, document, fingerprint, source, anchor, facts, author) "
            "values (:id, :kind, :title, :document, :fingerprint, :source, cast(:anchor as jsonb), "
            "cast(:facts as jsonb), :author) on conflict (id) do update set title = excluded.title, "
            "document = excluded.document, fingerprint = excluded.fingerprint, source = excluded.source, "
            "anchor = excluded.anchor, facts = excluded.facts, author = excluded.author, "
            "loaded = clock_timestamp() where model.kind = excluded.kind"
        ),
        {
            "id": model_id, "kind": kind, "title": title, "document": document,
            "fingerprint": hashlib.sha256(document.encode()).hexdigest(), "source": source,
            "anchor": orjson.dumps(dict(anchor)).decode(), "facts": orjson.dumps(dict(facts)).decode(),
            "author": author,
        },
    )  # fmt: skip
    if done.rowcount == 0:
        raise InputError(f"model '{model_id}' is not one of {kind}", hint="give another id with --id")
    connection.execute(text("delete from meta.model_file where model = :id"), {"id": model_id})
    for name, content in files.items():
        connection.execute(
            text("insert into meta.model_file (model, name, content) values (:model, :name, :content)"),
            {"model": model_id, "name": name, "content": content},
        )


def read_model(connection: Connection, model_id: str, kind: ModelKind) -> Model:
    """Return a model; NotFoundError names those of its kind that there are."""
    row = connection.execute(
        text(f"select {_COLUMNS}, document from meta.model where id = :id and kind = :kind"),
        {"id": model_id, "kind": kind},
    ).first()
    if row is None:
        known = ", ".join(model.id for model in list_models(connection, kind)) or "none"
        raise NotFoundError(f"there is no model '{model_id[:80]}' of {kind}", hint=f"there are: {known}")
    return Model(**row._mapping)


def list_models(connection: Connection, kind: ModelKind | None = None) -> list[Model]:
    """Return the models (of a kind) in the order of their ids, without their documents."""
    rows = connection.execute(
        text(f"select {_COLUMNS}, '' as document from meta.model where kind = coalesce(:kind, kind) order by id"),
        {"kind": kind},
    )
    return [Model(**row._mapping) for row in rows]


def read_model_files(connection: Connection, model_id: str) -> dict[str, bytes]:
    """Return the files that a model names, by name."""
    rows = connection.execute(
        text("select name, content from meta.model_file where model = :id order by name"), {"id": model_id}
    )
    return {row.name: bytes(row.content) for row in rows}


def delete_model(connection: Connection, model_id: str) -> bool:
    """Delete a model with its files and return whether there was one; its items in the layers stay."""
    return connection.execute(text("delete from meta.model where id = :id"), {"id": model_id}).rowcount > 0


_COLUMNS = "id, kind, title, fingerprint, source, anchor, facts, author, loaded"
