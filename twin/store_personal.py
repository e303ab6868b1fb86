"""SQL of personal data. Who shows it works as ``twin_personal``, the only role that reads these tables."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, Row, text

from layers.access import WHOLE, asking_as
from twin.personal.key import PersonalKey
from twin.personal.owners import LandRight, NewOwner, StoredOwner, fold_name

# What the role of the routes may read.
_SHOWN = "o.id, o.name, o.kind, o.sealed_identity, o.sealed_phone, o.sealed_address, o.basis, o.keep_until"
_RIGHT = "r.parcel, r.share, r.basis as right_basis, r.since, r.until"


@contextmanager
def showing(engine: Engine) -> Iterator[Connection]:
    """Give a connection that reads personal data and writes the audit, and nothing else; committed at the end."""
    with asking_as(WHOLE), engine.begin() as connection:
        connection.execute(text("set local role twin_personal"))
        yield connection


def list_parcel_owners(connection: Connection, parcels: Sequence[str], on: date) -> dict[str, list[StoredOwner]]:
    """Return who holds each parcel on a day, the largest share first."""
    rows = connection.execute(
        text(
            f"select {_SHOWN}, {_RIGHT} from personal.land_right r join personal.owner o on o.id = r.owner "
            "where r.parcel = any(:parcels) and (r.since is null or r.since <= :day) "
            "and (r.until is null or r.until >= :day) order by r.parcel, r.share desc, o.name, o.id"
        ),
        {"parcels": list(parcels), "day": on},
    )
    found: dict[str, list[StoredOwner]] = {parcel: [] for parcel in parcels}
    for row in rows:
        found[row.parcel].append(_read_owner(row, [_read_right(row)]))
    return found


def search_owners(connection: Connection, name: str, *, limit: int) -> list[StoredOwner]:
    """Return those whose names hold all words of ``name``, with their rights."""
    words = fold_name(name).split()
    tests = " and ".join(f"o.folded like '%' || :w{n} || '%'" for n in range(len(words)))
    values = {f"w{n}": word.translate({ord(sign): f"\\{sign}" for sign in "\\%_"}) for n, word in enumerate(words)}
    rows = connection.execute(
        text(f"select {_SHOWN} from personal.owner o where {tests} order by o.name, o.id limit :limit"),
        {**values, "limit": limit},
    ).all()
    return _add_rights(connection, [_read_owner(row, []) for row in rows])


def find_owner(connection: Connection, *, id: uuid.UUID | None = None, mark: bytes | None = None) -> StoredOwner | None:
    """Return all that is known of one person, by id or by the mark of the identity number."""
    row = connection.execute(
        text(
            f"select {_SHOWN}, o.consented, o.source from personal.owner o "
            "where o.id = cast(:id as uuid) or o.mark = cast(:mark as bytea)"
        ),
        {"id": id, "mark": mark},
    ).first()
    if row is None:
        return None
    return _add_rights(connection, [_read_owner(row, [], consented=row.consented, source=row.source)])[0]


def list_owners(connection: Connection) -> list[StoredOwner]:
    """Return everybody, without rights, locked until the end of the transaction."""
    rows = connection.execute(text(f"select {_SHOWN} from personal.owner o order by o.id for update"))
    return [_read_owner(row, []) for row in rows]


def replace_sealed(connection: Connection, owner: uuid.UUID, mark: bytes, sealed: Mapping[str, bytes | None]) -> None:
    """Put what is sealed with another key, and its mark, in the place of what was."""
    connection.execute(
        text(
            "update personal.owner set mark = :mark, sealed_identity = :identity, sealed_phone = :phone, "
            "sealed_address = :address where id = :owner"
        ),
        {"owner": owner, "mark": mark, **sealed},
    )


def _add_rights(connection: Connection, owners: list[StoredOwner]) -> list[StoredOwner]:
    rows = connection.execute(
        text(
            f"select r.owner, {_RIGHT} from personal.land_right r where r.owner = any(:ids) order by r.parcel, r.since"
        ),
        {"ids": [one.id for one in owners]},
    )
    known = {one.id: one for one in owners}
    for row in rows:
        known[row.owner].rights.append(_read_right(row))
    return owners


def _read_owner(
    row: Row[tuple[object, ...]],
    rights: list[LandRight],
    *,
    consented: date | None = None,
    source: str | None = None,
) -> StoredOwner:
    sealed = {
        name: None if value is None else bytes(value)
        for name, value in (
            ("identity", row.sealed_identity),
            ("phone", row.sealed_phone),
            ("address", row.sealed_address),
        )
    }
    return StoredOwner(row.id, row.name, row.kind, sealed, row.basis, consented, row.keep_until, source, rights)


def _read_right(row: Row[tuple[object, ...]]) -> LandRight:
    return LandRight(row.parcel, float(row.share), row.right_basis, row.since, row.until)


def list_known_parcels(connection: Connection, parcels: Sequence[str]) -> set[str]:
    """Return which of ``parcels`` there are for who asks, in the own wards if there are any."""
    rows = connection.execute(
        text(
            "select id from city.parcels where id = any(:parcels) "
            "and (meta.is_unbound() or ST_Intersects(geom, (select meta.own_area())))"
        ),
        {"parcels": list(parcels)},
    )
    return set(rows.scalars())


def find_parcels(connection: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the id of the parcel of each map sheet and number; those that name several parcels are left out."""
    rows = connection.execute(
        text(
            "select p.map_sheet, p.parcel_number, min(p.id) as id from city.parcels p "
            "join unnest(cast(:sheets as text[]), cast(:numbers as text[])) as a (sheet, number) "
            "on a.sheet = p.map_sheet and a.number = p.parcel_number "
            "group by p.map_sheet, p.parcel_number having count(distinct p.id) = 1"
        ),
        {"sheets": [sheet for sheet, _ in pairs], "numbers": [number for _, number in pairs]},
    )
    return {(row.map_sheet, row.parcel_number): row.id for row in rows}


def put_owner(connection: Connection, owner: NewOwner, key: PersonalKey, source: str) -> bool:
    """Write somebody and the rights; who is there already by the mark is brought up to date. Say whether one is new."""
    mark = owner.mark(key)
    found = connection.execute(text("select id from personal.owner where mark = :mark"), {"mark": mark}).scalar()
    id = found or uuid.uuid4()
    values = {
        "id": id,
        "mark": mark,
        "name": owner.name,
        "folded": fold_name(owner.name),
        "kind": owner.kind,
        "identity": key.seal(id, "identity", owner.identity),
        "phone": key.seal(id, "phone", owner.phone),
        "address": key.seal(id, "address", owner.address),
        "basis": owner.basis,
        "consented": owner.consented,
        "keep_until": owner.keep_until,
        "source": source,
    }
    connection.execute(
        text(
            "insert into personal.owner (id, mark, name, folded, kind, sealed_identity, sealed_phone, sealed_address, "
            "basis, consented, keep_until, source) values (:id, :mark, :name, :folded, :kind, :identity, :phone, "
            ":address, :basis, :consented, :keep_until, :source) on conflict (mark) do update set "
            "name = excluded.name, folded = excluded.folded, kind = excluded.kind, "
            "sealed_identity = excluded.sealed_identity, sealed_phone = coalesce(excluded.sealed_phone, "
            "owner.sealed_phone), sealed_address = coalesce(excluded.sealed_address, owner.sealed_address), "
            "basis = excluded.basis, consented = excluded.consented, keep_until = excluded.keep_until, "
            "source = excluded.source, loaded = now()"
        ),
        values,
    )
    for right in owner.rights:
        connection.execute(
            text(
                "insert into personal.land_right (owner, parcel, share, basis, since, until) "
                "values (:owner, :parcel, :share, :basis, :since, :until) "
                "on conflict (owner, parcel, coalesce(since, '-infinity')) do update set share = excluded.share, "
                "basis = excluded.basis, until = excluded.until"
            ),
            {
                "owner": id,
                "parcel": right.parcel,
                "share": right.share,
                "basis": right.basis,
                "since": right.since,
                "until": right.until,
            },
        )
    return found is None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken: its number in the file, the field and why; never what it says."""

    row: int
    field: str
    reason: str


def replace_rejected(connection: Connection, source: str, rejected: Sequence[RejectedRow]) -> None:
    """Keep which rows of a source were not taken, in place of those of the last time."""
    connection.execute(text("delete from personal.rejected where source = :source"), {"source": source})
    if rejected:
        connection.execute(
            text("insert into personal.rejected (source, row, field, reason) values (:source, :row, :field, :reason)"),
            [{"source": source, "row": one.row, "field": one.field, "reason": one.reason} for one in rejected],
        )


def list_rejected(connection: Connection, source: str | None) -> list[tuple[str, RejectedRow]]:
    """Return the rows that were not taken, by source."""
    rows = connection.execute(
        text(
            "select source, row, field, reason from personal.rejected "
            "where cast(:source as text) is null or source = :source order by source, row, field"
        ),
        {"source": source},
    )
    return [(one[0], RejectedRow(one[1], one[2], one[3])) for one in rows]


def delete_owner(connection: Connection, owner: uuid.UUID, reason: str, backups_until: date | None) -> int:
    """Erase somebody with all rights and note that it was done; return how many rights they had."""
    rights = int(
        connection.execute(
            text("select count(*) from personal.land_right where owner = :owner"), {"owner": owner}
        ).scalar_one()
    )
    connection.execute(text("delete from personal.owner where id = :owner"), {"owner": owner})
    connection.execute(
        text(
            "insert into personal.erasure (owner, reason, rights, backups_until) "
            "values (:owner, :reason, :rights, :until) on conflict (owner) do nothing"
        ),
        {"owner": owner, "reason": reason, "rights": rights, "until": backups_until},
    )
    return rights


def list_expired(connection: Connection, today: date) -> list[uuid.UUID]:
    """Return who was kept long enough: the date is over, and every right that is left has ended."""
    rows = connection.execute(
        text(
            "select o.id from personal.owner o where o.keep_until < :today and not exists "
            "(select from personal.land_right r where r.owner = o.id and (r.until is null or r.until >= :today)) "
            "order by o.keep_until, o.id"
        ),
        {"today": today},
    )
    return list(rows.scalars())


def list_overdue_erasures(connection: Connection, today: date) -> list[datetime]:
    """Return when those were erased whose data should be gone from every backup by now."""
    rows = connection.execute(
        text("select at from personal.erasure where backups_until < :today order by at"), {"today": today}
    )
    return list(rows.scalars())


def count_owners(connection: Connection) -> tuple[int, int]:
    """Return how many owners and rights there are."""
    row = connection.execute(
        text("select (select count(*) from personal.owner), (select count(*) from personal.land_right)")
    ).one()
    return row[0], row[1]
