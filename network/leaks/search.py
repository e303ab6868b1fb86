"""The search for leaks from end to end: readings and a model in, alarms out, each from what was known by then."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from network.leaks.detection import Alarm, Detector, Settings, Watched
from network.leaks.distances import measure_distances
from network.leaks.expectation import DrivenModel, Readings
from network.leaks.residuals import Baseline, fit_baseline, whiten
from network.leaks.sensitivity import Sensitivity, compute_sensitivity

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

VISIBLE_FLOW = 5.0 / 3600.0
LEAST_ENERGY = 0.05
"""Square of the white signature, a step, that a leak of VISIBLE_FLOW [m3/s] must have for a pipe to be searched."""

DRIFTS = 3.0
"""Least size tried, over the scatter of a day's mean, where a leak shows at many instruments alike."""

LONE = 0.8
"""Share of one instrument in what shows a leak, above which it counts no more. What one alone tells may be its own
error or that of the use beside it, so the least size tried rises with that share."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search found, and in what; ``residuals`` (steps, channels) are centred, NaN where not read."""

    alarms: list[Alarm]
    sensitivity: Sensitivity
    watched: Watched
    residuals: Array
    classes: Indices


def search_leaks(
    model: DrivenModel,
    readings: Readings,
    known: int,
    settings: Settings,
    *,
    watch: Callable[[float], None] | None = None,
) -> Search:
    """Return the leaks that began after the first ``known`` steps, in which none began.

    ``watch`` is told the share of the work done. Raises InputError where nothing measures or too little was read.
    """
    if not len(model.instruments.pressures):
        raise InputError("no pressure logger is at a node of the water model, expected one or more")
    tell = watch or _ignore
    sensitivity = compute_sensitivity(model)
    tell(0.1)
    expected = model.follow(readings, watch=lambda share: tell(0.1 + 0.7 * share))
    channels = np.concatenate((readings.pressures - expected.pressures, (readings.inlets - expected.inlets)[:, :-1]), 1)
    channels[~expected.known] = np.nan
    week = np.arange(len(channels)) + readings.start // readings.step
    load = expected.share * np.take(model.zone_nominal, week, mode="wrap")
    pumped = np.nan_to_num(readings.pumps[:, model.drawn]).sum(axis=1)
    classes = sensitivity.classify(load, pumped)
    count = len(sensitivity.nodes)
    baseline = fit_baseline(channels[:known], load[:known], pumped[:known], classes[:known], count)
    centred = baseline.centre(channels, load, pumped)
    day = round(86_400 / readings.step)
    watched = describe_watched(sensitivity, baseline, centred[:known], classes[:known], day)
    weights = sensitivity.weigh(load, pumped)
    detector = Detector(watched, settings, start=known)
    for begin in range(0, len(centred), day):
        rows = slice(begin, begin + day)
        detector.add(centred[rows], classes[rows], weights[rows])
        tell(0.8 + 0.2 * begin / len(centred))
    return Search(detector.alarms, sensitivity, watched, centred, classes)


def describe_watched(
    sensitivity: Sensitivity, baseline: Baseline, centred: Array, classes: Indices, day: int
) -> Watched:
    """Return the network as the detector sees it, with the least leaks that are no slow error of the model."""
    signatures = sensitivity.find_pipes()
    white_signatures = np.einsum("cij,cpj->cpi", baseline.whitening, signatures)
    energy = np.einsum("cpk,cpk->cp", white_signatures, white_signatures)
    alone = (white_signatures**2).mean(axis=0).max(axis=1) / np.maximum(energy.mean(axis=0), 1.0e-12)
    white = whiten(centred, classes, baseline.whitening)
    apparent = []
    for begin in range(0, len(white) - day + 1, day):
        own = classes[begin : begin + day]
        match, weight = np.zeros(energy.shape[1]), np.zeros(energy.shape[1])
        for index in range(len(energy)):
            rows = own == index
            match += white_signatures[index] @ white[begin : begin + day][rows].sum(axis=0)
            weight += rows.sum() * energy[index]
        apparent.append(match / np.maximum(weight, 1.0e-12))
    visible = energy.mean(axis=0) * VISIBLE_FLOW**2 >= LEAST_ENERGY
    drift = np.where(visible, np.std(apparent, axis=0) if len(apparent) > 1 else 0.0, 0.0)
    least = DRIFTS * drift / (1.0 - np.minimum(alone, LONE) ** 2)
    nodes = sensitivity.nodes.shape[1]
    distances = measure_distances(sensitivity.ends, sensitivity.lengths, nodes)
    return Watched(signatures, baseline.whitening, distances, sensitivity.lengths, least, visible, sensitivity.couple())


def _ignore(share: float) -> None:
    """Tell nobody."""
