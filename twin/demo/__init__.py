"""The demo city: a synthetic riverside district of a tidal delta, drawn from a seed without any download."""
