"""Rasters over HTTP: which one is meant, its pictures, its values, what OGC APIs say of it."""
