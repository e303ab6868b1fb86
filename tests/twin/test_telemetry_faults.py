"""What breaks in the field, with real processes: whatever a device was told has arrived is stored, and once.

100,000 readings in messages of QoS 1 through a broker that restarts, a database that is away, an ingest that is killed
ten times, a spill that is full. No two readings are the same, so the number of rows says what was lost or doubled.
"""

import signal
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.twin.telemetry_plant import PATIENCE_S, SERIES, Devices, Plant, wait_for
from twin.sensors.broker import find_mosquitto
from twin.store_telemetry import list_ledger

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")
MESSAGES, READINGS, KILLS, AWAY_S = 20_000, 5, 10, 10.0


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    made = Plant()
    yield made
    made.close()


def check_ledger(plant: Plant, readings: int) -> None:
    """Check that each reading is there once and that the account says so."""
    with plant.engine.connect() as connection:
        rows = list_ledger(connection)
        stored, least, most = connection.execute(
            text(
                "select sum(n), min(n), max(n) from "
                "(select count(*) as n from sensing.observation group by datastream) by_series"
            )
        ).one()
        altered = connection.execute(text("select count(*) from sensing.correction")).scalar_one()
    assert (stored, least, most) == (readings, readings // SERIES, readings // SERIES)
    for row in rows:
        assert row["received"] == row["stored"] + row["repeated"] + row["corrected"] + row["rejected"]
    assert sum(row["stored"] for row in rows) == readings
    assert sum(row["rejected"] + row["corrected"] for row in rows) == altered == 0


def test_nothing_acknowledged_is_lost_whatever_breaks(plant: Plant) -> None:
    plant.start_ingest()
    devices = Devices(plant.broker)
    share = MESSAGES // KILLS
    away = 0.0
    for kill in range(KILLS):
        # A tenth of all messages is on its way while this breaks.
        publishing = threading.Thread(target=devices.publish, args=(kill * share, share, READINGS))
        publishing.start()
        if kill == 2:
            plant.stop_database()
            away = time.monotonic()
        if kill in (4, 7):
            plant.stop_broker()
            plant.start_broker()
        # From just started to at work: killed at another moment each time.
        time.sleep(0.5 + 0.25 * kill)
        plant.end_ingest(signal.SIGKILL)
        plant.start_ingest()
        publishing.join(PATIENCE_S)
        if kill == 5:
            time.sleep(max(0.0, AWAY_S - (time.monotonic() - away)))
            wait_for(lambda: plant.read_spilled() > 0, "messages are spilled while the database is away")
            plant.start_database()
    devices.await_acknowledged()
    assert devices.acknowledged == MESSAGES
    wait_for(lambda: plant.count() >= MESSAGES * READINGS, "all readings are stored")
    devices.close()
    plant.end_ingest()
    check_ledger(plant, MESSAGES * READINGS)
    assert plant.read_spilled() == 0


def test_a_full_spill_holds_the_rest_back_in_the_broker(plant: Plant) -> None:
    plant.end_ingest()
    plant.clear()
    plant.stop_database()
    plant.start_ingest(spill_mb=1)
    devices = Devices(plant.broker, "full")
    count, readings = 400, 50
    devices.publish(0, count, readings)
    devices.await_acknowledged()
    wait_for(lambda: "spill full" in plant.read_log(), "the spill is full")
    assert plant.read_spilled() <= 1_000_000
    # What is not on the disk is not acknowledged: a kill now must not lose it.
    plant.end_ingest(signal.SIGKILL)
    plant.start_database()
    plant.start_ingest(spill_mb=1)
    wait_for(lambda: plant.count() >= count * readings, "all readings are stored")
    devices.close()
    plant.end_ingest()
    check_ledger(plant, count * readings)
