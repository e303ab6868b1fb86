"""The spill gives back what it took, in order, never takes more than it may, and survives being cut anywhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.sensors.message import Message
from twin.sensors.spill import Spill

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


def make(numbers: range, size: int = 20) -> list[Message]:
    return [Message(f"json/đo {n}", str(n).encode().rjust(size), NOW + timedelta(seconds=n), "mqtt") for n in numbers]


def drain(spill: Spill, count: int = 3) -> list[Message]:
    found: list[Message] = []
    while not spill.is_empty:
        found += spill.peek(count, 10_000)
        spill.drop()
    return found


steps = st.lists(st.tuples(st.sampled_from(["add", "take", "look", "open"]), st.integers(1, 9)), max_size=40)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(100, 900))
def test_a_queue_that_outlives_its_process(
    tmp_path_factory: pytest.TempPathFactory, work: list[tuple[str, int]], segment: int
) -> None:
    folder = tmp_path_factory.mktemp("s")
    spill = Spill(folder, 4000, segment=segment)
    waiting: list[Message] = []
    made = 0
    for word, count in work:
        if word == "add":
            fresh = make(range(made, made + count))
            if spill.append(fresh):
                waiting += fresh
                made += count
        elif word == "open":
            spill.close()
            spill = Spill(folder, 4000, segment=segment)
        else:
            found = spill.peek(count, 10_000)
            assert found == waiting[: len(found)] and bool(found) == bool(waiting)
            if word == "take":
                spill.drop()
                waiting = waiting[len(found) :]
        assert spill.is_empty == (not waiting)
        on_disk = sum(path.stat().st_size for path in folder.glob("*.spill"))
        assert on_disk == spill.size <= 4000
    assert drain(spill) == waiting
    assert not list(folder.glob("*.spill"))
    spill.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 400))
def test_cut_anywhere_what_was_whole_comes_back(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("s")
    spill = Spill(folder, 100_000)
    assert spill.append(make(range(5)))
    spill.close()
    (path,) = folder.glob("*.spill")
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    again = Spill(folder, 100_000)
    kept = min(cut, len(whole)) // (len(whole) // 5)
    assert again.append(make(range(5, 7)))
    assert drain(again) == make(range(kept)) + make(range(5, 7))


def test_a_file_that_does_not_read_is_put_aside(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 100_000, segment=100)
    for number in range(3):
        assert spill.append(make(range(number, number + 1), 100))
    spill.close()
    first = sorted(tmp_path.glob("*.spill"))[0]
    broken = bytearray(first.read_bytes())
    broken[30] ^= 0xFF
    first.write_bytes(bytes(broken))
    assert drain(Spill(tmp_path, 100_000)) == make(range(1, 3), 100)
    assert list(tmp_path.glob("*.damaged"))


def test_what_does_not_fit_is_not_taken(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 1000)
    assert spill.append(make(range(5)))
    assert not spill.append(make(range(5, 100)))
    assert drain(spill) == make(range(5))
