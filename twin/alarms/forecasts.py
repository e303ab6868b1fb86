"""Forecasts as inputs of alarms: the probability that a level is passed, and how long ago the loop last finished."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from twin.alarms.applying import LOOP, Exceedance
from twin.alarms.board import Board
from twin.alarms.state import Reading
from twin.store_alarm_forecasts import PROBABILITIES, IssueRow, list_loops, select_issues


class ForecastFeed:
    """Issued forecasts, each as one probability for every level that a rule asks for."""

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime) -> list[Reading]:
        """Return what the forecasts kept at ``since`` ≤ time < ``before`` say of the levels on the board."""
        if not board.exceedances:
            return []
        asked = sorted({one.series for one in board.exceedances.values()})
        issues = select_issues(connection, asked, since, before)
        return [
            Reading(source, issue.issue_time, issue.created, compute_probability(one, issue), 1)
            for source, one in board.exceedances.items()
            for issue in issues
            if issue.series == one.series
        ]


class LoopFeed:
    """The forecast loops: when each last finished, or found that nothing had changed."""

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime) -> list[Reading]:
        """Return the loops that finished at ``since`` ≤ time < ``before``."""
        if not any(source.startswith(LOOP) for source in board.by_source):
            return []
        return [
            Reading(f"{LOOP}{loop.name}", loop.heard, loop.heard, 0.0, 1)
            for loop in list_loops(connection)
            if since.timestamp() <= loop.heard < before.timestamp()
        ]


def compute_probability(asked: Exceedance, issue: IssueRow) -> float:
    """Return the highest probability, 0 to 1, that the level is passed at one of the times within the lead.

    The probability that it is passed at any of them is at least that.
    """
    above = asked.direction == "above"
    each = [
        compute_exceedance(asked.level, row) if above else compute_exceedance(-asked.level, [-q for q in reversed(row)])
        for lead, row in issue.values
        if 0 < lead <= asked.lead_s
    ]
    return max(each, default=0.0)


def compute_exceedance(level: float, quantiles: Sequence[float]) -> float:
    """Return the probability that a value is at or above ``level``, from its quantiles (``PROBABILITIES``).

    Between two quantiles the distribution is a straight line; beyond the outermost it goes on as it came.
    """
    place = next((k for k, value in enumerate(quantiles) if value >= level), len(quantiles))
    lower = min(max(place - 1, 0), len(quantiles) - 2)
    rise = quantiles[lower + 1] - quantiles[lower]
    if place < len(quantiles) and quantiles[place] == level:
        below = PROBABILITIES[place]
    elif rise <= 0.0:
        below = 0.0 if place == 0 else 1.0
    else:
        share = (level - quantiles[lower]) / rise
        below = PROBABILITIES[lower] + share * (PROBABILITIES[lower + 1] - PROBABILITIES[lower])
    return 1.0 - min(max(below, 0.0), 1.0)
