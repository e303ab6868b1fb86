"""Whether a device's clock is off, from how long after their times its readings arrived."""

AHEAD_S, BEHIND_S = 60.0, 3600.0


def judge_clock(lag_least: float | None, lag_most: float | None) -> str | None:
    """Return what an hour of readings says of a clock, None where nothing is odd.

    ``lag_least`` and ``lag_most`` bound arrival minus time of reading [s]. All readings of the hour more than a minute
    ahead: the clock is. All more than an hour old: it is behind, or what is sent was kept back that long.
    """
    if lag_least is None or lag_most is None:
        return None
    if lag_most < -AHEAD_S:
        return f"ahead by {-lag_most:.0f} s"
    if lag_least > BEHIND_S:
        return f"behind or late by {lag_least:.0f} s"
    return None
