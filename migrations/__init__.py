"""Alembic migrations of the fixed tables; layer tables follow their declarations."""
