"""Forecasts of gauges: issued, kept, verified; and the loop from new readings to the probability of water."""
