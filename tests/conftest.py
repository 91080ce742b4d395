"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared: how long an example takes says nothing.
settings.register_profile("shared", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shared")

REPOSITORY = Path(__file__).parents[1]
SHARED = Path(os.environ.get("BLOCKPROF_SHARED", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public test data. Absent: the test is skipped, but fails in CI."""
    if not SHARED.is_dir():
        message = f"public test data is not at {SHARED}: set BLOCKPROF_SHARED"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED
