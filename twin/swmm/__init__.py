"""SWMM models: from the layers, from files into the layers, and back."""
