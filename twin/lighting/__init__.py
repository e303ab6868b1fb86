"""Public lighting: programs and calendars after TALQ, circuits, dark lamps, energy against plan."""
