"""Solids in three dimensions: meshes of footprints, their place on the globe, glTF and 3D Tiles as they are written."""
