"""Upkeep: attachments, inspections, work orders."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
create schema inventory;

create table inventory.attachment (
    id bigint generated always as identity primary key,
    layer text not null,
    feature text not null,
    sha256 text not null,
    media_type text not null,
    filename text not null,
    title text not null default '',
    bytes bigint not null,
    author text not null,
    created timestamptz not null default clock_timestamp(),
    deleted timestamptz,
    deleted_by text,
    deleted_why text
);
create index attachment_feature on inventory.attachment (layer, feature);

create table inventory.inspection (
    id bigint generated always as identity primary key,
    layer text not null,
    feature text not null,
    inspected date not null,
    inspector text not null,
    method text not null,
    grade smallint not null check (grade between 1 and 5),
    urgency text not null,
    remarks text not null default '',
    observations jsonb not null default '[]',
    author text not null,
    recorded timestamptz not null default clock_timestamp()
);
create index inspection_feature on inventory.inspection (layer, feature, inspected desc, id desc);

create table inventory.work_order (
    id bigint generated always as identity primary key,
    title text not null,
    description text not null default '',
    kind text not null,
    status text not null default 'open',
    priority text not null default 'normal',
    assignee text,
    due date,
    cost double precision,
    origin text not null,
    inspection bigint references inventory.inspection (id),
    position geometry(Point, 4326),
    created timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    version integer not null default 1
);
create index work_order_status on inventory.work_order (status, due);
create index work_order_position on inventory.work_order using gist (position);

create table inventory.work_order_feature (
    work_order bigint not null references inventory.work_order (id) on delete cascade,
    layer text not null,
    feature text not null,
    primary key (work_order, layer, feature)
);
create index work_order_of_feature on inventory.work_order_feature (layer, feature);

create table inventory.work_order_event (
    id bigint generated always as identity primary key,
    work_order bigint not null references inventory.work_order (id) on delete cascade,
    at timestamptz not null default clock_timestamp(),
    author text not null,
    reason text not null default '',
    status_before text,
    status_after text not null,
    changes jsonb not null default '{}'
);
create index work_order_event_order on inventory.work_order_event (work_order, id);
"""

DOWNGRADE = """
drop schema inventory cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
