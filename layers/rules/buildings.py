"""Rules on buildings: they stand beside each other, not in each other."""

from layers.rules.words import Rule
from layers.schema import Text
from layers.store.rule_places import find_overlaps

OVERLAP_SHARE = 0.1

RULES = (
    Rule(
        "buildings-overlap",
        "buildings",
        "warning",
        Text("Nhà không chồng lên nhau", "Buildings do not overlap"),
        Text("chồng lên “{other}” {value} % diện tích nhà nhỏ hơn", "overlaps '{other}' by {value} % of the smaller"),
        find_overlaps("buildings", OVERLAP_SHARE),
    ),
)
