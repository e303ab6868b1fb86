"""Owners from files, requests of people, retention: in a real PostGIS."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.errors import ConflictError, MappingError, NotFoundError, SetupError
from layers.ingest.catalog import Source
from layers.registry import VECTOR_LAYERS
from layers.store.attachments import name_file
from layers.store.features import upsert_features
from layers.store.sources import register_source
from twin.audit.sealing import seal_waiting
from twin.audit.shipping import ship
from twin.demo.owners import write_owners
from twin.demo.shapes import Table, as_text
from twin.personal.key import PersonalKey, make_key, read_key
from twin.personal.loading import load_owners
from twin.personal.reading import read_owner_mapping
from twin.personal.rekeying import rekey
from twin.personal.requests import erase_again, erase_person, expire, export_person, list_late_backups
from twin.personal.staff import anonymise, erase_file
from twin.settings import Settings
from twin.store_audit import EntryQuery, list_entries
from twin.store_names import KEPT, NAMED
from twin.store_personal import count_owners, list_overdue_erasures, list_rejected

TODAY = date(2026, 11, 29)
LINES = """Mã thửa,Tên chủ,Loại,CCCD,SĐT,Địa chỉ,Tỷ lệ,Từ ngày
PC1,Nguyễn Thị Kín,Cá nhân,092099000123,0909123456,1 đường Giấu,1/2,15/03/2010
PC2,Nguyễn Thị Kín,Cá nhân,092 099 000 123,0909123456,1 đường Giấu,100%,2012-01-01
PC1,Lê Văn Giấu,Cá nhân,092099000456,,,"0,5",
PC9,Phạm Lạc,Cá nhân,,,,,
PC1,,Cá nhân,,,,,
PC1,Võ Sai,Cá nhân,12345,,,,
PC1,Trần Sai,người lạ,,,,,
PC1,Bùi Sai,,,,,3/2,
PC1,Ngô Sai,,,,,,hôm qua
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PersonalKey:
    """A key."""
    settings = Settings(personal_key_file=tmp_path_factory.mktemp("key") / "personal.key")
    make_key(settings)
    return read_key(settings)


@pytest.fixture
def parcels(engine: Engine) -> Iterator[Engine]:
    """The module's database with two parcels and nobody."""
    boxes = [
        shapely.MultiPolygon([shapely.box(580_000 + 40 * k, 1_108_000, 580_030 + 40 * k, 1_108_030)]) for k in (1, 2)
    ]
    frame = gpd.GeoDataFrame(
        {"id": ["PC1", "PC2"], "map_sheet": ["7", "7"], "parcel_number": ["1", "2"]}, geometry=boxes, crs="EPSG:5897"
    )
    source = Source(
        id="parcels", uri="x.gpkg", layer="parcels", title={"vi": "T", "en": "P"}, licence="CC0-1.0",
        attribution="nobody", synthetic=True,
    )  # fmt: skip
    with engine.begin() as connection:
        register_source(connection, source, uri="x.gpkg", fingerprint="f")
        upsert_features(connection, VECTOR_LAYERS["parcels"], frame, source_id=source.id)
        connection.execute(text("truncate personal.owner, personal.land_right, personal.rejected, personal.erasure"))
    yield engine


def load(engine: Engine, key: PersonalKey, folder: Path, lines: str = LINES) -> Path:
    path = folder / "chủ.csv"
    path.write_text(lines, encoding="utf-8")
    load_owners(engine, key, path, None, source="chủ.csv")
    return path


def test_a_file_is_loaded_and_its_bad_rows_are_named_without_what_they_say(
    parcels: Engine, key: PersonalKey, tmp_path: Path
) -> None:
    load(parcels, key, tmp_path)
    with parcels.connect() as connection:
        assert count_owners(connection) == (2, 3)
        rejected = [(one.row, one.field) for _, one in list_rejected(connection, "chủ.csv")]
        assert rejected == [
            (4, "parcel"), (5, "name"), (6, "identity"), (7, "kind"), (8, "share"), (9, "since"),
        ]  # fmt: skip
        kept = json.dumps([one.reason for _, one in list_rejected(connection, None)], ensure_ascii=False)
        entry = list_entries(connection, EntryQuery(action="personal-load"), limit=1)[0]
        public = str(connection.execute(text("select * from meta.quarantine")).all())
    assert entry.detail == {"rows": 9, "rejected": 6, "new": 2, "known": 0}
    for words in ("12345", "người lạ", "3/2", "hôm qua", "Sai", "Lạc"):
        assert words not in kept + str(entry.as_dict()) + public


def test_a_file_loaded_again_changes_nothing_but_what_changed(
    parcels: Engine, key: PersonalKey, tmp_path: Path
) -> None:
    load(parcels, key, tmp_path)
    load(parcels, key, tmp_path, LINES.replace("0909123456", "0911222333"))
    with parcels.connect() as connection:
        assert count_owners(connection) == (2, 3)
        found = export_person(connection, key, "092099000123")
    assert found["phone"] == "0911222333"
    assert [right["parcel"] for right in found["rights"]] == ["PC1", "PC2"]
    assert found["rights"][0]["since"] == "2010-03-15"


def test_a_sheet_with_a_mapping_names_parcels_by_their_numbers(
    parcels: Engine, key: PersonalKey, tmp_path: Path
) -> None:
    path, mapping = tmp_path / "owners.xlsx", tmp_path / "owners.yml"
    sheet = pd.DataFrame({"A": ["Đỗ Thử"], "B": [7], "C": [2], "D": ["079099000789"]})
    pyogrio.write_dataframe(sheet, path, driver="XLSX")
    mapping.write_text(
        "columns: {name: A, map_sheet: B, parcel_number: C, identity: D}\n"
        "basis: consent\nconsented: 2026-01-02\nkeep_until: 2036-01-01\n"
    )
    load_owners(parcels, key, path, mapping, source="sheet")
    with parcels.connect() as connection:
        found = export_person(connection, key, "079099000789")
    assert (found["basis"], found["consented"], found["keep_until"]) == ("consent", "2026-01-02", "2036-01-01")
    assert [right["parcel"] for right in found["rights"]] == ["PC2"]
    mapping.write_text("columns: {nom: A}\n")
    with pytest.raises(MappingError, match="'nom'"):
        read_owner_mapping(mapping)


def test_who_is_erased_is_gone_everywhere_and_again_after_a_restore(
    parcels: Engine, key: PersonalKey, tmp_path: Path
) -> None:
    load(parcels, key, tmp_path)
    with parcels.begin() as connection:
        before = connection.execute(text("select id from personal.owner where name like '%Kín'")).scalar_one()
        row = connection.execute(text("select * from personal.owner where id = :id"), {"id": before}).one()
        kept = row._asdict()
        done = erase_person(connection, key, "092 099 000 123", "request", today=TODAY, backup_days=35)
    assert (done.owner, done.rights, done.backups_until) == (before, 2, date(2027, 1, 3))
    with parcels.connect() as connection:
        assert count_owners(connection) == (1, 1)
        with pytest.raises(NotFoundError) as error:
            export_person(connection, key, "092099000123")
        assert "092099000123" not in str(error.value)
        entry = list_entries(connection, EntryQuery(action="personal-erase"), limit=1)[0]
    assert entry.object == f"owner:{before}"
    assert entry.detail == {"reason": "request", "rights": 2, "backups_until": "2027-01-03"}
    copy = tmp_path / "audit.jsonl"
    seal_waiting(parcels)
    ship(parcels, Settings(audit_ship=str(copy)))
    assert "Kín" not in copy.read_text()
    # A backup from before comes back.
    with parcels.begin() as connection:
        columns = ", ".join(kept)
        values = ", ".join(f":{name}" for name in kept)
        connection.execute(text(f"insert into personal.owner ({columns}) values ({values})"), kept)
        again = erase_again(connection, copy, today=TODAY, backup_days=35)
        assert [one.owner for one in again] == [before]
        assert count_owners(connection) == (1, 1)


def test_who_was_kept_long_enough_goes_unless_a_right_goes_on(
    parcels: Engine, key: PersonalKey, tmp_path: Path
) -> None:
    head = "parcel,name,identity,until,keep_until\n"
    rows = (
        "PC1,Một Hết,092099000001,2015-01-01,2025-01-01\n"
        "PC1,Hai Còn,092099000002,,2025-01-01\n"
        "PC1,Ba Còn,092099000003,2015-01-01,2030-01-01\n"
    )
    load(parcels, key, tmp_path, head + rows)
    with parcels.begin() as connection:
        assert len(expire(connection, today=TODAY, backup_days=10)) == 1
        names = connection.execute(text("select name from personal.owner order by name")).scalars()
        assert list(names) == ["Ba Còn", "Hai Còn"]
        assert list_overdue_erasures(connection, TODAY) == []
        overdue = list_overdue_erasures(connection, date(2026, 12, 31))
    assert len(overdue) == 1
    moments = {"old": datetime(2020, 1, 1, tzinfo=UTC), "new": datetime(2100, 1, 1, tzinfo=UTC)}
    assert list_late_backups(overdue, moments) == ["old"]


def test_another_key_seals_everything_anew(parcels: Engine, key: PersonalKey, tmp_path: Path) -> None:
    load(parcels, key, tmp_path)
    new = PersonalKey.of(bytes(range(32)))
    with parcels.begin() as connection:
        before = export_person(connection, key, "092099000123")
        assert rekey(connection, key, new) == 2
        assert export_person(connection, new, "092099000123") == before
        with pytest.raises(NotFoundError):
            export_person(connection, key, "092099000123")
    with pytest.raises(SetupError, match="another key"), parcels.begin() as connection:
        rekey(connection, key, new)
    load(parcels, new, tmp_path)
    with parcels.connect() as connection:
        assert count_owners(connection) == (2, 3)


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(personal_key_file=tmp_path / "deep" / "personal.key")
    with pytest.raises(SetupError, match="no key"):
        read_key(settings)
    path = make_key(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError):
        make_key(settings)
    path.chmod(0o644)
    with pytest.raises(SetupError, match="others may read"):
        read_key(settings)
    path.chmod(0o600)
    path.write_text("no key\n")
    with pytest.raises(SetupError, match="holds no key"):
        read_key(settings)


def test_the_demo_city_has_made_up_owners(parcels: Engine, key: PersonalKey, tmp_path: Path) -> None:
    points = shapely.points([[0.0, 0.0]] * 30)
    table = Table(points, {"id": as_text([f"PC{n + 1}" for n in range(30)])})
    write_owners(tmp_path / "owners.csv", table)
    first = (tmp_path / "owners.csv").read_bytes()
    write_owners(tmp_path / "owners.csv", table)
    assert (tmp_path / "owners.csv").read_bytes() == first
    loaded = load_owners(parcels, key, tmp_path / "owners.csv", None, source="demo")
    assert {one.field for one in loaded.rejected} == {"parcel"}
    assert loaded.new >= 2


def test_every_column_that_names_staff_is_known(engine: Engine) -> None:
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select table_schema || '.' || table_name, column_name from information_schema.columns "
                "where table_schema not in ('audit', 'personal', 'identity', 'history', 'city', 'information_schema') "
                "and (column_name in ('author', 'assignee', 'inspector') or column_name like '%\\_by') "
                "and data_type = 'text'"
            )
        ).all()
    assert {tuple(row) for row in found} == {*NAMED, *KEPT}


def test_who_left_is_named_no_longer(engine: Engine) -> None:
    with engine.begin() as connection:
        for author in ("Trần Đã Đi", "Trần Đã Đi", "Lê Còn Đây"):
            connection.execute(
                text(
                    "insert into inventory.work_order (title, kind, assignee, origin) "
                    "values ('x', 'repair', :author, 'plan')"
                ),
                {"author": author},
            )
        by, done = anonymise(connection, "Trần Đã Đi", "request")
        names = connection.execute(text("select assignee from inventory.work_order order by id")).scalars()
        assert list(names) == [by, by, "Lê Còn Đây"]
        assert done == {"inventory.work_order": 2}
        entry = list_entries(connection, EntryQuery(action="personal-anonymise"), limit=1)[0]
        assert "Trần" not in str(entry.as_dict())
        with pytest.raises(NotFoundError):
            anonymise(connection, "Trần Đã Đi", "request")


def test_a_photograph_goes_for_good_unless_another_record_has_it(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / name_file("ab" * 32, "image/png")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"somebody")
    with engine.begin() as connection:
        ids = [
            connection.execute(
                text(
                    "insert into inventory.attachment (layer, feature, sha256, media_type, filename, bytes, author) "
                    "values ('trees', 't', :sha, 'image/png', 'ann.png', 8, 'Ann') returning id"
                ),
                {"sha": "ab" * 32},
            ).scalar_one()
            for _ in range(2)
        ]
        erase_file(connection, tmp_path, ids[0], "request")
        assert path.exists()
        erase_file(connection, tmp_path, ids[1], "request")
        assert not path.exists()
        with pytest.raises(NotFoundError):
            erase_file(connection, tmp_path, ids[1], "request")
