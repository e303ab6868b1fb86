"""What few may see, as conditions on rows: guarded rows, and rows that name a guarded item or one of a hidden layer."""

from sqlalchemy import Connection, text

from layers.registry import VECTOR_LAYERS
from layers.schema import GUARD, LEVELS, Access, VectorLayer


def write_shown(layer: VectorLayer, level: Access, *, alias: str = "") -> str:
    """Return the condition on rows of ``layer`` that somebody of ``level``, below restricted, sees."""
    dot = f"{alias}." if alias else ""
    told = [f"{dot}{GUARD} is not true"] if layer.guarded else []
    above = [key for key, one in VECTOR_LAYERS.items() if LEVELS.index(one.access) > LEVELS.index(level)]
    for named, item in layer.named_items:
        told.append(f"coalesce({dot}{named} || '/' || {dot}{item}, '') <> all ((select meta.hidden_items())::text[])")
        if above:
            told.append(f"coalesce({dot}{named}, '') not in ({', '.join(repr(key) for key in above)})")
    return " and ".join(told) or "true"


def read_hidden_items(connection: Connection) -> frozenset[str]:
    """Return the guarded items, as ``layer/id``."""
    return frozenset(connection.execute(text("select unnest(meta.hidden_items())")).scalars())
