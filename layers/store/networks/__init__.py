"""Which lines meet where, stored: nodes, stops and places of devices, one set a commodity."""
