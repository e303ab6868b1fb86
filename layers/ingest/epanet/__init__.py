"""EPANET input files: what their rows mean, what the layers say of them."""
