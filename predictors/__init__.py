"""Latency predictors."""
