"""Members of ensembles that workers without a common disk compute, and where a run's files lie.

The tables of the board are unlogged: what lies there is worth nothing once the run that offers it is over, and a run
that a crash of the database ended begins again.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE = """
alter table run.run add column stored text;

create unlogged table run.board (
    run_id text primary key references run.run (id) on delete cascade,
    home text not null,
    compute bytea not null
);

create unlogged table run.member (
    run_id text not null references run.board (run_id) on delete cascade,
    number integer not null,
    owner text,
    kept timestamptz,
    done boolean not null default false,
    primary key (run_id, number)
);

-- What travels, in pieces: shared files, tasks and results, compressed by who wrote them.
create unlogged table run.board_piece (
    run_id text not null references run.board (run_id) on delete cascade,
    name text not null,
    part integer not null,
    content bytea not null,
    primary key (run_id, name, part)
);
alter table run.board_piece alter column content set storage external;
"""

DOWNGRADE = """
drop table run.board_piece, run.member, run.board;
alter table run.run drop column stored;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
