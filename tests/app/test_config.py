"""Settings are read strictly."""

import pytest

from app.config import SettingError, Settings


def test_the_default_serves_both_bundled_models_the_house_price_first() -> None:
    assert Settings.from_environment({}).models == ("house-price", "chest-xray")


def test_a_list_of_models_is_read_with_spaces_and_underscores() -> None:
    settings = Settings.from_environment({"FORMCAST_MODELS": "house_price, my-model"})
    assert settings.models == ("house-price", "my-model")


def test_variables_of_others_are_left_alone() -> None:
    assert Settings.from_environment({"PORT": "1", "HOME": "/"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FORMCAST_MODEL", "house-price", "Did you mean FORMCAST_MODELS"),
        ("FORMCAST_MODELS", " , ", "Name at least one model"),
        ("FORMCAST_MODELS", "a,a", "names a model twice"),
    ],
)
def test_what_is_no_setting_stops_the_start_with_what_to_write(
    variable: str, value: str, says: str
) -> None:
    with pytest.raises(SettingError, match=says):
        Settings.from_environment({variable: value})
