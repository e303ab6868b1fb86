"""Large batches on their way in: by binary COPY into a table of the transaction's own."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.store.sensing.merging import NO_EXTRAS

STAGE = "incoming_observation"
FROM_STAGE = (
    "select n.id as datastream_id, s.phenomenon_time, nullif(s.result, 'NaN') as result, "
    f"nullif(s.quality, 0) as quality, {NO_EXTRAS} from {STAGE} s "
    "join unnest(cast(%(ids)s as text[])) with ordinality n (id, number) on n.number = s.series"
)
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# PostgreSQL counts microseconds from 2000-01-01.
_EPOCH_US = 946_684_800_000_000
# A row of COPY (format binary): how many fields, and each with its length in front, in network order.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("series_bytes", ">i4"), ("series", ">i4"),
        ("time_bytes", ">i4"), ("time", ">i8"),
        ("result_bytes", ">i4"), ("result", ">f8"),
        ("quality_bytes", ">i4"), ("quality", ">i2"),
    ]
)  # fmt: skip


def copy_to_stage(connection: Connection, batch: pd.DataFrame) -> list[str]:
    """Copy a batch into the stage and return the ids that its series numbers stand for, from 1 on.

    ``batch``: datastream_id, phenomenon_time (UTC), result (NaN = missing), quality (nullable).
    """
    numbers, names = pd.factorize(batch["datastream_id"])
    micros = batch["phenomenon_time"].dt.as_unit("us").astype(np.int64).to_numpy()
    quality = batch["quality"].fillna(0).to_numpy(dtype=np.int16)
    rows = encode_rows(numbers + 1, micros, batch["result"].to_numpy(dtype=np.float64), quality)
    connection.execute(text(f"drop table if exists {STAGE}"))
    connection.execute(
        text(
            f"create temporary table {STAGE} (series integer, phenomenon_time timestamptz, "
            "result double precision, quality smallint) on commit drop"
        )
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {STAGE} from stdin with (format binary)") as copy:
        copy.write(rows)
    return [str(name) for name in names]


def encode_rows(
    series: NDArray[np.int64], micros: NDArray[np.int64], results: NDArray[np.float64], qualities: NDArray[np.int16]
) -> bytes:
    """Return rows as PostgreSQL's binary COPY reads them; ``micros`` [µs since 1970 UTC], all of shape (rows,)."""
    rows = np.empty(len(series), dtype=_ROW)
    rows["fields"] = 4
    rows["series_bytes"], rows["series"] = 4, series
    rows["time_bytes"], rows["time"] = 8, micros - _EPOCH_US
    rows["result_bytes"], rows["result"] = 8, results
    rows["quality_bytes"], rows["quality"] = 2, qualities
    return _SIGNATURE + rows.tobytes() + _END
