"""One theme a module, each a tuple ``LAYERS`` of declarations."""
