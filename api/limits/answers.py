"""What is said when it is too much: 429 to who asks too much, 503 when all together do, both with when to come back.

Header fields and types of problems are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import math

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Message

from api.errors import answer_problem
from api.limits.buckets import Buckets, Verdict
from api.limits.lanes import BusyError

POLICY = "asker"
_PROBLEMS = "https://iana.org/assignments/http-problem-types"
HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After")


def write_policy(buckets: Buckets) -> str:
    """Return the header field that names the quota: units, and the time in which they come back [s]."""
    return f'"{POLICY}";q={math.floor(buckets.burst)};w={math.ceil(buckets.burst / buckets.rate)}'


def write_state(verdict: Verdict) -> str:
    """Return the header field that says what is left, and when all is there again [s]."""
    return f'"{POLICY}";r={verdict.remaining};t={math.ceil(verdict.full_in)}'


def add_state(message: Message, buckets: Buckets, verdict: Verdict) -> None:
    """Write policy and state into the head of an answer."""
    headers = MutableHeaders(raw=message["headers"])
    headers["ratelimit-policy"], headers["ratelimit"] = write_policy(buckets), write_state(verdict)


def answer_exceeded(verdict: Verdict, buckets: Buckets, what: str) -> Response:
    """Refuse somebody whose allowance is used up."""
    wait = max(1, math.ceil(verdict.wait))
    return answer_problem(
        f"{_PROBLEMS}#quota-exceeded",
        429,
        f"you asked for more than your share; this ({what}) is possible in {wait} s",
        hint="ask more slowly, keep what you have with its ETag, sign in or use a key of your own: docs/limits.md",
        headers={
            "retry-after": str(wait),
            "ratelimit-policy": write_policy(buckets),
            "ratelimit": write_state(verdict),
        },
        members={"violated-policies": [POLICY]},
    )


def answer_busy(error: BusyError) -> Response:
    """Refuse somebody for whom there is no room now."""
    headers = {"retry-after": str(error.retry_after)}
    if error.own:
        said = f"you have as many requests of this sort ({error.lane.name}) under way as one may"
        return answer_problem("too-many-at-once", 429, said, hint="wait for some to be answered", headers=headers)
    said = f"the server has as many requests of this sort ({error.lane.name}) as it can answer in time"
    return answer_problem(f"{_PROBLEMS}#temporary-reduced-capacity", 503, said, hint="try again soon", headers=headers)
