"""Loops that time networks where blockprof is not: copied to folders of networks as they are."""
