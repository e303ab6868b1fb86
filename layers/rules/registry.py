"""All rules, in the order a report lists them."""

from layers.errors import NotFoundError
from layers.rules import buildings, equipment, general, networks, papers, references
from layers.rules.words import Rule

RULES: tuple[Rule, ...] = (
    *networks.RULES,
    *references.RULES,
    *equipment.RULES,
    *buildings.RULES,
    *papers.RULES,
    *general.RULES,
)


def select_rules(*, layer_id: str | None = None, rule_id: str | None = None) -> tuple[Rule, ...]:
    """Return the rules of a layer or of a name, both if given; NotFoundError when there is none."""
    found = tuple(rule for rule in RULES if layer_id in (None, rule.layer) and rule_id in (None, rule.id))
    if not found and rule_id is not None:
        known = sorted({rule.id for rule in RULES if layer_id in (None, rule.layer)})
        raise NotFoundError(f"rule '{rule_id[:80]}' does not exist", hint=f"one of {', '.join(known)}")
    return found
