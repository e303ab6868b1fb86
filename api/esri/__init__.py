"""The city in the words of GeoServices REST, which ArcGIS, QGIS and TerriaJS read."""
