import pytest

from indexer.pixels.limits import BUILD_LIMITS, UPLOAD_LIMITS, DecodeLimits


def test_uploads_are_limited_more_tightly_than_builds() -> None:
    for name in DecodeLimits.__slots__:
        assert getattr(UPLOAD_LIMITS, name) <= getattr(BUILD_LIMITS, name)


@pytest.mark.parametrize("name", DecodeLimits.__slots__)
def test_a_limit_of_zero_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        DecodeLimits(**{name: 0})
