"""One family of file formats a module: path → Opened."""
