"""SensorThings over HTTP: addresses, query options, answers."""
