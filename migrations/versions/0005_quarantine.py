"""The quarantine as a place of work: all that is wrong with a row, how it ended, and what it takes to load it again."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
alter table meta.quarantine
    add column problems jsonb not null default '[]',
    add column digest text,
    add column feature_id text,
    add column rule integer not null default 0,
    add column status text not null default 'open' check (status in ('open', 'mended', 'dismissed')),
    add column changes jsonb not null default '{}',
    add column settled timestamptz,
    add column settled_by text,
    add column settled_why text;

update meta.quarantine set problems = jsonb_build_array(
    jsonb_build_object('field', field, 'value', value, 'reason', reason, 'hint', hint)
);

-- Unlike jsonb it keeps the order of the columns.
alter table meta.quarantine alter column payload drop default;
alter table meta.quarantine alter column payload type json using payload::json;

create index quarantine_load on meta.quarantine (load_id);
create index quarantine_settled on meta.quarantine (source_id, layer, digest) where status <> 'open';

-- The rules a load went by: a row it rejected is read by them again.
alter table meta.load add column plan jsonb not null default '{}';
"""

DOWNGRADE = """
alter table meta.load drop column plan;
drop index meta.quarantine_settled, meta.quarantine_load;
delete from meta.quarantine where status <> 'open';
alter table meta.quarantine alter column payload type jsonb using payload::jsonb;
alter table meta.quarantine alter column payload set default '{}';
alter table meta.quarantine
    drop column problems,
    drop column digest,
    drop column feature_id,
    drop column rule,
    drop column status,
    drop column changes,
    drop column settled,
    drop column settled_by,
    drop column settled_why;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
