"""Tiles of the city in one file: a PMTiles archive, made of one moment of the database."""
