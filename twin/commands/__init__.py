"""The families of the ``twin`` command, one a module."""
