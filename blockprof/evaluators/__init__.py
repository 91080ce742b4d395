"""Metrics that are expensive, measured network by network: on a device, in a supernet, and pools of these."""
