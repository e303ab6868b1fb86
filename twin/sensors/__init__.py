"""From devices to readings: the broker, the payloads, the intake that loses nothing it acknowledged."""
