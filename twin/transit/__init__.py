"""Public transport: GTFS in, out and validated, GTFS Realtime, timetables and what they reach."""
