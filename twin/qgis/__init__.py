"""A QGIS project of the whole city, written from the declarations."""
