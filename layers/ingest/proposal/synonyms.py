"""What things are called: titles, codes and words of the declarations, and the synonyms that they do not say.

A synonym that could mean many things (``~type``) is written with a tilde and counts for less, as do the words of other
standards, which are often plain ones (SWMM calls the invert ``Elevation``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from layers.ingest.proposal.wording import split_words
from layers.registry import read_vector_layer
from layers.schema import Property

Words = tuple[str, ...]
_PATH = Path(__file__).with_name("synonyms.yml")
_YES, _NO = ("true", "yes", "y", "t", "có", "x", "đúng", "1"), ("false", "no", "n", "f", "không", "sai", "0")
# What says which of its kinds a thing is, is often called no more than this.
_KINDS = ("~type", "~kind", "~category", "~loại", "~phân loại")
_BREAKS = (",", ";", "|", "(", ")", "/")


class Synonyms(BaseModel):
    """The synonyms file, checked. ``usual`` bounds what a quantity usually is, in its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    properties: dict[str, tuple[str, ...]]
    codes: dict[str, tuple[str, ...]]
    layers: dict[str, tuple[str, ...]]
    usual: dict[str, tuple[float, float]]


@cache
def read_synonyms() -> Synonyms:
    """Return the synonyms packaged with the code."""
    return Synonyms.model_validate(yaml.load(_PATH.read_text(encoding="utf-8"), yaml.BaseLoader))


@dataclass(frozen=True, slots=True)
class Names:
    """What a layer, its properties and their codes may be called; each name as folded words, its own first;
    ``vague`` are names of properties that could mean other things."""

    layer: tuple[Words, ...]
    properties: Mapping[str, tuple[Words, ...]]
    codes: Mapping[str, Mapping[str, tuple[Words, ...]]]
    vague: frozenset[tuple[str, Words]]


@cache
def read_names(layer_id: str) -> Names:
    """Return the names of a declared vector layer; a flag's codes are yes and no."""
    layer = read_vector_layer(layer_id)
    words = [_last_part(word) for word in layer.words.values()]
    more = read_synonyms().layers.get(layer.id, ())
    return Names(
        _distinct([layer.id, *_split_title(layer.title.vi), *_split_title(layer.title.en), *words, *more]),
        {prop.name: _name_property(layer.id, prop) for prop in layer.properties},
        {prop.name: _name_codes(prop) for prop in layer.properties},
        frozenset(
            (prop.name, split_words(word))
            for prop in layer.properties
            for word in (*_list_synonyms(layer.id, prop), *(f"~{_last_part(word)}" for word in prop.words.values()))
            if word.startswith("~") and split_words(word) != split_words(prop.name)
        ),
    )


def _list_synonyms(layer_id: str, prop: Property) -> tuple[str, ...]:
    known = read_synonyms().properties
    listed = known.get(f"{layer_id}.{prop.name}") or known.get(prop.name, ())
    return (*listed, *_KINDS) if prop.required and prop.codes else listed


def _name_property(layer_id: str, prop: Property) -> tuple[Words, ...]:
    more = _list_synonyms(layer_id, prop)
    words = [_last_part(word) for word in prop.words.values()]
    return _distinct([prop.name, *_split_title(prop.title.vi), *_split_title(prop.title.en), *words, *more])


def _name_codes(prop: Property) -> dict[str, tuple[Words, ...]]:
    known = read_synonyms().codes
    if prop.type == "boolean":
        return {
            "yes": _distinct([*_YES, *known.get(f"{prop.name}.true", ())]),
            "no": _distinct([*_NO, *known.get(f"{prop.name}.false", ())]),
        }
    return {
        code.value: _distinct(
            [
                code.value,
                *_split_title(code.title.vi),
                *_split_title(code.title.en),
                *known.get(f"{prop.name}.{code.value}", ()),
            ]
        )
        for code in prop.codes
    }


def _split_title(title: str) -> list[str]:
    """Return the title and the pieces it lists: ``Hồ điều hòa, bể chứa`` names two things."""
    spaced = title
    for mark in _BREAKS:
        spaced = spaced.replace(mark, "\n")
    return [title, *(piece.strip() for piece in spaced.split("\n") if piece.strip())]


def _last_part(word: str) -> str:
    return word.split(":")[-1].split(".")[-1]


def _distinct(names: list[str]) -> tuple[Words, ...]:
    return tuple(dict.fromkeys(words for words in map(split_words, names) if words))
