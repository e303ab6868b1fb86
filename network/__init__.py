"""What graphs say: pure numerics, no files, no database, no settings."""
