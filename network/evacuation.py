"""Evacuation: who goes to which shelter so that the most are sheltered and all together are on the way the least."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from layers.errors import InputError, TwinError

MOST_PAIRS = 60_000
"""More pairs of origin and shelter are cut to the nearest shelters of each origin."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Evacuation:
    """People from each origin to each shelter: origins, shelters, people (moves,), and those left behind (origins,)."""

    origins: Counts
    shelters: Counts
    people: Counts
    left: Counts


def assign_evacuees(times: NDArray[np.float64], people: Counts, capacities: Counts) -> Evacuation:
    """Return the assignment that shelters the most people and, of those, takes the least person-seconds; exact.

    times: seconds from each origin to each shelter (origins, shelters), infinite where there is no way. people
    (origins,), capacities (shelters,). A transportation problem, solved as a linear program whose corners are whole
    numbers (Hitchcock 1941). Raises InputError for shapes that differ and TwinError where the account does not close.
    """
    if times.shape != (people.size, capacities.size):
        raise InputError(f"times have the shape {times.shape}, expected ({people.size}, {capacities.size})")
    if (people < 0).any() or (capacities < 0).any():
        raise InputError("people or capacities are negative", hint="give numbers of people of 0 or more")
    rows, cols = _choose_pairs(times, people, capacities)
    if rows.size == 0:
        none = np.zeros(0, np.int64)
        return Evacuation(none, none, none, people.astype(np.int64))
    cost = times[rows, cols]
    # Staying costs more than any chain of exchanges can save, so nobody stays for others to be quicker.
    worth = -(cost.max() * (capacities.size + 1) + 1.0)
    pairs = np.arange(rows.size)
    limits = coo_array(
        (np.ones(2 * rows.size), (np.append(rows, people.size + cols), np.append(pairs, pairs))),
        shape=(people.size + capacities.size, rows.size),
    ).tocsr()
    found = linprog(
        (cost + worth) / abs(worth), A_ub=limits, b_ub=np.append(people, capacities).astype(float), method="highs-ds"
    )
    if found.x is None:
        raise TwinError(f"no assignment of evacuees was found: {found.message}")
    moved = np.rint(found.x).astype(np.int64)
    kept = np.flatnonzero(moved > 0)
    result = Evacuation(rows[kept], cols[kept], moved[kept], people - np.bincount(rows, moved, people.size).astype(int))
    _check_account(result, capacities)
    return result


def _choose_pairs(times: NDArray[np.float64], people: Counts, capacities: Counts) -> tuple[Counts, Counts]:
    possible = np.isfinite(times) & (people > 0)[:, None] & (capacities > 0)[None, :]
    if np.count_nonzero(possible) > MOST_PAIRS:
        nearest = max(MOST_PAIRS // people.size, 1)
        order = np.argsort(np.where(possible, times, np.inf), axis=1, kind="stable")[:, :nearest]
        near = np.zeros_like(possible)
        np.put_along_axis(near, order, True, axis=1)
        possible &= near
    rows, cols = np.nonzero(possible)
    return rows.astype(np.int64), cols.astype(np.int64)


def _check_account(found: Evacuation, capacities: Counts) -> None:
    load = np.bincount(found.shelters, found.people, capacities.size)
    if (found.left < 0).any() or (load > capacities).any():
        raise TwinError("the assignment of evacuees does not close: a shelter is overfull or people were counted twice")
