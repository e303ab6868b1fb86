"""CreateObservations (OGC 18-088, 13.3): rows of many Datastreams in one request, each with its own answer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from layers.errors import NotFoundError, TwinError
from layers.store.sensing.documents import ID, read_id
from layers.store.sensing.observing import Row, make_id, read_data_array

Series = tuple[int, str | None]
"""Number of a series, and the feature of interest its readings have if they name none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The rows of one Datastream as sent, each read or the error that is its own."""

    datastream_id: str
    rows: list[Row | TwinError]


def read_arrays(sent: Any) -> list[Entry]:
    """Return the entries of a request; InputError when one of them cannot be read at all."""
    now = datetime.now(UTC)
    entries = []
    for entry in sent if isinstance(sent, list) else [sent]:
        rows = list(read_data_array(entry, now))
        entries.append(Entry(read_id(entry["Datastream"][ID]), rows))
    return entries


def list_features(entries: Iterable[Entry]) -> set[str]:
    """Return the ids of the features of interest that rows name."""
    return {
        row["feature_of_interest_id"]
        for entry in entries
        for row in entry.rows
        if isinstance(row, dict) and "feature_of_interest_id" in row
    }


def sort_rows(
    entries: Iterable[Entry], series: Mapping[str, Series], features: Collection[str], prefix: str
) -> tuple[list[Row], list[str]]:
    """Return the rows to store, and for every row its address below ``prefix`` or ``error: …``.

    A row that cannot be read, or whose Datastream or FeatureOfInterest is not there, harms no other.
    """
    kept: list[Row] = []
    answers: list[str] = []
    for entry in entries:
        found = series.get(entry.datastream_id)
        for row in entry.rows:
            wrong = row if isinstance(row, TwinError) else None
            if found is None:
                wrong = NotFoundError(f"Datastream '{entry.datastream_id}' does not exist")
            elif isinstance(row, dict):
                wrong = _check_feature(row, found[1], features) if "feature_of_interest_id" in row else None
                if wrong is None:
                    kept.append(row)
                    answers.append(f"{prefix}('{make_id(found[0], row['phenomenon_time'])}')")
                    continue
            answers.append(f"error: {wrong.message}" if wrong is not None else "error")
    return kept, answers


def _check_feature(row: Row, usual: str | None, features: Collection[str]) -> NotFoundError | None:
    """Return why the feature of a row is none; the one its series has anyway is not said again."""
    feature = row["feature_of_interest_id"]
    if feature == usual:
        del row["feature_of_interest_id"]
        return None
    return None if feature in features else NotFoundError(f"FeatureOfInterest '{feature}' does not exist")
