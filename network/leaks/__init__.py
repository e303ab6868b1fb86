"""Leaks of pressurised water networks: found, placed and sized by what sensors read beside a leak-free model."""
