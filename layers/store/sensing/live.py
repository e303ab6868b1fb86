"""The live state of items for the map: which series says most of each, and the state as an expression in a query."""

from sqlalchemy import Connection, text

from layers.states import ALARM_WORDS, ALARMED, FAILED, GRADED, GRADES, MEASURED, ORDER, STEPS, UNKNOWN, WORST_GRADE

LIVE_COLUMNS = ("live_state", "live_value", "live_time")


def attach_live(connection: Connection) -> None:
    """Teach the database the order of properties, and choose the main series of every item by it."""
    ranks = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(ORDER))
    connection.execute(
        text(
            "create or replace function sensing.rank_property(name text) returns integer language sql immutable as "
            f"$$ select case name {ranks} else {len(ORDER)} end $$"
        )
    )
    connection.execute(
        text(
            "insert into sensing.main_series as m (layer, item, datastream, observed_property, thing_id) "
            "select distinct on (layer, item) layer, item, fid, observed_property, thing_id from ("
            "select watched_layer as layer, watched_id as item, fid, id, observed_property, thing_id "
            "from sensing.datastream where watched_id is not null union all "
            "select t.layer, t.feature, d.fid, d.id, d.observed_property, d.thing_id from sensing.datastream d "
            "join sensing.thing t on t.id = d.thing_id where t.feature is not null) s "
            "order by layer, item, sensing.rank_property(observed_property), id "
            "on conflict (layer, item) do update set datastream = excluded.datastream, "
            "observed_property = excluded.observed_property, thing_id = excluded.thing_id "
            "where m.datastream <> excluded.datastream"
        )
    )


def build_live_columns() -> str:
    """Return the columns ``LIVE_COLUMNS`` over main series ``m`` and their latest ``l``; the words are those of
    ``layers.states.find_word``.
    """
    cases = " ".join(
        f"when '{name}' then case "
        + " ".join(f"when l.result >= {step.start!r} then '{step.word}'" for step in reversed(steps))
        + " end"
        for name, steps in STEPS.items()
    )
    levels = " ".join(f"when l.result >= g.alarm_{number} then '{ALARM_WORDS[number]}'" for number in (3, 2, 1))
    alarmed = (
        f"coalesce((select case {levels} else '{ALARM_WORDS[0]}' end from sensing.thing t join city.sensors g "
        "on t.layer = 'sensors' and g.id = t.feature "
        f"where t.id = m.thing_id and coalesce(g.alarm_1, g.alarm_2, g.alarm_3) is not null), '{MEASURED}')"
    )
    shares = " ".join(f"when l.result > {share!r} * r.max_speed then '{word}'" for share, word in GRADES)
    graded = (
        f"coalesce((select case {shares} else '{WORST_GRADE}' end from sensing.datastream d join city.road_links r "
        "on d.watched_layer = 'road_links' and r.id = d.watched_id "
        f"where d.fid = m.datastream and r.max_speed > 0), '{MEASURED}')"
    )
    return (
        f"case when m.datastream is null then null when l.result is null or l.quality = {FAILED} then '{UNKNOWN}' "
        f"else case m.observed_property {cases} when '{ALARMED}' then {alarmed} "
        f"when '{GRADED}' then {graded} else '{MEASURED}' end end "
        "as live_state, l.result as live_value, extract(epoch from l.phenomenon_time)::bigint as live_time"
    )


def build_live_join(layer_id: str) -> str:
    """Return the join of a layer's items (``item``) to their main series and its latest reading."""
    return (
        f"left join sensing.main_series m on m.layer = '{layer_id}' and m.item = item.id "
        "left join sensing.latest l on l.datastream = m.datastream"
    )
