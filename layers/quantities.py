"""Physical quantities: unit (UCUM), CF standard name and the range a value can have.

SI inside; conversion happens only at import and on screen. Names follow the CF standard name table and
SWMM; units follow UCUM, as SensorThings asks.
"""

from dataclasses import dataclass

from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measurable thing with one unit inside the system.

    ``unit`` is UCUM, ``symbol`` is what a person reads; ``minimum`` and ``maximum`` bound what can be true
    on this planet, not what is usual.
    """

    name: str
    unit: str
    symbol: str
    cf_standard_name: str | None = None
    minimum: float = -1.0e12
    maximum: float = 1.0e12


_ALL = (
    Quantity("length", "m", "m", None, 0.0, 1.0e7),
    Quantity("width", "m", "m", None, 0.0, 2.0e4),
    Quantity("height", "m", "m", "height", 0.0, 1000.0),
    Quantity("diameter", "m", "m", None, 0.0, 20.0),
    Quantity("area", "m2", "m²", "area", 0.0, 1.0e12),
    Quantity("volume", "m3", "m³", None, 0.0, 1.0e12),
    Quantity("depth", "m", "m", "flood_water_thickness", 0.0, 200.0),
    Quantity("elevation", "m", "m", "height_above_geopotential_datum", -500.0, 9000.0),
    Quantity("stage", "m", "m", "water_surface_height_above_reference_datum", -50.0, 9000.0),
    Quantity("velocity", "m/s", "m/s", "sea_water_speed", 0.0, 100.0),
    Quantity("discharge", "m3/s", "m³/s", "water_volume_transport_in_river_channel", -1.0e6, 1.0e6),
    Quantity("unit_discharge", "m2/s", "m²/s", None, -1.0e4, 1.0e4),
    Quantity("hazard", "m2/s", "m²/s", None, 0.0, 1.0e4),
    Quantity("mannings_n", "s/m1/3", "s/m^⅓", None, 0.005, 2.0),
    Quantity("slope", "1", "–", None, -10.0, 10.0),
    Quantity("rainfall", "mm", "mm", "thickness_of_rainfall_amount", 0.0, 5000.0),
    Quantity("rainfall_intensity", "mm/h", "mm/h", "rainfall_rate", 0.0, 2000.0),
    Quantity("duration", "s", "s", None, 0.0, 1.0e10),
    Quantity("speed", "km/h", "km/h", None, 0.0, 300.0),
    Quantity("power", "W", "W", None, 0.0, 1.0e12),
    Quantity("voltage", "V", "V", None, 0.0, 2.0e6),
    Quantity("luminous_flux", "lm", "lm", None, 0.0, 1.0e7),
    Quantity("ratio", "1", "–", None, 0.0, 1.0),
    Quantity("count", "{#}", "", None, 0.0, 1.0e12),
    Quantity("people", "{people}", "người", None, 0.0, 1.0e10),
    Quantity("year", "a", "", None, 1000.0, 2200.0),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}

_TO_SI: dict[str, tuple[str, float]] = {
    "m": ("m", 1.0), "mm": ("m", 1e-3), "cm": ("m", 1e-2), "dm": ("m", 0.1), "km": ("m", 1e3),
    "ft": ("m", 0.3048), "us-ft": ("m", 1200.0 / 3937.0), "in": ("m", 0.0254), "mi": ("m", 1609.344),
    "m2": ("m2", 1.0), "ha": ("m2", 1e4), "km2": ("m2", 1e6), "ft2": ("m2", 0.3048**2), "acre": ("m2", 4046.8564224),
    "m3": ("m3", 1.0), "l": ("m3", 1e-3), "ft3": ("m3", 0.3048**3), "gal": ("m3", 0.003785411784),
    "m/s": ("m/s", 1.0), "ft/s": ("m/s", 0.3048), "km/h": ("km/h", 1.0), "mph": ("km/h", 1.609344),
    "m3/s": ("m3/s", 1.0), "l/s": ("m3/s", 1e-3), "ft3/s": ("m3/s", 0.3048**3), "m3/d": ("m3/s", 1.0 / 86400.0),
    "W": ("W", 1.0), "kW": ("W", 1e3), "MW": ("W", 1e6), "HP": ("W", 745.6998715822702),
    "V": ("V", 1.0), "kV": ("V", 1e3), "s": ("s", 1.0), "min": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0),
    "1": ("1", 1.0), "%": ("1", 1e-2), "mm/h": ("mm/h", 1.0), "in/h": ("mm/h", 25.4), "lm": ("lm", 1.0),
}  # fmt: skip


def conversion_factor(unit: str, target: str) -> float:
    """Return what a value in ``unit`` is multiplied by to be in ``target``.

    Raises InputError for an unknown unit or two that do not measure the same thing. ``mm`` of rain stays
    ``mm``: equal units need no table.
    """
    if unit == target:
        return 1.0
    for name in (unit, target):
        if name not in _TO_SI:
            raise InputError(f"unit '{name}' is not known", hint=f"use one of {', '.join(sorted(_TO_SI))}")
    (base, factor), (target_base, target_factor) = _TO_SI[unit], _TO_SI[target]
    if base != target_base:
        raise InputError(f"unit '{unit}' cannot become '{target}': they measure different things")
    return factor / target_factor
