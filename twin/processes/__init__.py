"""One analysis a module, each a ``PROCESS``."""
