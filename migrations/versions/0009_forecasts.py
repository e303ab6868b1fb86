"""Forecasts as they were issued, and the loop that makes floods of them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = """
create schema forecast;

-- One forecast of one series. What was issued stays: the same series and issue time is never written again.
create table forecast.issue (
    id bigint generated always as identity primary key,
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    issue_time timestamptz not null,
    origin timestamptz not null,
    model text not null,
    parameters jsonb not null default '{}',
    skill jsonb not null default '{}',
    created timestamptz not null default clock_timestamp(),
    unique (datastream, issue_time)
);
create index issue_newest on forecast.issue (issue_time desc);

-- Quantiles in the unit of the series; of rain: the depth that falls in the step that ends at the time.
create table forecast.value (
    issue bigint not null references forecast.issue (id) on delete cascade,
    lead_s integer not null,
    time timestamptz not null,
    q05 real not null,
    q10 real not null,
    q25 real not null,
    q50 real not null,
    q75 real not null,
    q90 real not null,
    q95 real not null,
    warning real not null,
    tide real,
    primary key (issue, lead_s),
    check (q05 <= q10 and q10 <= q25 and q25 <= q50 and q50 <= q75 and q75 <= q90 and q90 <= q95)
);

-- The newest issue of every series with its values.
create view forecast.newest as
select d.id as datastream_id, i.datastream, i.id as issue, i.issue_time, i.origin, i.model, i.created, v.lead_s,
    v.time, v.q05, v.q10, v.q25, v.q50, v.q75, v.q90, v.q95, v.warning, v.tide
from sensing.datastream d
cross join lateral
    (select * from forecast.issue i where i.datastream = d.fid order by i.issue_time desc limit 1) i
join forecast.value v on v.issue = i.id;

create table forecast.loop_state (
    name text primary key,
    interval_s double precision not null,
    since timestamptz not null default clock_timestamp(),
    checked timestamptz,
    last_started timestamptz,
    run_id text,
    fingerprint text,
    skipped timestamptz,
    skipped_why text
);

create table forecast.loop_run (
    run_id text primary key references run.run (id) on delete cascade,
    name text not null,
    fingerprint text not null,
    issue_time timestamptz not null,
    started timestamptz not null default clock_timestamp()
);
create index loop_run_started on forecast.loop_run (name, started desc);

-- How the loop stands. It is late when neither a run was successful nor nothing had changed for two intervals;
-- computed when it is read, so that a loop that no longer runs is late too.
create view forecast.loop as
select s.name, s.interval_s, s.since, s.checked, s.last_started, done.finished as last_finished, s.skipped,
    s.skipped_why, s.run_id, newest.status, newest.message,
    case when clock_timestamp() > due.at then due.at end as late_since
from forecast.loop_state s
left join run.run newest on newest.id = s.run_id
left join lateral (
    select max(r.finished) as finished from forecast.loop_run l join run.run r on r.id = l.run_id
    where l.name = s.name and r.status = 'successful'
) done on true
cross join lateral (
    select greatest(s.since, done.finished, case when s.skipped_why = 'unchanged' then s.skipped end)
        + make_interval(secs => 2 * s.interval_s) as at
) due;
"""

DOWNGRADE = """
drop schema forecast cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
