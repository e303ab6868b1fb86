"""Hydraulic models beside the layers: what a SWMM or EPANET file holds that no layer has a column for."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UPGRADE = """
-- The file as it was read; the layers' items of the model are written over it when it leaves.
create table meta.model (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    kind text not null check (kind in ('swmm', 'epanet')),
    title text not null,
    document text not null,
    fingerprint text not null,
    source text not null,
    -- Where the model's own coordinates lie: {"crs": "EPSG:…"} or {"origin": [lon, lat], "anchor": [x, y], "scale": m}.
    anchor jsonb not null,
    -- What else its kind keeps, such as its counts.
    facts jsonb not null default '{}',
    author text not null,
    loaded timestamptz not null default clock_timestamp()
);

-- What the document reads by name: rain, hot starts, interfaces.
create table meta.model_file (
    model text not null references meta.model (id) on delete cascade,
    name text not null check (length(name) between 1 and 200),
    content bytea not null,
    primary key (model, name)
);
"""

DOWNGRADE = """
drop table meta.model_file;
drop table meta.model;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
