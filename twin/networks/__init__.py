"""The networks of a city: one graph a commodity, read from the layers, kept by every edit."""
