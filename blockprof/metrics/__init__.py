"""Metrics: the numbers a network has."""
