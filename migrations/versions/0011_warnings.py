"""CAP messages and notifications on their way out."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UPGRADE = """
create schema warning;

create table warning.message (
    number bigint generated always as identity primary key,
    identifier text not null unique,
    sender text not null,
    sent timestamptz not null,
    status text not null check (status in ('Actual', 'Exercise', 'Test')),
    kind text not null check (kind in ('Alert', 'Update', 'Cancel')),
    event text not null,
    chain text not null,
    expires timestamptz not null,
    severity text not null,
    headline_vi text not null,
    headline_en text not null,
    content jsonb not null,
    body bytea not null,
    author text not null,
    reason text not null default '',
    stored timestamptz not null default clock_timestamp()
);
create index message_chain on warning.message (chain, number);

create function warning.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a message that was issued is never altered: issue an update or a cancel'
        using errcode = 'restrict_violation';
end $$;
create trigger message_stays before update or delete on warning.message
    for each row execute function warning.refuse_change();
create trigger messages_stay before truncate on warning.message
    for each statement execute function warning.refuse_change();

create table warning.chain (
    id text primary key,
    event text not null,
    status text not null,
    latest text not null references warning.message (identifier),
    expires timestamptz not null,
    closed timestamptz
);
create index chain_open on warning.chain (event, status) where closed is null;

-- A ward belongs to at most one open chain of an event: the key says so, whoever writes at the same time.
create table warning.claim (
    event text not null,
    status text not null,
    ward text not null,
    chain text not null references warning.chain (id) on delete cascade,
    primary key (event, status, ward)
);
create index claim_chain on warning.claim (chain);

create table warning.draft (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('Alert', 'Update', 'Cancel')),
    chains text[] not null default '{}',
    content jsonb not null,
    origin text not null check (origin in ('alarms', 'person')),
    state text not null default 'open' check (state in ('open', 'issued', 'discarded', 'outdated')),
    message text references warning.message (identifier),
    author text not null,
    reason text not null default '',
    settled_by text,
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp()
);
create index draft_open on warning.draft (id) where state = 'open';

create table warning.outbox (
    id bigint generated always as identity primary key,
    subject text not null,
    kind text not null check (kind in ('message', 'alarm')),
    reference text not null,
    content jsonb not null default '{}',
    created timestamptz not null default clock_timestamp(),
    spread timestamptz,
    unique (kind, reference)
);
create index outbox_subject on warning.outbox (subject, id);
create index outbox_waiting on warning.outbox (id) where spread is null;

create table warning.delivery (
    id uuid primary key,
    outbox bigint not null references warning.outbox (id),
    subject text not null,
    contact_group text not null,
    channel text not null,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'dead', 'expired')),
    attempts integer not null default 0,
    due timestamptz not null default clock_timestamp(),
    leased_until timestamptz,
    expires timestamptz,
    settled timestamptz,
    error text,
    unique (outbox, contact_group, channel)
);
create index delivery_due on warning.delivery (due) where state = 'waiting';
create index delivery_order on warning.delivery (contact_group, channel, subject, outbox) where state = 'waiting';
create index delivery_state on warning.delivery (state, outbox desc);

create function warning.tell_outbox() returns trigger language plpgsql as $$
begin
    perform pg_notify('warning', '');
    return null;
end $$;
create trigger outbox_told after insert on warning.outbox
    for each statement execute function warning.tell_outbox();

-- Steps of alarms that people are told of enter the outbox in the transaction that writes them.
create function warning.take_alarm_step() returns trigger language plpgsql as $$
begin
    insert into warning.outbox (subject, kind, reference, content)
    select coalesce('incident:' || a.incident, 'alarm:' || a.id), 'alarm', 'event:' || new.id, jsonb_build_object(
        'step', new.kind, 'alarm', a.id, 'occurrence', new.occurrence, 'incident', a.incident, 'rule', a.rule,
        'title_vi', r.definition -> 'title' -> 'vi', 'title_en', r.definition -> 'title' -> 'en',
        'event', r.definition -> 'event', 'level', r.definition -> 'level', 'priority', a.priority,
        'state', new.state_after, 'at', new.at, 'value', new.value, 'unit', d.unit, 'series', a.datastream,
        'group', new.details -> 'group', 'rung', new.details -> 'step', 'author', new.author, 'reason', new.reason)
    from alarm.alarm a join alarm.rule r on r.id = a.rule and r.version = new.rule_version
    left join sensing.datastream d on d.id = a.datastream where a.id = new.alarm
    on conflict (kind, reference) do nothing;
    return null;
end $$;
create trigger event_told after insert on alarm.event for each row
    when (new.kind in ('escalate', 'acknowledge', 'clear')) execute function warning.take_alarm_step();
"""

DOWNGRADE = """
drop schema warning cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
