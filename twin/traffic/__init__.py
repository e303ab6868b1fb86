"""Traffic: demand and assignment, counts, congestion, incidents, road works in and out."""
