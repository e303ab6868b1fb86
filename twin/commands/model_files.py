"""What ``twin swmm`` and ``twin water`` say and write alike: models of the city, and their files."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import typer

from layers.errors import InputError, SourceError
from layers.store.models import ModelKind, list_models
from twin.connect import connect_to_city
from twin.models import Sections, remove_model
from twin.settings import read_settings


class Changes(Protocol):
    """How many items of each layer an export changed, added and removed."""

    @property
    def changed(self) -> Mapping[str, int]:
        """Changed items, by layer."""

    @property
    def added(self) -> Mapping[str, int]:
        """New items, by layer."""

    @property
    def removed(self) -> Mapping[str, int]:
        """Items that are gone, by layer."""


def read_origin(words: str) -> tuple[float, float]:
    """Return ``LON,LAT`` in degrees; InputError where the words are otherwise."""
    try:
        lon, lat = (float(part) for part in words.split(","))
    except ValueError as error:
        raise InputError(
            f"origin '{words[:60]}' is not two numbers", hint="LON,LAT in degrees: 105.78,10.03"
        ) from error
    return lon, lat


def show_models(kind: ModelKind) -> None:
    """Print the models of a kind."""
    with connect_to_city(read_settings()).connect() as connection:
        for model in list_models(connection, kind):
            typer.echo(f"{model.id:20} {model.loaded:%Y-%m-%d %H:%M}  {model.source:24} {model.title}")


def drop_model(kind: ModelKind, model: str, sections: Sections, *, confirmed: bool) -> None:
    """Remove a model with its items and say how many there were."""
    if not confirmed:
        raise InputError(f"model '{model}' would go with all its items", hint="say --yes")
    with connect_to_city(read_settings()).begin() as connection:
        count = remove_model(connection, kind, model, sections, author=getpass.getuser())
    typer.echo(f"{model}: đã bỏ {count:,} đối tượng · {count:,} items removed")


def tell_changes(changes: Changes, titles: Mapping[str, str]) -> None:
    """Print what an export changed in the model, by layer."""
    for layer, title in titles.items():
        counts = changes.changed[layer], changes.added[layer], changes.removed[layer]
        if any(counts):
            typer.echo("{:,} sửa, {:,} thêm, {:,} bỏ · changed, added, removed: {}".format(*counts, title))


def write_model(path: Path, text: str) -> None:
    """Write the text of a model and say where; SourceError where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror or error}") from error
    typer.echo(str(path))
