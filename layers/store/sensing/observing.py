"""Observations as clients send them, into the rows the store takes. Pure: nothing is asked, nothing is written.

``read_observation`` reads one SensorThings Observation, ``read_data_array`` one entry of CreateObservations
(OGC 18-088, 13.3). Both are for every way in: HTTP, batches, MQTT.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from layers.errors import InputError, TwinError
from layers.store.sensing.documents import read_id, read_interval, read_moment

FLAGS = (1, 2, 3, 4, 9)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PARTS = frozenset(("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters"))
_LINKS = frozenset(("Datastream", "FeatureOfInterest"))
FEATURE_COMPONENT, ID_COMPONENT = "FeatureOfInterest/id", "id"

Row = dict[str, Any]


def read_observation(sent: Any, datastream_id: str, now: datetime) -> Row:
    """Return the row of an Observation; without a phenomenonTime it is of ``now``.

    A number goes to ``result``, any other JSON to ``value``, null is a missing reading. Links are not looked at.
    Raises InputError naming the attribute that cannot be read, or is mandatory and absent.
    """
    if not isinstance(sent, dict):
        raise InputError("an Observation is a JSON object")
    if "result" not in sent:
        raise InputError("the Observation lacks result", hint="it is mandatory")
    result = sent["result"]
    row: Row = {"datastream_id": datastream_id, "phenomenon_time": now, "result": None}
    if isinstance(result, int | float) and not isinstance(result, bool):
        row["result"] = float(result)
    elif result is not None:
        row["value"] = result
    given = sent.get("phenomenonTime")
    if given is not None:
        row["phenomenon_time"], end = read_interval(given, "phenomenonTime")
        if end is not None:
            row["phenomenon_end"] = end
    # Most readings say no more than that.
    if len(sent) > 2:
        _read_rest(sent, row)
    return row


def _read_rest(sent: Mapping[str, Any], row: Row) -> None:
    for name, value in sent.items():
        if name not in _PARTS:
            if name not in _LINKS and "@" not in name:
                raise InputError(f"an Observation has no '{name[:80]}'", hint=f"it has {', '.join(sorted(_PARTS))}")
        elif value is None or name in ("phenomenonTime", "result"):
            continue
        elif name == "resultTime":
            row["result_time"] = read_moment(value, name)
        elif name == "validTime":
            row["valid_start"], row["valid_end"] = read_interval(value, name)
        elif name == "resultQuality":
            row["quality"] = read_flag(value)
        else:
            if not isinstance(value, dict):
                raise InputError("Observation.parameters is a JSON object")
            row["parameters"] = value


def read_flag(value: Any) -> int:
    """Return a quality flag; InputError for what QARTOD does not know."""
    flag = int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if isinstance(flag, bool) or flag not in FLAGS:
        raise InputError(
            f"resultQuality {str(value)[:80]!r} is not known",
            hint="QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing",
        )
    return int(flag)


def read_data_array(sent: Any, now: datetime) -> Iterator[Row | TwinError]:
    """Yield for every row of one entry of CreateObservations its row, or the error that is its own.

    Raises InputError when the entry itself cannot be read: no Datastream, no components, no dataArray.
    """
    if not isinstance(sent, dict):
        raise InputError("an entry of CreateObservations is a JSON object")
    if "MultiDatastream" in sent:
        raise InputError("MultiDatastreams are not served", hint="name a Datastream")
    stream = sent.get("Datastream")
    if not isinstance(stream, dict) or stream.get("@iot.id") is None:
        raise InputError("an entry of CreateObservations names no Datastream", hint='{"Datastream": {"@iot.id": 1}}')
    components, rows = sent.get("components"), sent.get("dataArray")
    if not isinstance(components, list) or not all(isinstance(one, str) for one in components):
        raise InputError("an entry of CreateObservations has no list of components")
    if not isinstance(rows, list):
        raise InputError("an entry of CreateObservations has no dataArray")
    unknown = [one for one in components if one not in _PARTS and one not in (FEATURE_COMPONENT, ID_COMPONENT)]
    if unknown or "result" not in components:
        wrong = f"component '{unknown[0][:80]}' is not known" if unknown else "the components lack result"
        raise InputError(wrong, hint=f"known: {', '.join(sorted(_PARTS))}, {FEATURE_COMPONENT}")
    return _read_rows(read_id(stream["@iot.id"]), components, rows, now)


def _read_rows(
    datastream_id: str, components: Sequence[str], rows: Sequence[Any], now: datetime
) -> Iterator[Row | TwinError]:
    width = len(components)
    short = set(components) == {"phenomenonTime", "result"} and width == 2
    when, what = (components.index("phenomenonTime"), components.index("result")) if short else (0, 0)
    for cells in rows:
        try:
            if not isinstance(cells, list) or len(cells) != width:
                found = f"{len(cells)} values" if isinstance(cells, list) else "no list"
                raise InputError(f"a row of the dataArray has {found}, expected {width}")
            # What nearly all arrays are: a time and a number.
            if short and type(cells[what]) is float and type(cells[when]) is str and "/" not in cells[when]:
                moment = read_moment(cells[when], "phenomenonTime")
                yield {"datastream_id": datastream_id, "phenomenon_time": moment, "result": cells[what]}
                continue
            sent = dict(zip(components, cells, strict=True))
            feature = sent.pop(FEATURE_COMPONENT, None)
            sent.pop(ID_COMPONENT, None)
            row = read_observation(sent, datastream_id, now)
            if feature is not None:
                row["feature_of_interest_id"] = read_id(feature)
            yield row
        except InputError as error:
            yield error


def make_id(fid: int, moment: datetime) -> str:
    """Return the id of the reading of series number ``fid`` at ``moment``."""
    since = moment - _EPOCH
    return f"{fid}_{(since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds}"


def parse_id(observation_id: str) -> tuple[int, datetime] | None:
    """Return series number and time of an Observation's id; None for what is no such id."""
    number, _, micros = observation_id.partition("_")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    digits = micros.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 18):
        return None
    try:
        return int(number), _EPOCH + int(micros) * _MICROSECOND
    except OverflowError:
        return None
