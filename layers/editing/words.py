"""The words of an edit: what is asked of one feature, what that comes to, and what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from layers.errors import TwinError
from layers.ingest.catalog import BY_HAND
from layers.rules.words import Finding
from layers.schema import VectorLayer
from layers.store.items import DEGREES, OutputCrs

Op = Literal["create", "replace", "update", "delete"]
Version = tuple[int, datetime]
MOST_EDITS = 1000


class RejectedError(TwinError):
    """An edit that would leave the inventory wrong; the findings say where and why."""

    code, status = "rejected-edit", 422

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [finding for finding in findings if finding.severity == "error" and not finding.standing]
        first = errors[0]
        where = f"{first.layer} '{first.feature[:80]}'" + (f", {first.name}" if first.name else "")
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{where}: {first.reason.en}{more}", hint=first.hint.en if first.hint else None)
        self.findings = tuple(findings)

    @property
    def members(self) -> dict[str, Any]:
        """What the problem document says beside the usual."""
        return {"findings": [finding.as_dict() for finding in self.findings]}


@dataclass(frozen=True, slots=True)
class Edit:
    """What is asked of one feature.

    ``properties`` are all of them for create and replace, the changed ones for update (None empties). ``geometry`` is
    GeoJSON in ``crs``, x or longitude first; None keeps what is there. ``seen`` are the versions the caller may have in
    mind, None for any; to create with ``seen`` means that none may be there. ``unchanged_since`` [whole seconds] is
    when the caller last saw it.
    """

    op: Op
    layer: VectorLayer
    id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    geometry: Mapping[str, Any] | None = None
    seen: frozenset[Version] | None = None
    crs: OutputCrs = DEGREES
    unchanged_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit comes to: the values to write (all for create) and the shape in the city's CRS, None to keep it.

    ``fid`` is the feature's key if it has or had one; ``source_id`` is for features that are created.
    """

    op: Literal["create", "update", "delete", "keep"]
    layer: VectorLayer
    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    shape: Any = None
    fid: int | None = None
    source_id: str = BY_HAND


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one feature; ``version`` is None when it is gone."""

    layer: VectorLayer
    id: str
    status: Literal["created", "updated", "deleted", "unchanged"]
    version: Version | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an edit did: its id, the results in the order asked, and the warnings that came with it."""

    edit_id: int
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
