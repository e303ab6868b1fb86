"""Allowances: never more than was promised, one for all processes of a machine, in a file that does not grow."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from api.limits.buckets import Buckets

TAKE = """
import sys
from pathlib import Path
from api.limits.buckets import Buckets
buckets = Buckets(Path(sys.argv[1]), rate=0.001, burst=500.0)
print(sum(buckets.take("ann", 1.0).allowed for _ in range(400)))
"""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def make(clock: Clock, *, rate: float = 10.0, burst: float = 100.0, path: Path | None = None) -> Buckets:
    return Buckets(path, rate=rate, burst=burst, clock=clock)


def test_a_full_bucket_is_used_up_and_fills_again() -> None:
    clock = Clock()
    buckets = make(clock)
    assert [buckets.take("ann", 25.0).remaining for _ in range(4)] == [75, 50, 25, 0]
    refused = buckets.take("ann", 5.0)
    assert not refused.allowed
    assert abs(refused.wait - 0.5) < 1e-6
    assert abs(refused.full_in - 10.0) < 1e-6
    clock.now += 0.5
    assert buckets.take("ann", 5.0).allowed
    clock.now += 3_600.0
    assert buckets.take("ann", 1.0).remaining == 99


def test_one_does_not_use_up_what_another_has() -> None:
    buckets = make(Clock())
    while buckets.take("ann", 10.0).allowed:
        pass
    assert buckets.take("binh", 10.0).remaining == 90


def test_looking_takes_nothing_and_a_refusal_costs_nothing() -> None:
    buckets = make(Clock())
    assert buckets.look("ann", 90.0).allowed
    assert buckets.take("ann", 90.0).remaining == 10
    assert not buckets.take("ann", 20.0).allowed
    assert buckets.take("ann", 10.0).allowed


def test_what_costs_more_than_a_bucket_wants_a_full_one() -> None:
    buckets = make(Clock())
    assert buckets.take("ann", 1_000.0).allowed
    assert not buckets.take("ann", 1_000.0).allowed


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.1, 60.0)), max_size=60))
def test_never_more_than_the_burst_and_what_came_back(asked: list[tuple[float, float]]) -> None:
    clock, given_out = Clock(), 0.0
    buckets = make(clock)
    for pause, cost in asked:
        clock.now += pause
        verdict = buckets.take("ann", cost)
        given_out += cost if verdict.allowed else 0.0
        assert given_out <= 100.0 + 10.0 * (clock.now - 1_000.0) + 1e-3
        assert 0 <= verdict.remaining <= 100
        assert 0.0 <= verdict.full_in <= 10.0 + 1e-6


def test_processes_share_one_allowance(tmp_path: Path) -> None:
    path = tmp_path / "limits.bin"
    command = [sys.executable, "-c", TAKE, str(path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(process.communicate(timeout=120)[0]) for process in running) == 500
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_and_strangers_do_not_free_who_is_used_up(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "limits.bin"
    buckets = make(clock, path=path)
    buckets.take("ann", 100.0)
    size = path.stat().st_size
    for number in range(50_000):
        buckets.take(f"stranger {number}", 1.0)
    assert path.stat().st_size == size < 2_000_000
    assert not buckets.take("ann", 1.0).allowed


def test_what_an_earlier_start_of_the_machine_left_counts_nothing(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "limits.bin"
    make(clock, path=path).take("ann", 100.0)
    clock.now = 5.0
    assert make(clock, path=path).take("ann", 100.0).allowed


def test_a_file_of_another_kind_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "limits.bin"
    path.write_bytes(b"something else")
    assert make(Clock(), path=path).take("ann", 100.0).allowed


def test_without_a_place_for_the_file_a_process_counts_for_itself() -> None:
    buckets = make(Clock(), path=Path("/proc/nowhere/limits.bin"))
    assert buckets.take("ann", 100.0).allowed
    assert not buckets.take("ann", 1.0).allowed
