"""Warnings that leave the house: CAP messages, their chains, and who is told of them and of alarms."""
