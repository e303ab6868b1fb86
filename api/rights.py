"""What every address that changes something asks of who calls it; what is not listed is for administrators.

Reading is open to all as far as the layers are (see ``layers.access``); what names people and what is in the making is
read by the staff: those routes ask for it themselves.
"""

import re
from functools import lru_cache

from twin.roles import Action

_ITEM = "/api/collections/{id}/items/{id:path}"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
RIGHTS: tuple[tuple[str, str, Action], ...] = (
    # Longer addresses first: an item's id may hold slashes.
    ("POST", f"{_ITEM}/attachments", "upkeep"),
    ("DELETE", "/api/attachments/{id}", "upkeep"),
    ("POST", f"{_ITEM}/inspections", "upkeep"),
    ("POST", f"{_ITEM}/revert", "edit"),
    ("POST", "/api/collections/{id}/items", "edit"),
    ("PUT", _ITEM, "edit"),
    ("PATCH", _ITEM, "edit"),
    ("DELETE", _ITEM, "edit"),
    ("POST", "/api/edits", "edit"),
    ("POST", "/api/edits/bulk", "edit"),
    ("POST", "/api/edits/{id}/revert", "edit"),
    ("POST", "/esri/rest/services/twin/FeatureServer/{id}/query", "read"),
    ("POST", "/esri/rest/services/twin/FeatureServer/{id}/{id}", "edit"),
    ("POST", "/api/work-orders", "upkeep"),
    ("PATCH", "/api/work-orders/{id}", "upkeep"),
    ("POST", "/api/work-orders/{id}/transitions", "upkeep"),
    ("POST", "/api/quarantine/retry", "quarantine"),
    ("POST", "/api/quarantine/{id}/mend", "quarantine"),
    ("DELETE", "/api/quarantine/{id}", "quarantine"),
    ("POST", "/api/areas/statistics", "read"),
    ("POST", "/stac/search", "read"),
    ("POST", "/api/queries", "query"),
    ("PUT", "/api/queries/{id}", "query"),
    ("DELETE", "/api/queries/{id}", "query"),
    ("PUT", "/api/traces/configurations/{id}", "query"),
    ("DELETE", "/api/traces/configurations/{id}", "query"),
    # What is answered at once is for all; the route asks for more before it puts a run into the queue.
    ("POST", "/api/processes/{id}/execution", "ask"),
    ("DELETE", "/api/jobs/{id}", "run"),
    ("POST", "/sensors/telemetry/{id}", "sense"),
    ("POST", "/sensors/observations", "sense"),
    *((method, "/sta/{id}/{id:path}", "sense") for method in _WRITES),
    ("POST", "/alarms/{id}/acknowledge", "alarm"),
    ("POST", "/alarms/{id}/shelve", "alarm"),
    ("POST", "/alarms/{id}/unshelve", "alarm"),
    ("POST", "/alarms/{id}/comment", "alarm"),
    ("POST", "/alarms/{id}/suppress", "alarm"),
    ("POST", "/alarms/{id}/service", "alarm"),
    ("POST", "/alarm-rules", "rule"),
    ("PUT", "/alarm-rules/{id}", "rule"),
    ("DELETE", "/alarm-rules/{id}", "rule"),
    ("POST", "/api/personal/lookups", "personal"),
    ("POST", "/api/personal/search", "personal"),
    ("POST", "/cap/preview", "read"),
    ("POST", "/cap/alerts", "warn"),
    ("POST", "/cap/alerts/{id}/update", "warn"),
    ("POST", "/cap/alerts/{id}/cancel", "warn"),
    ("POST", "/cap/drafts", "warn"),
    ("PUT", "/cap/drafts/{id}", "warn"),
    ("POST", "/cap/drafts/{id}/discard", "warn"),
    ("POST", "/cap/outbox/{id}/retry", "warn"),
    # Who asks is known to these by more than a role: an open session, or being about to begin one.
    ("POST", "/auth/sign-in", "ask"),
    ("POST", "/auth/sign-out", "ask"),
    ("POST", "/auth/password", "ask"),
    ("POST", "/auth/code", "ask"),
    ("POST", "/auth/code/confirm", "ask"),
    ("DELETE", "/auth/sessions", "ask"),
    ("DELETE", "/auth/sessions/{id}", "ask"),
    ("POST", "/auth/keys", "ask"),
    ("DELETE", "/auth/keys/{id}", "ask"),
    ("POST", "/auth/accounts", "administer"),
    ("PATCH", "/auth/accounts/{id}", "administer"),
    ("DELETE", "/auth/accounts/{id}", "administer"),
    ("POST", "/auth/accounts/{id}/password", "administer"),
    ("POST", "/auth/accounts/{id}/reset-code", "administer"),
)
AS_ASKED: frozenset[Action] = frozenset({"read", "read-staff", "edit", "upkeep", "quarantine"})
"""Actions done in the database's role of who asks; the others the twin does itself once they are allowed."""


@lru_cache(maxsize=4096)
def find_action(method: str, path: str) -> Action:
    """Return what a request does by its method and path; ``administer`` for a change nobody listed."""
    if method not in _WRITES:
        return "read"
    return next((action for pattern, action in _PATTERNS[method] if pattern.fullmatch(path)), "administer")


def _compile(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{id(?::path)?\})", template)
    kinds = {"{id}": "[^/]+", "{id:path}": ".+"}
    return re.compile("".join(kinds.get(part) or re.escape(part) for part in parts))


_PATTERNS = {
    method: [(_compile(template), action) for given, template, action in RIGHTS if given == method]
    for method in _WRITES
}
