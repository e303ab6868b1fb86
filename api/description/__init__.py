"""What the routes alone do not tell of themselves: answers, bodies, bare routes, the words of the tags."""
