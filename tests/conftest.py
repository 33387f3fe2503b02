"""Fixtures that every test may ask for."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Properties state laws, not speeds: a busy machine must not fail them.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

REALDATA_DIR = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def realdata_dir() -> Path:
    """The folder of genuine samples; users do not have it, so its tests are skipped there."""
    if not REALDATA_DIR.is_dir():
        pytest.skip("genuine samples are not on this machine (../shared/data)")
    return REALDATA_DIR
