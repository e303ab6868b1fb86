"""From a file to clean rows: sources, readers, mapping, cleaning, quality."""
