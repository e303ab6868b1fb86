"""Where things stand: their Locations, the record of where they stood, and the feature their readings are of."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

_PLACED = """
select d.fid, 'at-' || p.id || '-' || left(md5(p.location::text), 8) as feature, p.name, p.description,
    p.encoding_type, p.location, p.geom
from sensing.datastream d cross join lateral (
    select l.* from sensing.thing_location t join sensing.location l on l.id = t.location_id
    where t.thing_id = d.thing_id order by l.geom is null, l.id limit 1
) p where d.fid = any(:fids) and d.feature_of_interest_id is null
"""


def place_thing(connection: Connection, thing_id: str, location_ids: Collection[str], *, remember: bool = True) -> None:
    """Let a thing stand at these Locations and no others; ``remember`` keeps it as a HistoricalLocation (8.2.3).

    What was read where it stood before stays a reading of that place. Nothing happens when it stands there already.
    """
    ids = sorted(set(location_ids))
    stands = connection.execute(
        text("select location_id from sensing.thing_location where thing_id = :id order by 1"), {"id": thing_id}
    ).scalars()
    if sorted(stands) == ids:
        return
    moved = settle_features(connection, [thing_id])
    connection.execute(text("delete from sensing.thing_location where thing_id = :id"), {"id": thing_id})
    connection.execute(
        text("insert into sensing.thing_location select :id, unnest(cast(:ids as text[]))"),
        {"id": thing_id, "ids": ids},
    )
    if remember and ids:
        connection.execute(
            text(
                "with past as (insert into sensing.historical_location (thing_id) values (:id) returning id) "
                "insert into sensing.historical_location_location select past.id, l from past, "
                "unnest(cast(:ids as text[])) l"
            ),
            {"id": thing_id, "ids": ids},
        )
    follow_locations(connection, [thing_id])
    ensure_features(connection, moved)


def follow_locations(connection: Connection, thing_ids: Collection[str]) -> None:
    """Let the geometry of things be that of their Locations, which maps and the newest readings show."""
    connection.execute(
        text(
            "update sensing.thing t set geom = (select l.geom from sensing.thing_location x "
            "join sensing.location l on l.id = x.location_id where x.thing_id = t.id "
            "order by l.geom is null, l.id limit 1) where t.id = any(:ids)"
        ),
        {"ids": list(thing_ids)},
    )


def follow_history(connection: Connection, historical_location_id: str) -> None:
    """Let a thing stand where its newest HistoricalLocation says, if this is the newest (manual creation, 10.2.2.3)."""
    newest = connection.execute(
        text(
            "select h.thing_id, array(select location_id from sensing.historical_location_location "
            "where historical_location_id = h.id) as locations from sensing.historical_location h where h.id = :id "
            "and not exists (select from sensing.historical_location o where o.thing_id = h.thing_id "
            "and o.id <> h.id and o.time > h.time)"
        ),
        {"id": historical_location_id},
    ).first()
    if newest is not None and newest.locations:
        place_thing(connection, newest.thing_id, newest.locations, remember=False)


def list_things_at(connection: Connection, location_id: str) -> list[str]:
    """Return the things that stand at a Location."""
    found = connection.execute(
        text("select thing_id from sensing.thing_location where location_id = :id order by 1"), {"id": location_id}
    )
    return list(found.scalars())


def ensure_features(connection: Connection, fids: Sequence[int]) -> None:
    """Give series (by number) without a feature of interest that of the place where their thing stands (10.2.1.2).

    One feature a place, whoever reads there; a thing that stands nowhere gives none.
    """
    if not fids:
        return
    connection.execute(
        text(
            f"with placed as ({_PLACED}), made as ("
            "insert into sensing.feature_of_interest (id, name, description, encoding_type, feature, geom) "
            "select distinct on (feature) feature, name, description, encoding_type, location, geom from placed "
            "on conflict (id) do nothing) "
            "update sensing.datastream d set feature_of_interest_id = p.feature from placed p where d.fid = p.fid"
        ),
        {"fids": list(fids)},
    )


def settle_features(connection: Connection, thing_ids: Collection[str]) -> list[int]:
    """Fix what the readings of things are of, before these move; return their series (numbers), then without a feature.

    A reading says of what it is only where that is not what its series says, so this writes to readings of the past.
    """
    fids = list_series(connection, thing_ids)
    read = list(
        connection.execute(
            text("select datastream from sensing.latest where datastream = any(:fids) order by 1"), {"fids": fids}
        ).scalars()
    )
    ensure_features(connection, read)
    if read:
        connection.execute(
            text(
                "update sensing.observation o set feature_of_interest_id = d.feature_of_interest_id "
                "from sensing.datastream d where d.fid = any(:fids) and o.datastream = d.fid "
                "and o.feature_of_interest_id is null and d.feature_of_interest_id is not null"
            ),
            {"fids": read},
        )
    connection.execute(
        text("update sensing.datastream set feature_of_interest_id = null where fid = any(:fids)"), {"fids": fids}
    )
    return fids


def list_series(connection: Connection, thing_ids: Collection[str]) -> list[int]:
    """Return the numbers of the series of things."""
    found = connection.execute(
        text("select fid from sensing.datastream where thing_id = any(:ids) order by 1"), {"ids": list(thing_ids)}
    )
    return list(found.scalars())
