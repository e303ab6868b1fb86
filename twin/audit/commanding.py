"""Commands of the command line as acts: who typed what, without what may be secret or personal."""

import contextlib
import getpass
import re
import socket
from collections.abc import Sequence

from layers.errors import TwinError
from twin.audit.act import Act
from twin.audit.entry import Who

SERVICES = (
    "serve", "worker", "alarms watch", "warnings send", "sensors ingest", "sensors simulate", "forecast loop",
)  # fmt: skip
"""What runs for others, or as the twin itself: what it does is recorded in their names, not that of who started it."""
SHOWN = frozenset(
    {
        "load", "export", "revert", "backup", "restore", "jobs", "run", "alarms", "work", "warnings", "quarantine",
        "traffic", "transit", "swmm", "water", "drainage", "lighting", "network", "bake", "db", "audit", "state",
        "forecast", "leaks", "up",
    }
)  # fmt: skip
"""Commands whose words are kept whole, and which are recorded when they fail; of others only their names are."""
_NAME = re.compile(r"[a-z][a-z-]{0,30}")


def name_command(words: Sequence[str]) -> Act | None:
    """Return the act of a command line; None where nothing of it is recorded."""
    if not words or words[0].startswith("-") or words[0] in SERVICES or " ".join(words[:2]) in SERVICES:
        return None
    family = words[0]
    if family in SHOWN:
        said = " ".join(words)
    else:
        named = [word for word in words[:2] if _NAME.fullmatch(word)]
        said = " ".join(named)
    return Act("command", said, name_user)


def name_user() -> Who:
    """Return who uses this machine."""
    return Who(f"cli:{getpass.getuser()}", via="cli", client=socket.gethostname()[:60])


def tell_failure(act: Act | None, error: TwinError) -> None:
    """Record that a command failed, where it could have changed something and the database can be reached.

    Not why in words: an error may name what must not be kept.
    """
    if act is None or act.end is None or not (act.is_recorded or act.object.split()[0] in SHOWN):
        return
    # The command's own error is what its user must read.
    with contextlib.suppress(Exception):
        act.end(act.write("failed", error=error.code))
