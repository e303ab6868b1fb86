"""What water does: pure numerics, no files, no database, no settings."""
