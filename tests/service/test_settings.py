import pytest
from pydantic import ValidationError

from service.settings import Settings


def test_the_environment_sets_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSEARCH_INDEXES_DIR", "/srv/indexes")
    monkeypatch.setenv("MEDSEARCH_API_KEYS", '["secret-key"]')
    monkeypatch.setenv("MEDSEARCH_MAX_K", "7")
    settings = Settings(max_k=5)
    assert str(settings.indexes_dir) == "/srv/indexes"
    assert settings.max_k == 5
    assert settings.api_keys[0].get_secret_value() == "secret-key"
    assert "secret-key" not in repr(settings)


@pytest.mark.parametrize("values", [{"max_k": 0}, {"port": 70_000}, {"no_such_setting": 1}])
def test_impossible_settings_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**values)
