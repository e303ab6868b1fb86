"""What is hidden of sensors is found once a statement, not once a series."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_HEAD = "create or replace function sensing.{name}() returns {kind} language sql stable security definer\n"
_PATH = "set search_path = pg_catalog, public as $$\n"
_FUNCTIONS = (
    (
        "hidden_streams", "bigint[]",
        "select coalesce(array_agg(fid), '{{}}') from sensing.datastream where thing_id = any ({things}) "
        "or 'sensors/' || sensor_id = any ({items})",
    ),
    (
        "hidden_names", "text[]",
        "select coalesce(array_agg(id), '{{}}') from sensing.datastream where fid = any ({streams})",
    ),
    (
        "hidden_locations", "text[]",
        "select coalesce(array_agg(location_id), '{{}}') from sensing.thing_location where thing_id = any ({things})",
    ),
)  # fmt: skip
_ONCE = {
    "things": "(select sensing.hidden_things())::text[]",
    "items": "(select meta.hidden_items())::text[]",
    "streams": "(select sensing.hidden_streams())::bigint[]",
}
_EACH = {"things": "sensing.hidden_things()", "items": "meta.hidden_items()", "streams": "sensing.hidden_streams()"}


def _write(called: dict[str, str]) -> str:
    return ";\n".join(
        f"{_HEAD.format(name=name, kind=kind)}{_PATH}    {body.format(**called)}\n$$" for name, kind, body in _FUNCTIONS
    )


def upgrade() -> None:
    op.execute(_write(_ONCE))


def downgrade() -> None:
    op.execute(_write(_EACH))
