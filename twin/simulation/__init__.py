"""Devices that are not there: what they would measure, with their faults, published as real ones publish."""
