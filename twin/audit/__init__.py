"""The audit: who did what and when, sealed in a chain, checked, shipped and written to files."""
