"""SWMM input files: documents that keep every line, what their rows mean, what the layers say of them."""
