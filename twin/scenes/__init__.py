"""The scene of the city in three dimensions, made from its layers."""
