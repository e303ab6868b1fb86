"""The one place where an identifier becomes SQL."""


def quote(name: str) -> str:
    """Return ``name`` as a quoted SQL identifier; values are never passed here but bound."""
    return '"' + name.replace('"', '""') + '"'
