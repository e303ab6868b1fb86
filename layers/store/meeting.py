"""How two shapes lie to each other, in SQL that finds them by an index whatever rows are hidden.

Row security lets the planner look into an index only for what is leakproof: of PostGIS that is the operator on boxes
(``layers.store.rights``). The functions would add it by themselves, but then it counts as theirs and is not used.
"""


def write_meets(shape: str, other: str, predicate: str = "ST_Intersects") -> str:
    """Return the condition that ``shape``, a column with an index, lies to ``other`` as a predicate says.

    The predicate is one that only holds of shapes whose boxes overlap.
    """
    return f"({shape} && {other} and {predicate}({shape}, {other}))"


def write_near(shape: str, other: str, metres: str) -> str:
    """Return the condition that ``shape``, a column with an index, is at most ``metres`` from ``other``."""
    return f"({shape} && ST_Expand({other}, {metres}) and ST_DWithin({shape}, {other}, {metres}))"
