"""A simulation in time: simulated moments follow the wall clock, faster or as fast as the broker takes them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twin.simulation.faults import Spoiler
from twin.simulation.fleets import Fleet
from twin.simulation.messages import Bundler, Message
from twin.simulation.publishing import Publisher

CHUNK_S = 6 * 3600.0
TICK_S = 0.2
Tell = Callable[[Publisher, float], None]


@dataclass(frozen=True, slots=True)
class Course:
    """How time runs: from ``start`` to ``end`` (Unix times [s]; None: no end), ``speed`` simulated seconds a second.

    Without ``speed`` it does not wait. Without ``end`` it catches up with the clock and stays with it: no reading comes
    from the future. ``rate`` bounds the messages a second, ``count`` all of them.
    """

    start: float
    end: float | None
    speed: float | None
    rate: float | None = None
    count: int | None = None


def run_course(
    fleet: Fleet,
    spoiler: Spoiler,
    bundler: Bundler,
    publisher: Publisher,
    course: Course,
    tell: Tell,
    tell_every: float,
) -> None:
    """Publish what ``fleet`` measures over ``course``; ``tell`` hears how far it is every ``tell_every`` [s]."""
    began, told = time.monotonic(), 0.0
    for message, moment in _list_messages(fleet, spoiler, bundler, course):
        if message is not None:
            if course.rate is not None:
                _sleep_until(began + publisher.messages / course.rate)
            publisher.publish(message)
        if time.monotonic() - told > tell_every:
            told = time.monotonic()
            tell(publisher, moment)
        if course.count is not None and publisher.messages >= course.count:
            break
    tell(publisher, course.end if course.end is not None else time.time())


def _list_messages(
    fleet: Fleet, spoiler: Spoiler, bundler: Bundler, course: Course
) -> Iterator[tuple[Message | None, float]]:
    """Yield messages with the moment they were measured by, and None where time passes without any."""
    after, began = course.start, time.monotonic()
    while course.end is None or after < course.end:
        until = _reach(course, began, after)
        if until > after:
            for measured in fleet.measure(after, until):
                for message in bundler.add(spoiler.spoil(measured)):
                    yield message, until
            after = until
        if course.end is None or after < course.end:
            yield None, after
            if course.end is None or course.speed is not None:
                time.sleep(TICK_S)
    for message in bundler.flush():
        yield message, after


def _reach(course: Course, began: float, after: float) -> float:
    """Return the simulated moment that is reached now, at most ``CHUNK_S`` further than ``after``."""
    moment = after + CHUNK_S if course.speed is None else course.start + (time.monotonic() - began) * course.speed
    last = time.time() if course.end is None else course.end
    return min(moment, after + CHUNK_S, last)


def _sleep_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0.0:
        time.sleep(left)
