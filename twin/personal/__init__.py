"""Personal data of land owners: sealed, shown for a purpose only, given out and erased on request."""
