"""Pages for people, drawn from what the API answers to programs: no script, nothing from elsewhere."""
