"""The city over HTTP: OGC API, tiles, rasters, processes, sensors."""
