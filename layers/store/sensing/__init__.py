"""Sensing in tables: series, readings that never change, the newest of everything, roll-ups, ledger."""
