"""The table of rights knows every address that changes something, and no other."""

import re

from starlette.routing import BaseRoute

from api.app import _ROUTES
from api.rights import RIGHTS, find_action
from api.routes import sta_write

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def list_writes() -> set[tuple[str, str]]:
    """Return method and pattern of every route that is no reading."""
    routes: list[BaseRoute] = [*sta_write.routes, *(route for module in _ROUTES for route in module.router.routes)]
    return {
        (method, route.path)  # type: ignore[attr-defined]
        for route in routes
        for method in (getattr(route, "methods", None) or ())
        if method in _WRITES
    }


def fill(path: str) -> str:
    return re.sub(r"\{\w+(:path)?\}", lambda found: "a/b" if found.group(1) else "one", path)


def test_every_change_has_its_right() -> None:
    listed = {(method, path) for method, path, action in RIGHTS if action == "administer"}
    missing = {(method, path) for method, path in list_writes() if find_action(method, fill(path)) == "administer"}
    assert {(method, re.sub(r"\{\w+", "{id", path)) for method, path in missing} == listed


def test_every_right_has_its_address() -> None:
    known = {(method, re.sub(r"\{\w+", "{id", path)) for method, path in list_writes()}
    known |= {(method, path.replace("/sta/v1.1/", "/sta/{id}/")) for method, path in known}
    assert {(method, path) for method, path, _ in RIGHTS} - known == set()


def test_what_nobody_listed_is_for_administrators() -> None:
    assert find_action("POST", "/api/whatever") == "administer"
    assert find_action("GET", "/api/whatever") == "read"
    assert find_action("DELETE", "/api/collections/trees/items/a/b") == "edit"
    assert find_action("POST", "/api/collections/trees/items/a/b/attachments") == "upkeep"
