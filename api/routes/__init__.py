"""One resource family a module."""
