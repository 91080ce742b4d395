"""Bring data into the data folder: published files, one's own, or made from the reference tables."""

from blockprof.fetching.files import FetchedFile, fetch
from blockprof.fetching.reference import fetch_reference, latency_file_name, reference_data

__all__ = ["FetchedFile", "fetch", "fetch_reference", "latency_file_name", "reference_data"]
