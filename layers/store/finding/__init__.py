"""Features by words and places by address."""
