"""Names that EPANET takes for the ids of the layers."""

from collections.abc import Iterable

from network.epanet.engine import LONGEST_ID

_FORBIDDEN = '";['


def name_objects(ids: Iterable[str]) -> dict[str, str]:
    """Return a name of at most 31 bytes for each id, the id itself where it can be, no two alike.

    Signs that cannot be in a name become ``_``; what is too long keeps its end, where ids differ.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for identifier in ids:
        plain = "".join("_" if sign.isspace() or sign in _FORBIDDEN else sign for sign in str(identifier)) or "_"
        name, number = _keep_end(plain, LONGEST_ID), 1
        while name in taken:
            number += 1
            mark = f"~{number}"
            name = _keep_end(plain, LONGEST_ID - len(mark)) + mark
        names[identifier] = name
        taken.add(name)
    return names


def _keep_end(text: str, size: int) -> str:
    data = text.encode()
    return text if len(data) <= size else data[-size:].decode(errors="ignore")
