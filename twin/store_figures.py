"""SQL of the figures of the city and its database: one statement a group, small and bounded in its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that one statement gives: metric → what it is; columns are ``labels`` and the metrics without prefix."""

    id: str
    figures: Mapping[str, str]
    sql: str
    labels: tuple[str, ...] = ()


GROUPS = (
    Group(
        "queue",
        {"queue_jobs": "Jobs in the queue, and those that failed"},
        "select task_name as task, status::text as status, count(*) as queue_jobs from queue.procrastinate_jobs "
        "where status in ('todo', 'doing', 'failed') group by 1, 2 order by 3 desc limit 60",
        ("task", "status"),
    ),
    Group(
        "backlog",
        {"queue_oldest_age_seconds": "How long the oldest job waits [s]"},
        "select coalesce(extract(epoch from clock_timestamp() - min(e.at)), 0) as queue_oldest_age_seconds "
        "from queue.procrastinate_jobs j join queue.procrastinate_events e on e.job_id = j.id "
        "where j.status = 'todo' and e.type = 'deferred' and (j.scheduled_at is null or j.scheduled_at <= now())",
    ),
    Group(
        "runs",
        {"runs_last_day": "Runs of the last day by how they stand"},
        "select process, status, count(*) as runs_last_day from run.run "
        "where coalesce(finished, created) > now() - interval '1 day' group by 1, 2 order by 3 desc limit 200",
        ("process", "status"),
    ),
    Group(
        "newest_runs",
        {
            "run_duration_seconds": "Time the newest successful run of a process took [s]",
            "run_mass_balance_error_ratio": "Error of its account of water, as a share",
        },
        "select process, run_duration_seconds, run_mass_balance_error_ratio from (select distinct on (process) "
        "process, extract(epoch from finished - started) as run_duration_seconds, "
        "abs((balance ->> 'relative_error')::float) as run_mass_balance_error_ratio from run.run "
        "where status = 'successful' order by process, created desc) newest limit 100",
        ("process",),
    ),
    Group(
        "series",
        {"series": "Series of readings by kind of sensor", "series_fresh": "Those with a reading within three periods"},
        "select coalesce(t.kind, 'other') as kind, count(*) as series, count(*) filter (where l.phenomenon_time >= "
        "now() - make_interval(secs => coalesce(3 * d.interval_s, 3600))) as series_fresh "
        "from sensing.datastream d join sensing.thing t on t.id = d.thing_id "
        "left join sensing.latest l on l.datastream = d.fid group by 1 order by 2 desc limit 50",
        ("kind",),
    ),
    Group(
        "fresh",
        {"series_fresh_ratio": "Share of all series with a reading within three periods"},
        "select (count(*) filter (where l.phenomenon_time >= now() - make_interval(secs => "
        "coalesce(3 * d.interval_s, 3600))))::float / nullif(count(*), 0) as series_fresh_ratio "
        "from sensing.datastream d left join sensing.latest l on l.datastream = d.fid",
    ),
    Group(
        "telemetry",
        {"telemetry_readings_recent": "Readings of this hour and the last, by what became of them"},
        "select fate.name as fate, fate.number as telemetry_readings_recent from (select "
        "coalesce(sum(received), 0) as received, coalesce(sum(stored), 0) as stored, "
        "coalesce(sum(repeated), 0) as repeated, coalesce(sum(corrected), 0) as corrected, "
        "coalesce(sum(rejected), 0) as rejected from sensing.ledger "
        "where hour >= date_trunc('hour', now()) - interval '1 hour') l, lateral (values ('received', received), "
        "('stored', stored), ('repeated', repeated), ('corrected', corrected), ('rejected', rejected)) "
        "fate (name, number)",
        ("fate",),
    ),
    Group(
        "lag",
        {
            "telemetry_lag_median_seconds": "From reading to store, of series heard within ten minutes: the median [s]",
            "telemetry_lag_max_seconds": "The longest [s]",
        },
        "select percentile_cont(0.5) within group (order by lag) as telemetry_lag_median_seconds, "
        "max(lag) as telemetry_lag_max_seconds from (select greatest(extract(epoch from stored - phenomenon_time), 0) "
        "as lag from sensing.latest where stored > now() - interval '10 minutes') heard",
    ),
    Group(
        "rejected",
        {"telemetry_rejected_messages": "Rejected messages nobody has settled"},
        "select count(*) as telemetry_rejected_messages from sensing.rejected where settled is null",
    ),
    Group(
        "forecast",
        {"forecast_age_seconds": "How old the newest forecast is [s]"},
        "select extract(epoch from clock_timestamp() - max(issue_time)) as forecast_age_seconds from forecast.issue",
    ),
    Group(
        "loop",
        {
            "forecast_loop_interval_seconds": "How often the flood loop turns [s]",
            "forecast_loop_age_seconds": "Since it last ended a run or found nothing new [s]",
            "forecast_loop_late_seconds": "For how long it has been late [s], 0: it is not",
        },
        "select max(interval_s) as forecast_loop_interval_seconds, extract(epoch from clock_timestamp() - max(greatest("
        "last_finished, case when skipped_why = 'unchanged' then skipped end))) as forecast_loop_age_seconds, "
        "coalesce(extract(epoch from clock_timestamp() - min(late_since)), 0) as forecast_loop_late_seconds "
        "from forecast.loop having count(*) > 0",
    ),
    Group(
        "turns",
        {"forecast_loop_runs_last_day": "Runs the loop began within a day, by how they stand"},
        "select r.status, count(*) as forecast_loop_runs_last_day from forecast.loop_run l "
        "join run.run r on r.id = l.run_id where l.started > now() - interval '1 day' group by 1",
        ("status",),
    ),
    Group(
        "skill",
        {"forecast_rmse_metres": "Error of the stage forecasts on what was left out of the fit, mean of gauges [m]"},
        "select s.key as lead, avg((s.value ->> 'rmse')::float) as forecast_rmse_metres from (select distinct on "
        "(datastream) skill from forecast.issue where issue_time > now() - interval '2 days' "
        "order by datastream, issue_time desc) i, jsonb_each(i.skill) s where s.value ? 'rmse' group by 1 limit 20",
        ("lead",),
    ),
    Group(
        "alarms",
        {"alarms_standing": "Standing alarms by priority", "alarms_unacknowledged": "Those nobody has acknowledged"},
        "select p.priority, count(a.id) as alarms_standing, "
        "count(a.id) filter (where a.state in ('UNACK', 'RTN-UNACK')) as alarms_unacknowledged "
        "from unnest(array['critical', 'high', 'medium', 'low']) p (priority) left join alarm.alarm a "
        "on a.priority = p.priority and a.retired is null and a.state in ('UNACK', 'ACK', 'RTN-UNACK') group by 1",
        ("priority",),
    ),
    Group(
        "warnings",
        {"warnings_in_force": "Warnings in force by status"},
        "select s.status, count(c.id) as warnings_in_force from unnest(array['Actual', 'Exercise', 'Test']) s (status) "
        "left join warning.chain c on c.status = s.status and c.closed is null and c.expires > now() group by 1",
        ("status",),
    ),
    Group(
        "drafts",
        {"warning_drafts_open": "Proposed warnings nobody has decided on"},
        "select count(*) as warning_drafts_open from warning.draft where state = 'open'",
    ),
    Group(
        "deliveries",
        {"deliveries_last_day": "Notices of the last day by what became of them"},
        "select s.state, count(d.id) as deliveries_last_day from unnest(array['waiting', 'sent', 'dead', 'expired']) "
        "s (state) left join (select d.id, d.state from warning.delivery d join warning.outbox o on o.id = d.outbox "
        "where o.created > now() - interval '1 day' or d.state = 'waiting') d on d.state = s.state group by 1",
        ("state",),
    ),
    Group(
        "delivery",
        {
            "delivery_oldest_waiting_age_seconds": "How long the oldest notice waits [s]",
            "deliveries_on_time_ratio": "Share of the notices of the last hour that were sent within a minute",
            "outbox_unspread": "What nobody has looked up recipients for",
        },
        "select coalesce((select extract(epoch from clock_timestamp() - min(o.created)) from warning.delivery d "
        "join warning.outbox o on o.id = d.outbox where d.state = 'waiting'), 0) "
        "as delivery_oldest_waiting_age_seconds, (select (count(*) filter (where d.state = 'sent' "
        "and d.settled <= o.created + interval '1 minute'))::float / nullif(count(*), 0) from warning.delivery d "
        "join warning.outbox o on o.id = d.outbox where o.created > now() - interval '1 hour' "
        "and (d.state in ('sent', 'dead') or (d.state = 'waiting' and o.created < now() - interval '1 minute'))) "
        "as deliveries_on_time_ratio, (select count(*) from warning.outbox where spread is null) as outbox_unspread",
    ),
    Group(
        "audit",
        {
            "audit_sealed_entries": "Entries of the audit that are sealed",
            "audit_unsealed_entries": "Entries that wait for their seal",
            "audit_unsealed_age_seconds": "How long the oldest of them waits [s]",
            "audit_unshipped_entries": "Sealed entries the slowest collector has not got yet",
        },
        "select s.sealed as audit_sealed_entries, w.waiting as audit_unsealed_entries, "
        "w.age as audit_unsealed_age_seconds, (select s.sealed - min(position) from audit.shipped) "
        "as audit_unshipped_entries from (select coalesce(max(position), 0) as sealed from audit.seal) s, "
        "(select count(*) as waiting, coalesce(extract(epoch from clock_timestamp() - min(at)), 0) as age "
        "from audit.waiting) w",
    ),
    Group(
        "sign_ins",
        {"sign_ins_last_hour": "Attempts to sign in within an hour, by what came of them"},
        "select o.outcome, count(e.number) as sign_ins_last_hour from unnest(array['done', 'refused', 'failed']) "
        "o (outcome) left join audit.entry e on e.outcome = o.outcome and e.action = 'sign-in' "
        "and e.at > now() - interval '1 hour' group by 1",
        ("outcome",),
    ),
    Group(
        "database",
        {
            "database_size_bytes": "Size of the database [B]",
            "database_connections_limit": "How many connections the server takes",
            "database_oldest_transaction_age_seconds": "How long the oldest transaction has been open [s]",
            "database_deadlocks": "Deadlocks since the statistics began",
        },
        "select pg_database_size(current_database()) as database_size_bytes, "
        "current_setting('max_connections')::int as database_connections_limit, "
        "coalesce((select extract(epoch from clock_timestamp() - min(xact_start)) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()), 0) "
        "as database_oldest_transaction_age_seconds, "
        "(select deadlocks from pg_stat_database where datname = current_database()) as database_deadlocks",
    ),
    Group(
        "connections",
        {"database_connections": "Connections to the server by state"},
        "select coalesce(state, 'other') as state, count(*) as database_connections from pg_stat_activity "
        "where backend_type = 'client backend' group by 1",
        ("state",),
    ),
    Group(
        "replicas",
        {"replication_lag_seconds": "How far a replica is behind [s]"},
        "select coalesce(nullif(application_name, ''), 'replica') as replica, "
        "max(coalesce(extract(epoch from replay_lag), 0)) as replication_lag_seconds from pg_stat_replication "
        "group by 1 limit 20",
        ("replica",),
    ),
    Group(
        "archive",
        {
            "wal_archive_age_seconds": "Since a piece of the log was last archived [s]",
            "wal_archive_failing": "Whether the last try to archive failed",
        },
        "select extract(epoch from clock_timestamp() - last_archived_time) as wal_archive_age_seconds, "
        "(last_failed_time is not null and last_failed_time > coalesce(last_archived_time, '-infinity'))::int "
        "as wal_archive_failing from pg_stat_archiver where current_setting('archive_mode') <> 'off'",
    ),
)


def select_group(connection: Connection, group: Group) -> list[Mapping[str, Any]]:
    """Return the rows of a group: its labels and its figures by name."""
    return [dict(row) for row in connection.execute(text(group.sql)).mappings()]
