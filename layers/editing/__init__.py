"""Edits by hand: what is asked, whether it can be, and what it did."""
