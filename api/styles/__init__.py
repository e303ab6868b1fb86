"""How each kind of geometry is drawn in a MapLibre style."""
