"""Alarms after ISA-18.2: rules as data, an engine that is pure, and the watch that feeds it."""
