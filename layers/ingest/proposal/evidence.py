"""What a column's values say about its being a property: numbers with their unit, sentinels, dates, text."""

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.ingest.proposal.column import Column
from layers.ingest.proposal.judgement import Judgement
from layers.ingest.proposal.recognise import Names, judge_codes, judge_flags
from layers.ingest.proposal.synonyms import read_synonyms
from layers.quantities import conversion_factor
from layers.schema import Property

_IN_FEET = {"elevation": "us-ft", "stage": "us-ft", "depth": "ft", "height": "ft"}
# Tried in this order where the file does not say its unit and the numbers cannot be the layer's.
_TRIED = {"m": ("mm", "cm", "ft", "in"), "m2": ("ha", "km2"), "W": ("kW", "MW"), "V": ("kV",)}
_NOT_NUMBERS = frozenset({"name", "note", "address", "owner", "operator", "species", "street"})
_LEAST_READ = 0.5


def judge(column: Column, prop: Property, names: Names, *, in_feet: bool = False) -> Judgement:
    """Return what the values of ``column`` say about its being ``prop``.

    ``names`` are those of its codes; ``in_feet``: the place measures in feet.
    """
    if not column.counts:
        return Judgement(-0.2, notes=["blank in every row read"])
    if prop.codes:
        return judge_codes(column, prop, names)
    match prop.type:
        case "number" | "integer":
            return _judge_numbers(column, prop, in_feet=in_feet)
        case "boolean":
            return judge_flags(column, names)
        case "date" | "datetime":
            return _judge_dates(column)
        case _:
            return _judge_text(column, prop)


def _judge_numbers(column: Column, prop: Property, *, in_feet: bool) -> Judgement:
    numbers, unit, nodata = column.number_style, column.unit, column.nodata
    share = max(numbers.share, unit.share)
    if share < _LEAST_READ:
        return Judgement(-0.8, notes=[f"{share:.0%} of its values are numbers"])
    made = Judgement(0.1, notes=[f"{share:.0%} of its values are numbers"] if share < 1 else [])
    for word, value in {**numbers.rule, **nodata.rule}.items():
        made.parts[word] = (value, 0.8, (numbers if word == "numbers" else nodata).reasons.get(word, ""))
    if numbers.question:
        made.parts["numbers"] = ("vi", 0.45, "; ".join(numbers.why))
    values, often = column.numbers
    _add_zeros(made, values, often)
    good = ~np.isin(values, made.parts.get("nodata", ([], 0, ""))[0])
    if prop.measure is None or not good.any():
        return made
    low, middle, high = np.quantile(np.repeat(values[good], often[good]), (0.02, 0.5, 0.98))
    made.notes.append(f"values {low:g} to {high:g}, middle {middle:g}")
    said = unit.rule.get("unit")
    if said is not None and _is_convertible(said, prop.measure.unit):
        if said != prop.measure.unit:
            made.parts["unit"] = (said, 0.9, "; ".join(unit.why))
            made.support = 0.3
    elif "cell_units" not in unit.rule:
        _guess_unit(made, prop, (low, middle, high), in_feet=in_feet)
    if "cell_units" in unit.rule and prop.unit is not None:
        made.parts["cell_units"] = (True, 0.9, unit.reasons["cell_units"])
        made.support = 0.3
    return made


def _is_convertible(unit: str, target: str) -> bool:
    try:
        conversion_factor(unit, target)
    except InputError:
        return False
    return True


def _add_zeros(made: Judgement, values: NDArray[np.float64], often: NDArray[np.int64]) -> None:
    """Take zero for unknown where it is frequent and no other number comes near it."""
    known = made.parts.get("nodata", ([], 0.0, ""))[0]
    rest = values[~np.isin(values, [*known, 0.0])]
    zeros = int(often[values == 0.0].sum())
    apart = len(rest) == 0 or (zeros > 0.1 * often.sum() and np.quantile(np.abs(rest), 0.05) > 0.5)
    if zeros and apart:
        made.parts["nodata"] = ([*known, 0], 0.65, f"0 in {zeros} of {int(often.sum())} rows, and nothing near it")


def _guess_unit(made: Judgement, prop: Property, spread: tuple[float, float, float], *, in_feet: bool) -> None:
    """Hold numbers without a unit against what the quantity can be and usually is."""
    quantity = prop.measure
    assert quantity is not None
    low, middle, high = spread
    least, most = read_synonyms().usual.get(quantity.name, (quantity.minimum, quantity.maximum))
    tried: tuple[str, ...] = (quantity.unit, *_TRIED.get(quantity.unit, ()))
    feet = in_feet and quantity.name in _IN_FEET
    if feet:
        tried = (_IN_FEET[quantity.name], "in", *tried)
    for unit in dict.fromkeys(tried):
        factor = conversion_factor(unit, quantity.unit)
        if quantity.minimum <= low * factor and high * factor <= quantity.maximum and least <= middle * factor <= most:
            break
    else:
        impossible = low < quantity.minimum or high > quantity.maximum
        made.support = -0.5 if impossible else -0.1
        made.notes.append(f"{'cannot be' if impossible else 'unusual for'} {quantity.name}")
        return
    if unit == quantity.unit:
        return
    if feet and unit == tried[0]:
        made.parts["unit"] = (unit, 0.6, "cities of this place measure it in feet")
    else:
        made.parts["unit"] = (unit, 0.75, f"in {tried[0]} the middle would be {middle:g}")


def _judge_dates(column: Column) -> Judgement:
    found = column.dates
    if found.share < _LEAST_READ:
        return Judgement(-0.8, notes=[f"{found.share:.0%} of its values are dates"])
    made = Judgement(0.3, notes=[f"{found.share:.0%} of its values are dates" if found.share < 1 else "all are dates"])
    for word, value in found.rule.items():
        made.parts[word] = (value, 0.85, found.reasons.get(word, ""))
    if found.question:
        made.parts["date_order"] = ("dmy", 0.45, "; ".join(found.why))
    return made


def _judge_text(column: Column, prop: Property) -> Judgement:
    _, often = column.numbers
    if prop.name in _NOT_NUMBERS and often.sum() > 0.8 * column.filled:
        return Judgement(-0.6, notes=["its values are numbers"])
    return Judgement()
