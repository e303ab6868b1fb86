"""The report of a check: every rule with its count, the first findings, and the sums."""

from collections.abc import Iterable
from typing import Any

from layers.store.checks import Checked


def write_report(checked: Iterable[Checked]) -> dict[str, Any]:
    """Return the report as plain values for JSON; rules that found nothing are counted, not listed."""
    every = list(checked)
    return {
        "rules": len(every),
        "errors": sum(one.count for one in every if one.rule.severity == "error"),
        "warnings": sum(one.count for one in every if one.rule.severity == "warning"),
        "checks": [
            {
                "rule": one.rule.id,
                "collection": one.rule.layer,
                "severity": one.rule.severity,
                "title": one.rule.title._asdict(),
                "count": one.count,
                "findings": [finding.as_dict() for finding in one.findings],
            }
            for one in every
            if one.count
        ],
    }
