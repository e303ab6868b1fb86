"""The roads of the city as a graph, and what is asked of it."""
