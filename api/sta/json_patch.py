"""JSON Patch (RFC 6902) on a JSON document: add, remove, replace, move, copy, test."""

import copy
from typing import Any

from layers.errors import ConflictError, InputError

KIND = "application/json-patch+json"
MOST_OPERATIONS = 1000


def apply_patch(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    """Return ``document`` with the operations applied in order; the given one stays as it is.

    Raises InputError for an operation that cannot be read or points nowhere, ConflictError for a test that fails.
    """
    if not isinstance(operations, list) or len(operations) > MOST_OPERATIONS:
        raise InputError(f"a JSON Patch is a list of at most {MOST_OPERATIONS} operations")
    held: dict[str, Any] = {"": copy.deepcopy(document)}
    for place, operation in enumerate(operations):
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise InputError(f"operation {place} of the JSON Patch has no path")
        _apply(held, operation, place)
    patched = held[""]
    if not isinstance(patched, dict):
        raise InputError("the JSON Patch leaves no object")
    return patched


def _apply(held: dict[str, Any], operation: dict[str, Any], place: int) -> None:
    path = _split(operation["path"], place)
    name = operation.get("op")
    if name in ("add", "replace", "test") and "value" not in operation:
        raise InputError(f"operation {place} of the JSON Patch ({name}) has no value")
    match name:
        case "add":
            _add(held, path, copy.deepcopy(operation["value"]), place)
        case "remove":
            _remove(held, path, place)
        case "replace":
            _read(held, path, place)
            _replace(held, path, copy.deepcopy(operation["value"]))
        case "move":
            begin = _split(operation.get("from"), place)
            if path[: len(begin)] == begin and path != begin:
                raise InputError(f"operation {place} of the JSON Patch moves '{operation['from'][:80]}' into itself")
            value = _read(held, begin, place)
            _remove(held, begin, place)
            _add(held, path, value, place)
        case "copy":
            _add(held, path, copy.deepcopy(_read(held, _split(operation.get("from"), place), place)), place)
        case "test":
            if _read(held, path, place) != operation["value"]:
                raise ConflictError(f"the test of operation {place} fails at '{operation['path'][:80]}'")
        case _:
            raise InputError(
                f"operation {place} of the JSON Patch, {str(name)[:40]!r}, is not known",
                hint="add, remove, replace, move, copy or test",
            )


def _split(pointer: Any, place: int) -> list[str]:
    """Return the keys of a JSON Pointer (RFC 6901), below the root that holds the document under ''."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise InputError(
            f"operation {place} of the JSON Patch: {str(pointer)[:80]!r} is no pointer", hint="such as /name"
        )
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _find(held: Any, path: list[str], place: int) -> tuple[Any, str]:
    """Return what holds the last key of ``path``, and that key."""
    for key in path[:-1]:
        held = _step(held, key, path, place)
    return held, path[-1]


def _step(holder: Any, key: str, path: list[str], place: int) -> Any:
    if isinstance(holder, dict) and key in holder:
        return holder[key]
    if isinstance(holder, list) and _is_index(key) and int(key) < len(holder):
        return holder[int(key)]
    raise InputError(f"operation {place} of the JSON Patch: there is nothing at '{'/'.join(path)[:80]}'")


def _read(held: Any, path: list[str], place: int) -> Any:
    holder, key = _find(held, path, place)
    return _step(holder, key, path, place)


def _replace(held: Any, path: list[str], value: Any) -> None:
    holder, key = _find(held, path, 0)
    holder[int(key) if isinstance(holder, list) else key] = value


def _add(held: Any, path: list[str], value: Any, place: int) -> None:
    holder, key = _find(held, path, place)
    if isinstance(holder, dict):
        holder[key] = value
    elif isinstance(holder, list) and (key == "-" or (_is_index(key) and int(key) <= len(holder))):
        holder.insert(len(holder) if key == "-" else int(key), value)
    else:
        raise InputError(f"operation {place} of the JSON Patch: nothing can be added at '{'/'.join(path)[:80]}'")


def _remove(held: Any, path: list[str], place: int) -> None:
    _read(held, path, place)
    holder, key = _find(held, path, place)
    del holder[int(key) if isinstance(holder, list) else key]


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 9 and (key == "0" or not key.startswith("0"))
