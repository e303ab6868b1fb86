"""Signing in over HTTP: sessions, keys, other providers."""
