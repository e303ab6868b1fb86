"""A state as JSON, for the command line and over HTTP."""

from datetime import datetime
from typing import Any

from layers.store.rasters import format_time
from twin.state.assets import AssetState, StateReading
from twin.state.flooding import Flooding


def write_state(state: AssetState) -> dict[str, Any]:
    """Return a state as JSON."""
    return {
        "layer": state.layer,
        "id": state.item.id,
        "at": format_time(state.at),
        "known": _write_moment(state.known),
        "state": state.word,
        "title": state.title._asdict(),
        "basis": state.basis,
        "value": state.value,
        "unit": state.unit,
        "time": _write_moment(state.time),
        "age": state.age_s,
        "quality": state.quality,
        "stale": state.stale,
        "note": state.note._asdict() if state.note else None,
        "flooding": _write_flooding(state.flooding) if state.flooding else None,
        "readings": [_write_reading(each) for each in state.readings],
    }


def _write_reading(reading: StateReading) -> dict[str, Any]:
    source, says = reading.source, reading.forecast
    return {
        "datastream": source.datastream_id,
        "observed_property": source.observed_property,
        "title": {"vi": source.title_vi, "en": source.title_en},
        "via": source.via,
        "state": reading.word,
        "value": source.value if source.result is None else source.result,
        "unit": source.unit,
        "time": _write_moment(source.time),
        "age": reading.age_s,
        "quality": source.quality,
        "stale": reading.stale,
        "forecast": None
        if says is None
        else {
            "issue_time": format_time(says.issue_time), "q10": says.q10, "q50": says.q50, "q90": says.q90,
            "warning": says.warning,
        },
    }  # fmt: skip


def _write_flooding(flooding: Flooding) -> dict[str, Any]:
    return {
        "run_id": flooding.run_id,
        "base_time": format_time(flooding.base_time),
        "depth": flooding.depth,
        "depth_max": flooding.depth_max,
        "arrival": _write_moment(flooding.arrival),
        "hazard_class": flooding.hazard_class,
    }


def _write_moment(moment: datetime | None) -> str | None:
    return format_time(moment) if moment is not None else None
