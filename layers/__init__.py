"""What the city is made of: declarations of its layers, their import and their storage."""
