"""A route in words: where to turn, into which street, for how long; in Vietnamese and in English."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.schema import Text
from network.paths_answers import Values
from network.roads import ROAD_CLASSES, Mask
from twin.roads.city_roads import CityRoads
from twin.roads.routing import Route
from twin.roads.routing_lines import list_coordinates

STRAIGHT, SLIGHT, SHARP, BACK = 20.0, 45.0, 120.0, 165.0
"""Angles of turns [degrees]: below the first straight on, then bearing, turning, turning sharply, turning back."""

_TURNS = {
    "straight": Text("Đi thẳng vào", "Continue onto"),
    "slight left": Text("Chếch trái vào", "Bear left onto"),
    "left": Text("Rẽ trái vào", "Turn left into"),
    "sharp left": Text("Ngoặt trái vào", "Turn sharp left into"),
    "slight right": Text("Chếch phải vào", "Bear right onto"),
    "right": Text("Rẽ phải vào", "Turn right into"),
    "sharp right": Text("Ngoặt phải vào", "Turn sharp right into"),
    "uturn": Text("Quay đầu trên", "Turn back on"),
}
_UNNAMED = {
    "living_street": Text("hẻm không tên", "an unnamed alley"),
    "path": Text("lối đi không tên", "an unnamed path"),
    "service": Text("đường phục vụ", "a service road"),
}
_NAMELESS = Text("đường không tên", "an unnamed road")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    kind: depart, turn, continue, ferry, pass or arrive; modifier: which way, where it turns; text: the words; name of
    the street; length [m] and seconds until the next; at: (x, y) in the city's CRS [m].
    """

    kind: str
    modifier: str | None
    text: Text
    name: str
    length: float
    seconds: float
    at: tuple[float, float]


def list_steps(roads: CityRoads, route: Route, usable: Mask) -> list[Step]:
    """Return the instructions of a route, from departing to arriving.

    usable: links the mode may use (links,): where there is no other way on, nothing is said.
    """
    lines = list_coordinates(roads, route.links)
    into, out = np.array([_bearing(line, 0) for line in lines]), np.array([_bearing(line, -1) for line in lines])
    turns = np.mod(into[1:] - out[:-1] + 180.0, 360.0) - 180.0
    begin = _find_begins(roads, route, turns, usable)
    stops = set(np.cumsum(route.legs)[:-1].tolist())
    steps = []
    for place, first in enumerate(begin):
        last = begin[place + 1] if place + 1 < len(begin) else route.links.size
        kind, modifier, text = _word(roads, route, first, None if first == 0 else float(turns[first - 1]), stops)
        at = lines[first][0] if first and first not in stops else _locate(lines[first], float(route.begins[first]))
        steps.append(
            Step(
                kind, modifier, text, _name(roads, int(route.links[first])),
                float(route.lengths[first:last].sum()), float(route.seconds[first:last].sum()),
                (float(at[0]), float(at[1])),
            )
        )  # fmt: skip
    end = _locate(lines[-1], float(route.ends[-1]))
    arrive = Text("Đến nơi", "You have arrived")
    return [*steps, Step("arrive", None, arrive, "", 0.0, 0.0, (float(end[0]), float(end[1])))]


def find_main_streets(roads: CityRoads, route: Route, count: int = 2) -> list[str]:
    """Return the names of the streets on which a route goes farthest, in the order they are driven."""
    along: dict[str, float] = {}
    for link, length in zip(route.links.tolist(), route.lengths.tolist(), strict=True):
        name = _name(roads, link)
        if name:
            along[name] = along.get(name, 0.0) + length
    longest = sorted(along, key=lambda name: -along[name])[:count]
    return [name for name in along if name in longest]


def write_step(step: Step, lonlat: tuple[float, float]) -> dict[str, Any]:
    """Return a step as JSON words, with its place as longitude and latitude."""
    return {
        "kind": step.kind,
        **({} if step.modifier is None else {"modifier": step.modifier}),
        "text": step.text._asdict(),
        "name": step.name,
        "length": round(step.length, 1),
        "duration": round(step.seconds, 1),
        "location": [round(lonlat[0], 6), round(lonlat[1], 6)],
    }


def _find_begins(roads: CityRoads, route: Route, turns: Values, usable: Mask) -> list[int]:
    """Return the links of the route at which something is said: another street, a turn where one could go on."""
    graph, links = roads.graph, route.links
    names = [_name(roads, link) for link in links.tolist()]
    choices = np.bincount(graph.starts[usable], minlength=graph.junction_count)
    stops = set(np.cumsum(route.legs)[:-1].tolist())
    begin = [0]
    for place in range(1, links.size):
        link, before = links[place], links[place - 1]
        turns_back = graph.edges[link] == graph.edges[before]
        boards = graph.is_ferry[link] != graph.is_ferry[before]
        renamed = names[place] != names[place - 1]
        turned = abs(float(turns[place - 1])) >= SLIGHT and choices[graph.starts[link]] > 2
        if place in stops or turns_back or boards or renamed or turned:
            begin.append(place)
    return begin


def _word(
    roads: CityRoads, route: Route, place: int, turn: float | None, stops: set[int]
) -> tuple[str, str | None, Text]:
    """Return kind, modifier and words of what is done at a link of the route."""
    link = int(route.links[place])
    onto = _tell(roads, link)
    if turn is None:
        return "depart", None, Text(f"Đi trên {onto.vi}", f"Set out on {onto.en}")
    if place in stops:
        return "pass", None, Text(f"Qua điểm dừng, đi tiếp trên {onto.vi}", f"Pass the stop, go on along {onto.en}")
    if roads.graph.is_ferry[link]:
        return "ferry", None, Text(f"Lên phà {onto.vi}", f"Take the ferry {onto.en}")
    modifier = _turn(turn)
    words = _TURNS[modifier]
    kind = "continue" if modifier == "straight" else "turn"
    return kind, modifier, Text(f"{words.vi} {onto.vi}", f"{words.en} {onto.en}")


def _turn(angle: float) -> str:
    """Return the word of an angle [degrees], positive to the left."""
    size, side = abs(angle), "left" if angle > 0.0 else "right"
    if size < STRAIGHT:
        return "straight"
    if size < SLIGHT:
        return f"slight {side}"
    if size < SHARP:
        return side
    return f"sharp {side}" if size < BACK else "uturn"


def _name(roads: CityRoads, link: int) -> str:
    return str(roads.names[roads.graph.edges[link]])


def _tell(roads: CityRoads, link: int) -> Text:
    name = _name(roads, link)
    if name:
        return Text(name, name)
    return _UNNAMED.get(ROAD_CLASSES[int(roads.graph.road_classes[link])], _NAMELESS)


def _bearing(line: NDArray[np.float64], end: int) -> float:
    """Return the direction of the first or last piece of a line [degrees], counter-clockwise from east."""
    a, b = (line[0], line[1]) if end == 0 else (line[-2], line[-1])
    return float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0])))


def _locate(line: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the place at a share of the length of a line."""
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
    at = share * along[-1]
    return np.array([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])
