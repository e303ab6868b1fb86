"""Runs and their rasters in the words of STAC."""
