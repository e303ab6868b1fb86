"""Leaks as inputs of alarms: what the last search of a zone told of the leaks that run there."""

from datetime import datetime

from sqlalchemy import Connection

from twin.alarms.applying import LEAKS
from twin.alarms.board import Board
from twin.alarms.state import Reading
from twin.store_alarm_leaks import select_searches


class LeakFeed:
    """Finished searches for leaks, each as the flow [m3/s] of the leaks that run by it."""

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime) -> list[Reading]:
        """Return what the searches that finished at ``since`` ≤ time < ``before`` told."""
        if not any(source.startswith(LEAKS) for source in board.by_source):
            return []
        return [
            Reading(f"{LEAKS}{one.zone}", one.finished, one.finished, one.flow, 1)
            for one in select_searches(connection, since, before)
        ]
