"""Addresses of SensorThings: ``Things('x')/Datastreams('y')/Observations``, ``Datastreams('x')/Thing/name/$value``.

``parse_path`` takes what stands behind ``/sta/v1.1/`` (already percent-decoded), checks every name against the entities
and gives a `ResourcePath`. Whether the entities exist is for the store to say.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

from layers.errors import NotFoundError
from layers.store.sensing.entities import ENTITIES, Attribute, Entity
from layers.store.sensing.sta_request import Ending, ResourcePath, Step

LONGEST_PATH, MOST_STEPS = 2000, 20
ID_NAMES = ("id", "@iot.id")
_SEGMENT = re.compile(r"(?P<name>[^/('\s]+)(?:\((?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>[^'()/]+))\))?(?:/|$)")
_ENDINGS: dict[str, Ending] = {"$value": "$value", "$ref": "$ref", "$count": "$count"}
_MULTI = "MultiDatastreams are not served; give each result a Datastream of its own"


def parse_path(path: str) -> ResourcePath:
    """Return what the address ``path`` below the service root names.

    Ids stand in single quotes (doubled inside) or, if they hold neither quote, slash nor bracket, without.
    Raises NotFoundError that names the wrong piece.
    """
    if len(path) > LONGEST_PATH:
        raise NotFoundError(f"the address has {len(path)} characters", hint=f"at most {LONGEST_PATH}")
    segments = _split(path.strip("/"))
    if len(segments) > MOST_STEPS:
        raise NotFoundError(f"the address has {len(segments)} steps", hint=f"at most {MOST_STEPS}")
    name, key = segments[0]
    entity = ENTITIES.get(name)
    if entity is None:
        raise NotFoundError(f"there is no entity set '{name[:80]}'", hint=_hint(name, ENTITIES))
    steps = [Step(entity, key)]
    place = 1
    while place < len(segments):
        name, key = segments[place]
        link = steps[-1].entity.find_navigation(name)
        if link is None:
            break
        if steps[-1].many:
            raise NotFoundError(f"'{name}' of which of the {steps[-1].entity.name}?", hint="name one by its id")
        if key is not None and not link.many:
            raise NotFoundError(f"'{name}' is one entity and takes no id, found '{key[:80]}'")
        steps.append(Step(ENTITIES[link.target], key, link))
        place += 1
    return _finish(tuple(steps), segments[place:])


def write_key(key: str) -> str:
    """Return an id as it stands in an address: quoted and percent-encoded, with its brackets."""
    return f"('{quote(key.replace(chr(39), chr(39) * 2), safe='')}')"


def write_address(entity: Entity, key: str) -> str:
    """Return the address of one entity below the service root, such as ``Things('x')``."""
    return f"{entity.name}{write_key(key)}"


def write_path(path: ResourcePath) -> str:
    """Return the address of what ``path`` names below the service root."""
    names = [
        (step.entity.name if step.link is None else step.link.name) + ("" if step.key is None else write_key(step.key))
        for step in path.steps
    ]
    return "/".join([*names, path.ending] if path.ending else names)


def _split(path: str) -> list[tuple[str, str | None]]:
    """Return name and id of every segment."""
    segments: list[tuple[str, str | None]] = []
    place = 0
    while place < len(path):
        found = _SEGMENT.match(path, place)
        if found is None:
            raise NotFoundError(f"'{path[place : place + 80]}' is not a piece of an address", hint="write Things('id')")
        quoted = found["quoted"]
        segments.append((found["name"], found["bare"] if quoted is None else quoted.replace("''", "'")))
        place = found.end()
    if not segments:
        raise NotFoundError("the address names no entity set", hint=f"one of {', '.join(ENTITIES)}")
    return segments


def _finish(steps: tuple[Step, ...], rest: list[tuple[str, str | None]]) -> ResourcePath:
    """Return the path whose ``rest`` holds no more links."""
    ending: Ending = ""
    names = [name for name, _ in rest]
    for name, key in rest:
        if key is not None:
            raise NotFoundError(
                f"'{steps[-1].entity.singular}' has no link '{name[:80]}'", hint=_hint_links(steps, name)
            )
    if names and names[-1] in _ENDINGS:
        ending = _ENDINGS[names.pop()]
    last = steps[-1]
    if not names:
        if ending == "$value":
            raise NotFoundError("'$value' is asked of an attribute", hint="write Things('id')/name/$value")
        if ending == "$count" and not last.many:
            raise NotFoundError(f"'$count' is asked of a set, and '{last.entity.singular}' is one")
        return ResourcePath(steps, ending=ending)
    if last.many:
        raise NotFoundError(f"'{names[0][:80]}' of which of the {last.entity.name}?", hint="name one by its id")
    if ending in ("$ref", "$count"):
        raise NotFoundError(f"'{ending}' cannot follow the attribute '{names[-1][:80]}'")
    if names[0] in ID_NAMES and len(names) == 1:
        return ResourcePath(steps, ending=ending, asks_id=True)
    attribute = last.entity.find_attribute(names[0])
    if attribute is None:
        raise NotFoundError(
            f"'{last.entity.singular}' has neither attribute nor link '{names[0][:80]}'",
            hint=_hint_links(steps, names[0]),
        )
    if len(names) > 1 and not holds_json(attribute):
        raise NotFoundError(f"'{attribute.name}' holds nothing called '{names[1][:80]}'")
    return ResourcePath(steps, attribute, tuple(names[1:]), ending)


def holds_json(attribute: Attribute) -> bool:
    """Return whether one can ask for what is inside the attribute's value."""
    return attribute.kind in ("json", "geometry", "result")


def _hint(name: str, known: Iterable[str]) -> str:
    return _MULTI if name.startswith("MultiDatastream") else f"one of {', '.join(known)}"


def _hint_links(steps: tuple[Step, ...], name: str) -> str:
    entity = steps[-1].entity
    attributes, links = (each.name for each in entity.attributes), (each.name for each in entity.navigations)
    return _hint(name, ("id", *attributes, *links))
