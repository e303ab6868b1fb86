"""Sealing: entries are written freely, and one process after the other lays the chain over what is committed."""

from sqlalchemy import Engine

from twin.audit.entry import Sealed, seal
from twin.store_audit import add_seals, list_waiting, read_head, take_sealing

AT_ONCE = 2000


def seal_waiting(engine: Engine) -> int:
    """Seal what may be sealed and return how many entries that were; where another process is at it, nothing."""
    done = 0
    while True:
        with engine.begin() as connection:
            if not take_sealing(connection):
                return done
            waiting = list_waiting(connection, AT_ONCE)
            if not waiting:
                return done
            position, last = read_head(connection)
            seals = []
            for entry in waiting:
                position, last = position + 1, seal(last, entry.as_dict())
                seals.append(Sealed(entry, position, last))
            add_seals(connection, seals)
        done += len(seals)
