"""Who may send what: real warnings need a real city, a named sender, and a person unless the setting says otherwise."""

from pathlib import Path

import pytest

from layers.errors import ConflictError, SetupError
from layers.store.migrate import CityRow
from twin.settings import Settings
from twin.warning.policy import read_policy

CITY = {"title": {"vi": "Cần Thơ", "en": "Can Tho"}, "timezone": "Asia/Ho_Chi_Minh"}


def make_settings(**values: object) -> Settings:
    return Settings(_env_file=None, data_dir=Path("/nowhere"), **values)


def make_city(**changes: object) -> CityRow:
    return CityRow("ct", 5897, {**CITY, **changes})


def test_a_person_issues_unless_the_setting_says_so() -> None:
    advice = read_policy(make_settings(warning_sender="floods@ct.vn"), make_city())
    assert (advice.status, advice.originator.sender, advice.originator.name.en) == ("Actual", "floods@ct.vn", "Can Tho")
    assert not advice.issues_itself("Actual") and advice.issues_itself("Exercise") and not advice.issues_itself("Test")
    advice.check("Actual")
    automatic = read_policy(make_settings(warning_sender="floods@ct.vn", warning_automatic=True), make_city())
    assert automatic.issues_itself("Actual")


def test_an_exercise_is_set_or_follows_from_a_synthetic_city() -> None:
    assert read_policy(make_settings(warning_exercise=True), make_city()).status == "Exercise"
    made_up = read_policy(
        make_settings(warning_sender="floods@ct.vn", warning_automatic=True), make_city(synthetic=True)
    )
    assert made_up.status == "Exercise"
    with pytest.raises(ConflictError, match="synthetic"):
        made_up.check("Actual")


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SetupError, match="sender") as raised:
        read_policy(make_settings(), make_city()).check("Actual")
    assert "TWIN_WARNING_SENDER" in str(raised.value)
    with pytest.raises(SetupError, match="timezone 'Mars/Olympus'"):
        read_policy(make_settings(), make_city(timezone="Mars/Olympus"))
    with pytest.raises(ValueError, match="pattern"):
        make_settings(warning_sender="floods, city")
