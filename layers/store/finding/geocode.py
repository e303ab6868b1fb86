"""Addresses ↔ places: house number, street and ward to a point, and a point to what is there.

A house number that is missing is placed between its neighbours along the street and said to be interpolated. Names of
units before 1 July 2025 are understood and answered with the unit that took their place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.registry import VECTOR_LAYERS
from layers.store.finding.search import MAX_LENGTH, expand_abbreviations, search
from layers.store.finding.search_words import fold_words, spell_dates

Match = Literal["address", "interpolated", "street", "ward", "former", "similar"]
MAX_DISTANCE = 500.0
_MOST = 3_000
_NUMBER = re.compile(r"^(\d+)([a-z]?)((?:/\d+[a-z]?)*)$")
# Words that say what kind of thing follows: people leave them out or write them otherwise.
_KINDS = re.compile(
    r"(?<!\S)(?:so nha|so|duong|pho|phuong|xa|thi tran|thi xa|quan|huyen|thanh pho|tinh|tp|khu vuc|viet nam)(?!\S)"
)
_UNITS = re.compile(r"(?<!\S)(?:phuong|xa|thi tran|thi xa|quan|huyen|thanh pho|tinh|tp)(?!\S)")


class Question(NamedTuple):
    """An address as it was asked: house number, and the words of each part between commas."""

    number: str | None
    parts: tuple[tuple[str, ...], ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All words beside the number."""
        return tuple(word for part in self.parts for word in part)


@dataclass(frozen=True, slots=True)
class Place:
    """An answer: how it was found, the feature it rests on, its text and where it is [°]; ``score`` from 0 to 1.

    ``between`` are the house numbers an interpolated one lies between; ``former`` says which old name was understood.
    """

    match: Match
    layer: str
    id: str
    text: str
    position: tuple[float, float]
    score: float
    between: tuple[str, str] | None = None
    former: dict[str, Any] | None = None


@dataclass(slots=True)
class Surroundings:
    """What is at a point: the nearest address and street with their distance [m], the ward, and what it was before."""

    address: dict[str, Any] | None = None
    street: dict[str, Any] | None = None
    ward: dict[str, Any] | None = None
    former: list[dict[str, Any]] = field(default_factory=list)


class _House(NamedTuple):
    id: str
    number: str
    street: str
    alley: str
    ward: str
    text: str
    x: float
    y: float


def parse_address(words: str) -> Question:
    """Return an address in its parts: ``'Số 12/3A Đ. Trần Phú, P. Cái Khế'`` → number ``12/3a``, two parts."""
    if len(words) > MAX_LENGTH:
        raise InputError(f"address has {len(words)} characters, at most {MAX_LENGTH} are read")
    number, parts = None, []
    for place, part in enumerate(expand_abbreviations(words).split(",")):
        folded = " ".join(fold_words(part))
        bare = _KINDS.sub(" ", folded).split() or folded.split()
        if place == 0 and len(bare) > 1:
            first = next((at for at in (0, len(bare) - 1) if _NUMBER.match(bare[at])), None)
            # A number at the end is one only behind a street: 'nguyen trai 12', but not 'phuong 5'.
            if first is not None and not _UNITS.search(folded):
                number = bare.pop(first)
            elif first == 0:
                number = bare.pop(0)
        if bare:
            parts.append(tuple(bare))
    if not parts:
        raise InputError(f"address '{words}' holds no words", hint="12 Nguyễn Trãi, Ninh Kiều")
    return Question(number, tuple(parts))


def geocode(connection: Connection, address: str, *, limit: int = 5) -> list[Place]:
    """Return where ``address`` is, the best first; empty when nothing is like it."""
    asked = parse_address(address)
    named = Question(asked.number, tuple(tuple(spell_dates(part)) for part in asked.parts))
    for question in (asked, named):
        found = [*_find_number(connection, question), *_find_names(connection, question, address)]
        if found:
            break
    else:
        found = _find_similar(connection, named, limit)
    return sorted(found, key=lambda place: -place.score)[:limit]


def reverse_geocode(connection: Connection, longitude: float, latitude: float) -> Surroundings:
    """Return what is at a point [°]; address and street at most ``MAX_DISTANCE`` away."""
    around = Surroundings()
    asked = {"lon": longitude, "lat": latitude, "most": MAX_DISTANCE}
    point = "ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), (select srid from meta.city))"
    near = f"ST_DWithin(geom, {point}, :most) order by geom <-> {point} limit 1"
    away = f"round(ST_Distance(geom, {point})::numeric, 1)::double precision as distance"
    row = connection.execute(
        text(f"select id, full_address as text, house_number, street, ward, {away} from city.addresses where {near}"),
        asked,
    ).first()
    around.address = dict(row._mapping) if row else None
    for layer in ("streets", "road_links"):
        row = connection.execute(
            text(f"select id, name, '{layer}' as layer, {away} from city.{layer} where name <> '' and {near}"), asked
        ).first()
        if row:
            around.street = dict(row._mapping)
            break
    row = connection.execute(
        text(f"select id, name, ward_code from city.wards where ST_Intersects(geom, {point}) limit 1"), asked
    ).first()
    around.ward = dict(row._mapping) if row else None
    rows = connection.execute(
        text(
            "select id, old_name, old_level, old_district, new_name, new_code, effective from city.admin_changes "
            f"where ST_Intersects(geom, {point}) order by old_level desc, old_name limit 10"
        ),
        asked,
    )
    around.former = [dict(row._mapping) for row in rows]
    return around


def _find_number(connection: Connection, asked: Question) -> list[Place]:
    """Return houses with the number asked for, or where it would be.

    The parts behind the street may be old units or none of ours: without them is better than nothing.
    """
    for kept in range(len(asked.parts) if asked.number is not None else 0, 0, -1):
        question = Question(asked.number, asked.parts[:kept])
        sure = 1.0 if kept == len(asked.parts) else 0.9
        found = _find_houses(connection, question, sure) or _find_in_alley(connection, question, sure)
        if found:
            return found
    return []


def _find_houses(connection: Connection, question: Question, sure: float) -> list[Place]:
    """Return the addresses with the number asked for, or its place between two others of the street."""
    assert question.number is not None
    found = []
    for row, listed in groupby(_select_houses(connection, question), _name_row):
        houses = list(listed)
        same = [house for house in houses if " ".join(fold_words(house.number)) == question.number]
        found += [Place("address", "addresses", h.id, h.text, (h.x, h.y), sure) for h in same]
        if not same:
            alley, street, ward = row
            name = f"{alley} {street}".strip() + (f", {ward}" if ward else "")
            place = _interpolate(question.number, houses, name, sure)
            found += [place] if place else []
    return found


def _find_in_alley(connection: Connection, question: Question, sure: float) -> list[Place]:
    """Return the house that 5/12 means where alleys are named: number 12 in alley 5 of the street."""
    alley, _, number = (question.number or "").rpartition("/")
    if not alley or not question.parts:
        return []
    street, *others = question.parts
    return _find_houses(connection, Question(number, (("hem", alley, *street), *others)), sure * 0.95)


def _select_houses(connection: Connection, question: Question) -> list[_House]:
    """Return the houses of every street whose whole name is among the words, by street and ward."""
    conditions = " and ".join(f"e.folded like :w{place}" for place in range(len(question.words)))
    rows = connection.execute(
        text(
            "select distinct on (a.fid) a.id, a.house_number, a.street, a.alley, a.ward, a.full_address, "
            "ST_X(ST_Transform(a.geom, 4326)), ST_Y(ST_Transform(a.geom, 4326)) "
            "from meta.search_entry e join city.addresses a on a.fid = e.fid "
            f"where e.layer = 'addresses' and e.kind like '%address' and {conditions} "
            "and a.house_number <> '' and a.street <> '' "
            f"order by a.fid limit {_MOST}"
        ),
        {f"w{place}": f"% {word}%" for place, word in enumerate(question.words)},
    )
    asked = set(question.words)
    houses = [_House(row[0], row[1], row[2], row[3] or "", row[4] or "", *row[5:]) for row in rows]
    kept = [house for house in houses if {*_name_words(house.street), *_name_words(house.alley)} <= asked]
    return sorted(kept, key=_name_row)


def _name_row(house: _House) -> tuple[str, str, str]:
    """Return what houses of one row have in common."""
    return house.alley, house.street, house.ward


def _interpolate(number: str, houses: Sequence[_House], name: str, sure: float) -> Place | None:
    """Return where ``number`` is between the nearest lower and higher number, of the same side where there is one."""
    asked = _read_number(number)
    if asked is None:
        return None
    for same_side in (True, False):
        known = sorted(
            (value, house)
            for house in houses
            if (value := _read_number(house.number)) is not None and not (same_side and (value - asked) % 2)
        )
        lower = max((pair for pair in known if pair[0] < asked), default=None)
        higher = min((pair for pair in known if pair[0] > asked), default=None)
        if lower is None or higher is None:
            continue
        share = (asked - lower[0]) / (higher[0] - lower[0])
        x = lower[1].x + share * (higher[1].x - lower[1].x)
        y = lower[1].y + share * (higher[1].y - lower[1].y)
        between = (lower[1].number, higher[1].number)
        score = round(sure * (0.8 if same_side else 0.7), 3)
        words = f"{number} {name}"
        return Place("interpolated", "addresses", lower[1].id, words, (round(x, 7), round(y, 7)), score, between)
    return None


def _read_number(words: str) -> int | None:
    found = _NUMBER.match(" ".join(fold_words(words)))
    # 12/3 is the third house of the alley at 12: a branch has no place along the street.
    return int(found[1]) if found and not found[3] else None


def _find_names(connection: Connection, question: Question, address: str) -> list[Place]:
    """Return streets, wards and former units whose whole name is among the words of the question.

    One that ``address`` begins with as it is written, the kind of unit included, comes before others of that name.
    """
    written = fold_words(expand_abbreviations(address.partition(",")[0]))
    layers = [VECTOR_LAYERS[name] for name in ("streets", "road_links", "wards", "admin_changes")]
    found: list[Place] = []
    for hit in search(connection, " ".join(question.parts[0]), layers=layers, limit=20):
        words = set(_name_words(hit.text))
        known = any((place.layer, place.id) == (hit.layer.id, hit.id) for place in found)
        if known or not hit.exact or hit.kind != "name" or not words <= set(question.words):
            continue
        kind: Match = {"wards": "ward", "admin_changes": "former"}.get(hit.layer.id, "street")  # type: ignore[assignment]
        weight = {"street": 0.6, "ward": 0.5, "former": 0.45}[kind] - (0.05 if hit.layer.id == "road_links" else 0.0)
        if fold_words(expand_abbreviations(hit.text)) == written:
            weight += 0.3
        former = _read_change(connection, hit.id) if kind == "former" else None
        title = f"{former['new_name']} ({hit.text})" if former and former["new_name"] else hit.text
        found.append(Place(kind, hit.layer.id, hit.id, title, hit.position, round(weight, 3), None, former))
    return found


def _read_change(connection: Connection, item_id: str) -> dict[str, Any]:
    row = connection.execute(
        text(
            "select old_name, old_level, old_district, old_code, new_name, new_code, is_part, effective, decision "
            "from city.admin_changes where id = :id"
        ),
        {"id": item_id},
    ).one()
    return dict(row._mapping)


def _find_similar(connection: Connection, question: Question, limit: int) -> list[Place]:
    """Return what is spelt nearly so."""
    layers = [VECTOR_LAYERS[name] for name in ("addresses", "streets", "road_links", "wards", "admin_changes")]
    words = " ".join((*([question.number] if question.number else []), *question.words))
    return [
        Place("similar", hit.layer.id, hit.id, hit.text, hit.position, round(hit.score * 0.4, 3))
        for hit in search(connection, words, layers=layers, limit=limit)
    ]


def _name_words(name: str) -> list[str]:
    folded = " ".join(fold_words(expand_abbreviations(name)))
    return _KINDS.sub(" ", folded).split() or folded.split()
