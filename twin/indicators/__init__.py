"""The city's indicators: what is declared once, measured from readings, runs, alarms and work, and judged."""
