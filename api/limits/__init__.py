"""What one may ask of the server, how much of it is at work at once, and what is said when it is too much."""
