"""A flood warning as it is drafted: what is known, where, until when; the value that a CAP message is made of."""

import re
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from layers.schema import Text
from twin.warning.levels import LEVELS

EVENT = "flood"
"""The event key of river and tidal floods: there is one chain of messages for it in a ward at a time."""
Status = Literal["Actual", "Exercise", "Test"]
STATUSES: tuple[Status, ...] = get_args(Status)
Kind = Literal["Alert", "Update", "Cancel"]
# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_words(words: str) -> str:
    """Return ``words`` on one line, with a space for every character that XML cannot hold."""
    return " ".join(_NOT_XML.sub(" ", words).split())


def check_year(moment: datetime) -> datetime:
    """Return ``moment`` if a clock in any zone can show it."""
    if not 1970 <= moment.year <= 2200:
        raise ValueError(f"the year {moment.year} is not between 1970 and 2200")
    return moment


Words = Annotated[str, AfterValidator(clean_words)]
Name = Annotated[Words, Field(min_length=1, max_length=200)]
Moment = Annotated[AwareDatetime, AfterValidator(check_year)]


class Station(BaseModel):
    """The gauge that a warning speaks of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    name: Annotated[Words, Field(max_length=200)] = ""
    name_en: Annotated[Words, Field(max_length=200)] = ""

    @property
    def title(self) -> Text:
        """Its name in both languages, its id where it has none."""
        name = self.name or self.id
        return Text(name, self.name_en or name)


class OwnWords(BaseModel):
    """What a person wrote in one language in place of the words that follow from what is known; "" keeps those."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    headline: Annotated[Words, Field(max_length=160)] = ""
    description: Annotated[Words, Field(max_length=4000)] = ""
    instruction: Annotated[Words, Field(max_length=4000)] = ""


class FloodWarning(BaseModel):
    """What is known of a flood.

    ``level``: 1 to 3 báo động, 4 above the highest on record. ``stage`` and ``threshold`` [m above datum]; ``at`` is
    when the stage was measured or is forecast. ``probability`` (0 to 1) of a forecast, None for what was measured;
    ``onset`` when the level is first reached. ``alarms`` are the ids of the alarms behind it. ``vi`` and ``en`` hold
    words of a person's own, ``contact`` whom to ask.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: int = Field(ge=min(LEVELS), le=max(LEVELS))
    station: Station
    wards: tuple[Name, ...] = Field(min_length=1, max_length=300)
    expires: Moment
    status: Status = "Actual"
    stage: float | None = Field(default=None, ge=-100.0, le=10_000.0, allow_inf_nan=False)
    threshold: float | None = Field(default=None, ge=-100.0, le=10_000.0, allow_inf_nan=False)
    at: Moment | None = None
    onset: Moment | None = None
    probability: float | None = Field(default=None, ge=0.0, le=1.0)
    alarms: tuple[Name, ...] = Field(default=(), max_length=10_000)
    note: Annotated[Words, Field(max_length=1000)] = ""
    vi: OwnWords = OwnWords()
    en: OwnWords = OwnWords()
    contact: Annotated[Words, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _names_each_once(self) -> "FloodWarning":
        for name in ("wards", "alarms"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"'{name}' names something twice")
        return self

    def merge(self, other: "FloodWarning") -> "FloodWarning":
        """Return one warning for both: what the higher says, the wards and alarms of both, the later end.

        Of equal levels, what is measured goes before what is forecast, then the station whose id comes first: the same
        alarms make the same warning in whatever order they come.
        """
        first, second = sorted((self, other), key=_rank)
        return first.model_copy(
            update={
                "wards": tuple(sorted({*first.wards, *second.wards})),
                "alarms": tuple(sorted({*first.alarms, *second.alarms})),
                "expires": max(first.expires, second.expires),
                "onset": min((one.onset for one in (first, second) if one.onset), default=None)
                if first.level == second.level
                else first.onset,
            }
        )


def _rank(warning: FloodWarning) -> tuple[int, bool, str]:
    return -warning.level, warning.probability is not None, warning.station.id
