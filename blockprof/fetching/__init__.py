"""Bring data into the data folder: published files, one's own, or made from the reference tables."""

from blockprof.fetching.catalogue import PublishedFile, Source, load_sources
from blockprof.fetching.files import FOLDER_ENDINGS, FetchedFile, fetch, not_taken
from blockprof.fetching.help_data import read_help
from blockprof.fetching.published import fetch_published, present
from blockprof.fetching.reference import (
    fetch_reference,
    find_latency_file,
    latency_file_name,
    reference_data,
    reference_file_name,
)

__all__ = [
    "FOLDER_ENDINGS",
    "FetchedFile",
    "PublishedFile",
    "Source",
    "fetch",
    "fetch_published",
    "fetch_reference",
    "find_latency_file",
    "latency_file_name",
    "load_sources",
    "not_taken",
    "present",
    "read_help",
    "reference_data",
    "reference_file_name",
]
