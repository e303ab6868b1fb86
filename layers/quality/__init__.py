"""Quality of readings: the QARTOD tests, the limits of each series, flags on arrival and over a window."""
