"""Rules put to work on an edit: what was wrong around it before, and what is after."""

from collections.abc import Sequence

from sqlalchemy import Connection

from layers.rules.registry import RULES
from layers.rules.words import Finding
from layers.store.checks import Touched, check_touched


def check_edit(connection: Connection, touched: Sequence[Touched]) -> tuple[Finding, ...]:
    """Return what the rules find wrong, now, with the touched features and those that hang on them."""
    layers = {one.layer for one in touched}
    concerned = [
        rule
        for rule in RULES
        if rule.on_edit and (rule.layer in layers or any(reach.layer in layers for reach in rule.reaches))
    ]
    return tuple(finding for rule in concerned for finding in check_touched(connection, rule, touched))
