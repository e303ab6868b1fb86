"""L-Town, the network of BattLeDIM 2020, out of the ``epyt`` wheel: its sensors, and its text with places for leaks.

The file is under the EUPL. It stays in an environment of its own and is read there; nothing of it lies in this project.
Reference: Vrachimis et al. 2022, doi:10.1061/(ASCE)WR.1943-5452.0001601.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.environments import Peer, prepare_environment

EPYT = Peer("epyt", "", "epyt==2.3.5.3")
HALF = "_half"


@dataclass(frozen=True, slots=True)
class Network:
    """The text of the model, the ids of nodes whose pressure, level and use and of links whose flow is measured."""

    text: str
    pressures: tuple[str, ...]
    flows: tuple[str, ...]
    levels: tuple[str, ...]
    meters: tuple[str, ...]


def read_network() -> Network:
    """Return L-Town; its sensors are told by the comments of the file. Raise LeftOutError where it cannot be had."""
    python = prepare_environment(EPYT)
    path = next(python.parent.parent.glob("lib/python*/site-packages/epyt/networks/L-TOWN.inp"))
    return read_text(path)


def read_text(path: Path) -> Network:
    """Return the network of a file whose comments name what measures."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found: dict[str, list[str]] = {"PRESSURE SENSOR": [], "FLOW SENSOR": [], "LEVEL SENSOR": [], "AMR": []}
    for line in text.splitlines():
        values, _, comment = line.partition(";")
        for word, ids in found.items():
            if word in comment and values.strip():
                ids.append(values.split()[0])
    return Network(text, *(tuple(found[word]) for word in ("PRESSURE SENSOR", "FLOW SENSOR", "LEVEL SENSOR", "AMR")))


def split_pipes(text: str, pipes: Sequence[str]) -> str:
    """Return the text with a junction ``leak-PIPE`` in the middle of each of ``pipes``, ``PIPE_half`` behind it."""
    wanted = set(pipes)
    heights = {words[0]: float(words[1]) for words in read_section(text, "JUNCTIONS")}
    lines, junctions, section = [], [], ""
    for line in text.splitlines():
        words = line.partition(";")[0].split()
        if line.startswith("["):
            section = line.strip().strip("[]").upper()
        elif section == "PIPES" and words and words[0] in wanted:
            name, start, end, length, *rest = words
            middle = f"leak-{name}"
            near = [heights[node] for node in (start, end) if node in heights]
            junctions.append(f" {middle} {sum(near) / len(near):.4f} 0")
            lines.append(" ".join((f" {name}", start, middle, f"{float(length) / 2:.4f}", *rest)))
            lines.append(" ".join((f" {name}{HALF}", middle, end, f"{float(length) / 2:.4f}", *rest)))
            continue
        lines.append(line)
    place = next(k for k, line in enumerate(lines) if line.startswith("[JUNCTIONS]"))
    return "\n".join((*lines[: place + 1], *junctions, *lines[place + 1 :])) + "\n"


def read_section(text: str, name: str) -> list[list[str]]:
    """Return the words of each line of a section, without comments."""
    rows, section = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip().strip("[]").upper()
            continue
        words = line.partition(";")[0].split()
        if section == name and words:
            rows.append(words)
    return rows
