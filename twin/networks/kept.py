"""What is kept of a trace: what was asked of which version of the network, and which features it found."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fids = NDArray[np.int64]

UNSETTLED = "unsettled"
"""The stamp of a graph made of layers that are just being written: no other graph can be told to be the same."""
_ID_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class KeptTrace:
    """A trace under an id that follows from ``process``, ``request`` and ``stamp``: the same question of the same
    network has the same id.

    request: the inputs with all defaults. stamp: the version of the network. members: by layer, the feature ids
    (``fid``) of what was found, in any order. figures: what it adds up to.
    """

    process: str
    commodity: str
    request: Mapping[str, Any]
    stamp: str
    members: Mapping[str, Fids]
    figures: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id, 16 hexadecimal digits."""
        return name_trace(self.process, self.request, self.stamp)


def stamp_trace(stamp: str, now: datetime) -> str:
    """Return the stamp under which a trace is kept; one that says nothing is told apart by the moment."""
    return f"{UNSETTLED} {now.isoformat()}" if stamp == UNSETTLED else stamp


def name_trace(process: str, request: Mapping[str, Any], stamp: str) -> str:
    """Return the id of the answer of ``process`` to ``request`` on the network of version ``stamp``."""
    words = json.dumps([process, request, stamp], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(words.encode(), digest_size=_ID_BYTES).hexdigest()
