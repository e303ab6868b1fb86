"""Accounts, passwords, keys and devices: who somebody is."""
