"""Which identifiers a load has met: a digest of each, for a file may have millions."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Met:
    """The digests of the identifiers met so far, 64 bits each, sorted."""

    def __init__(self) -> None:
        self._digests: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)

    def meet(self, ids: "pd.Series[str]") -> NDArray[np.bool_]:
        """Return which of ``ids`` may have been met before this call, and remember them all.

        What was not met is surely new; what seems met may be chance and must be looked up.
        """
        digests = pd.util.hash_array(ids.to_numpy(dtype=object), categorize=False)
        place = np.searchsorted(self._digests, digests)
        known = np.zeros(len(digests), dtype=bool)
        inside = place < len(self._digests)
        known[inside] = self._digests[place[inside]] == digests[inside]
        # Two sorted runs: a stable sort merges them in one pass.
        self._digests = np.sort(np.concatenate([self._digests, np.sort(digests[~known])]), kind="stable")
        return known
