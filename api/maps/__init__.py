"""Pictures of the map as older systems ask for them: WMS, WMTS and OGC API Maps."""
