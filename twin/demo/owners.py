"""Made-up owners of the demo city's first parcels: names, numbers and addresses that cannot be anybody's."""

import csv
from pathlib import Path

from twin.demo.shapes import Table

OWNERS_FILE = "owners.csv"
COUNT = 400
_SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Võ", "Huỳnh", "Đặng", "Bùi", "Ngô", "Dương")
_MIDDLES = ("Văn", "Thị", "Hoàng", "Ngọc", "Minh", "Thanh")
_HEADER = (
    "parcel", "name", "kind", "identity", "phone", "address", "share", "right_basis", "since", "basis",
)  # fmt: skip


def write_owners(path: Path, parcels: Table) -> None:
    """Write who holds the first parcels: one person, a couple, a household or an organisation."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_HEADER)
        for number, parcel in enumerate(parcels.columns["id"].tolist()[:COUNT]):
            holders = _name_holders(number)
            for name, kind, who in holders:
                year, month = 1995 + number % 30, 1 + number % 12
                # No province has the code 000, and no number of a telephone begins with 0000.
                identity = "" if kind == "household" else f"0002{'0' if kind == 'person' else '1'}{who:07d}"
                address = f"Số {1 + number % 200} đường Mô Phỏng {1 + number // 200}"
                paper = f"Giấy chứng nhận mô phỏng {number:05d}"
                share, since = f"1/{len(holders)}", f"{year}-{month:02d}-15"
                told = (identity, f"0000 {who:06d}", address, share, paper, since, "public-task")
                rows.writerow((parcel, name, kind, *told))


def _name_holders(number: int) -> list[tuple[str, str, int]]:
    """Return names, kinds and numbers of who holds a parcel; some hold several parcels."""
    who = number % 330
    surname = _SURNAMES[who % len(_SURNAMES)]
    name = f"{surname} {_MIDDLES[who % len(_MIDDLES)]} Mẫu {who:03d}"
    if who % 11 == 0:
        return [(f"Công ty Mô Phỏng {who:03d}", "organisation", who)]
    if who % 7 == 0:
        return [(f"Hộ {surname} Mẫu {who:03d}", "household", who)]
    if who % 5 == 0:
        return [(name, "person", who), (f"{_SURNAMES[(who + 3) % 10]} Thị Thử {who:03d}", "person", 1000 + who)]
    return [(name, "person", who)]
