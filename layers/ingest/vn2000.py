"""VN-2000, the reference system of Viet Nam: its grids, whose they are, and how one is known without its EPSG code.

Decision 83/2000/QĐ-TTg made VN-2000 the national system; Circular 973/2001/TT-TCĐC sets its projections: UTM on the
WGS 84 ellipsoid, zones of 6° (k0 0.9996) for small scales and of 3° (k0 0.9999) for large ones, each province on a
central meridian of its own, as Circular 25/2014/TT-BTNMT repeats for cadastral maps. Decision 05/2007/QĐ-BTNMT gives
the seven parameters to WGS 84 (EPSG:6960, see ``layers/datum.py``). The provinces of each grid below are those the
EPSG registry names as its area of use.
"""

import math
import re
import unicodedata

from pyproj import CRS

from layers.datum import name_datum

# Central meridian [°] → EPSG code of the 3° grid.
GRIDS_3 = {
    102.0: 5896, 103.0: 9205, 104.0: 9206, 104.5: 9207, 104.75: 9208, 105.0: 5897, 105.5: 9209, 105.75: 9210,
    106.0: 9211, 106.25: 9212, 106.5: 9213, 107.0: 9214, 107.25: 9215, 107.5: 9216, 107.75: 5899, 108.0: 5898,
    108.25: 9217, 108.5: 9218,
}  # fmt: skip
# The 6° zones 48 and 49.
GRIDS_6 = {105.0: 3405, 111.0: 3406}
GRIDS = (*GRIDS_3.values(), *GRIDS_6.values())

# The 63 provinces of before 1 July 2025 → central meridian [°].
PROVINCES = {
    "Lai Châu": 103.0, "Điện Biên": 103.0,
    "Sơn La": 104.0,
    "Kiên Giang": 104.5, "Cà Mau": 104.5,
    "Lào Cai": 104.75, "Yên Bái": 104.75, "Nghệ An": 104.75, "Phú Thọ": 104.75, "An Giang": 104.75,
    "Hà Nội": 105.0, "Hà Nam": 105.0, "Ninh Bình": 105.0, "Thanh Hóa": 105.0, "Vĩnh Phúc": 105.0, "Đồng Tháp": 105.0,
    "Cần Thơ": 105.0, "Hậu Giang": 105.0, "Bạc Liêu": 105.0,
    "Hà Giang": 105.5, "Hải Dương": 105.5, "Hà Tĩnh": 105.5, "Bắc Ninh": 105.5, "Hưng Yên": 105.5, "Thái Bình": 105.5,
    "Nam Định": 105.5, "Tây Ninh": 105.5, "Vĩnh Long": 105.5, "Sóc Trăng": 105.5, "Trà Vinh": 105.5,
    "Cao Bằng": 105.75, "Hải Phòng": 105.75, "Long An": 105.75, "Tiền Giang": 105.75, "Bến Tre": 105.75,
    "Bình Dương": 105.75, "Hồ Chí Minh": 105.75,
    "Tuyên Quang": 106.0, "Hòa Bình": 106.0, "Quảng Bình": 106.0,
    "Quảng Trị": 106.25, "Bình Phước": 106.25,
    "Bắc Kạn": 106.5, "Thái Nguyên": 106.5,
    "Bắc Giang": 107.0, "Thừa Thiên Huế": 107.0,
    "Lạng Sơn": 107.25,
    "Kon Tum": 107.5,
    "Quảng Ninh": 107.75, "Đồng Nai": 107.75, "Bà Rịa - Vũng Tàu": 107.75, "Quảng Nam": 107.75, "Lâm Đồng": 107.75,
    "Đà Nẵng": 107.75,
    "Quảng Ngãi": 108.0,
    "Ninh Thuận": 108.25, "Khánh Hòa": 108.25, "Bình Định": 108.25,
    "Đắk Lắk": 108.5, "Đắk Nông": 108.5, "Phú Yên": 108.5, "Gia Lai": 108.5, "Bình Thuận": 108.5,
}  # fmt: skip

# The 34 of Resolution 202/2025/QH15 → the provinces they were made of, first the one whose name stayed. Which meridian
# each shall use is inferred from those here: data from before the merger stay on the grid of the old province.
MERGED = {
    "Tuyên Quang": ("Tuyên Quang", "Hà Giang"),
    "Lào Cai": ("Lào Cai", "Yên Bái"),
    "Thái Nguyên": ("Thái Nguyên", "Bắc Kạn"),
    "Phú Thọ": ("Phú Thọ", "Vĩnh Phúc", "Hòa Bình"),
    "Bắc Ninh": ("Bắc Ninh", "Bắc Giang"),
    "Hưng Yên": ("Hưng Yên", "Thái Bình"),
    "Hải Phòng": ("Hải Phòng", "Hải Dương"),
    "Ninh Bình": ("Ninh Bình", "Hà Nam", "Nam Định"),
    "Quảng Trị": ("Quảng Trị", "Quảng Bình"),
    "Đà Nẵng": ("Đà Nẵng", "Quảng Nam"),
    "Quảng Ngãi": ("Quảng Ngãi", "Kon Tum"),
    "Gia Lai": ("Gia Lai", "Bình Định"),
    "Khánh Hòa": ("Khánh Hòa", "Ninh Thuận"),
    "Lâm Đồng": ("Lâm Đồng", "Đắk Nông", "Bình Thuận"),
    "Đắk Lắk": ("Đắk Lắk", "Phú Yên"),
    "Hồ Chí Minh": ("Hồ Chí Minh", "Bình Dương", "Bà Rịa - Vũng Tàu"),
    "Đồng Nai": ("Đồng Nai", "Bình Phước"),
    "Tây Ninh": ("Tây Ninh", "Long An"),
    "Cần Thơ": ("Cần Thơ", "Hậu Giang", "Sóc Trăng"),
    "Vĩnh Long": ("Vĩnh Long", "Bến Tre", "Trà Vinh"),
    "Đồng Tháp": ("Đồng Tháp", "Tiền Giang"),
    "Cà Mau": ("Cà Mau", "Bạc Liêu"),
    "An Giang": ("An Giang", "Kiên Giang"),
    "Huế": ("Thừa Thiên Huế",),
    **{
        name: (name,)
        for name in (
            "Hà Nội", "Lai Châu", "Điện Biên", "Sơn La", "Lạng Sơn", "Quảng Ninh", "Thanh Hóa", "Nghệ An", "Hà Tĩnh",
            "Cao Bằng",
        )
    },
}  # fmt: skip

_K3, _K6, _FALSE_EASTING = 0.9999, 0.9996, 500_000.0
# The translations [m] of EPSG:6960 and EPSG:5194, as files write them in their own TOWGS84.
_TRANSLATIONS = ((-191.90441429, -39.30318279, -111.45032835), (-192.873, -39.382, -111.202))
_NAMELESS = re.compile("^(unknown|userdefined|customdatum|notspecified|localdatum|$)")


def list_grids(title: str) -> tuple[int, ...]:
    """Return the 3° grids (EPSG) of the province, old or new, that a city's title names; none where it names none."""
    words = _fold(title)
    found: list[float] = []
    for name in dict.fromkeys([*MERGED, *PROVINCES]):
        if re.search(rf"\b{_fold(name)}\b", words):
            found += [PROVINCES[old] for old in MERGED.get(name, (name,))]
    return tuple(dict.fromkeys(GRIDS_3[meridian] for meridian in found))


def _fold(words: str) -> str:
    """Return words in small letters without marks."""
    plain = unicodedata.normalize("NFD", words.lower().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def recognise(crs: CRS) -> int | None:
    """Return the EPSG code of the VN-2000 grid that ``crs`` is by its parameters, though it does not say the code.

    The projection must be exactly that of a grid, and its datum be called VN-2000, carry one of its published shifts to
    WGS 84, or have no name. A grid that says WGS 84 is not taken for VN-2000: the two lie 200 m apart.
    """
    plain = _strip_shift(crs)
    return match_grid(crs) if _is_datum(crs, plain) else None


def match_grid(crs: CRS) -> int | None:
    """Return the EPSG code of the VN-2000 grid that has exactly the projection of ``crs``, whatever its datum."""
    plain = _strip_shift(crs)
    operation, ellipsoid = plain.coordinate_operation, plain.ellipsoid
    if operation is None or ellipsoid is None or operation.method_name != "Transverse Mercator":
        return None
    if abs(ellipsoid.semi_major_metre - 6_378_137.0) > 0.01:
        return None
    latitude, meridian, scale, east, north = (float(one.value) * one.unit_conversion_factor for one in operation.params)
    meridian = round(math.degrees(meridian), 7)
    if abs(latitude) > 1e-12 or abs(east - _FALSE_EASTING) > 0.01 or abs(north) > 0.01:
        return None
    if any(axis.unit_conversion_factor != 1.0 for axis in plain.axis_info):
        return None
    if abs(scale - _K3) < 1e-9:
        return GRIDS_3.get(meridian)
    return GRIDS_6.get(meridian) if abs(scale - _K6) < 1e-9 else None


def _strip_shift(crs: CRS) -> CRS:
    return crs.source_crs if crs.is_bound and crs.source_crs is not None else crs


def _is_datum(crs: CRS, plain: CRS) -> bool:
    shift = crs.coordinate_operation.towgs84 if crs.is_bound and crs.coordinate_operation is not None else []
    if any(max(abs(a - b) for a, b in zip(shift, known, strict=False)) < 0.01 for known in _TRANSLATIONS if shift):
        return True
    geodetic = plain.geodetic_crs
    called = [name_datum(plain), *(_bare(one.name) for one in (plain, geodetic) if one is not None)]
    if any("vn2000" in one or "vietnam2000" in one for one in called):
        return not any(shift)
    return not crs.is_bound and bool(_NAMELESS.match(called[0]))


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
