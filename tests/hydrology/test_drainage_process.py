"""The drainage model in its own process gives what it gives in this one, several at a time, and says how it ended."""

import os
import signal

import numpy as np
import pytest

from hydrology.drainage import Drainage
from hydrology.drainage_process import DrainageProcess
from layers.errors import InputError, NumericsError

MODEL = """[OPTIONS]
FLOW_UNITS CMS
FLOW_ROUTING DYNWAVE
START_DATE 01/01/2020
END_DATE 01/02/2020
ROUTING_STEP 2
[JUNCTIONS]
J1 8 2 0 0 0
[OUTFALLS]
O1 7 FREE NO
[CONDUITS]
C1 J1 O1 {length} 0.013 0 0
[XSECTIONS]
C1 CIRCULAR 0.6 0 0 0
"""


def drive(drainage: Drainage | DrainageProcess) -> list[float]:
    drainage.couple(["J1"], np.array([1.0]))
    states = [drainage.look()]
    states += [drainage.route(np.array([rate]), [0], np.array([7.2]), 60.0) for rate in (0.0, 0.2, 0.1)]
    totals = drainage.totals()
    numbers = [np.concatenate([np.atleast_1d(part) for part in state]) for state in states]
    return [totals.external, totals.outflow, *drainage.nodes.rim, *np.concatenate(numbers)]


def test_two_processes_give_what_this_one_gives() -> None:
    long, short = MODEL.format(length=300), MODEL.format(length=50)
    with DrainageProcess(long) as first, DrainageProcess(short) as second, Drainage(short) as own:
        assert first.outfalls == ("O1",) and first.nodes.ids == ("J1", "O1")
        expected = drive(own)
        assert drive(second) == expected
        assert drive(first) != expected


def test_its_errors_are_those_of_the_model() -> None:
    with pytest.raises(InputError, match="ERROR 209: undefined object J9") as caught:
        DrainageProcess(MODEL.format(length=50).replace("C1 J1", "C1 J9"))
    assert caught.value.hint is not None
    with DrainageProcess(MODEL.format(length=50)) as drainage, pytest.raises(InputError, match="whole number"):
        drainage.route(np.zeros(0), [], np.zeros(0), 0.0001)


def test_a_process_that_dies_is_an_error_and_no_silence() -> None:
    with DrainageProcess(MODEL.format(length=50)) as drainage:
        os.kill(drainage.process_id, signal.SIGKILL)
        with pytest.raises(NumericsError, match="ended with code -9"):
            drainage.look()
