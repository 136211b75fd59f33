"""Settings: everything that is wrong is said at once, by name, and never with its value."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import (
    BusSettings,
    InternalApiSettings,
    MongoSettings,
    ServiceSettings,
    SettingsError,
    describe,
    load,
)

PLANTED = "planted-secret-value"
TOKEN = "t" * 32


class Settings(MongoSettings, BusSettings, InternalApiSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    limit: int = Field(default=5, ge=1, le=10, description="How many.")
    sealing_keys: dict[str, SecretStr] = Field(default_factory=dict, description="By version.")


class Plain(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PLAIN_")


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A complete environment."""
    monkeypatch.setenv("AMQP_URL", "amqp://u:p@broker/")
    monkeypatch.setenv("MONGODB_URI", "mongodb://db/")
    monkeypatch.setenv("INTERNAL_API_TOKEN", TOKEN)
    monkeypatch.delenv("SECRETS_DIR", raising=False)
    return monkeypatch


def problems_of(cls: type[ServiceSettings] = Settings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(cls)
    assert PLANTED not in str(caught.value)
    return caught.value.problems


def test_defaults_stand_and_the_environment_overrides(env: pytest.MonkeyPatch) -> None:
    env.setenv("SAMPLE_LIMIT", "7")
    env.setenv("sample_log_level", "DEBUG")
    settings = load(Settings)
    assert (settings.limit, settings.log_level, settings.port) == (7, "DEBUG", 8080)
    assert settings.amqp_url.get_secret_value() == "amqp://u:p@broker/"


def test_settings_can_be_given_in_code(env: pytest.MonkeyPatch) -> None:
    settings = load(Settings, port=0, amqp_url=SecretStr("amqp://elsewhere/"))
    assert settings.port == 0
    assert settings.amqp_url.get_secret_value() == "amqp://elsewhere/"


def test_instances_on_one_host_have_different_names_from_other_processes() -> None:
    assert load(Plain).instance == load(Plain).instance


def test_a_misspelt_variable_is_refused(env: pytest.MonkeyPatch) -> None:
    env.setenv("SAMPLE_LIMTI", PLANTED)
    assert problems_of() == ["SAMPLE_LIMTI: there is no such setting"]


def test_every_problem_is_told_at_once(env: pytest.MonkeyPatch) -> None:
    env.delenv("AMQP_URL")
    env.setenv("INTERNAL_API_TOKEN", PLANTED)
    env.setenv("SAMPLE_LIMIT", PLANTED)
    env.setenv("SAMPLE_LOG_LEVEL", PLANTED)
    env.setenv("SAMPLE_UNKNOWN", PLANTED)
    named = [problem.split(":")[0] for problem in problems_of()]
    assert named == [
        "AMQP_URL",
        "INTERNAL_API_TOKEN",
        "SAMPLE_LIMIT",
        "SAMPLE_LOG_LEVEL",
        "SAMPLE_UNKNOWN",
    ]


def test_a_missing_setting_reads_as_a_sentence(env: pytest.MonkeyPatch) -> None:
    env.delenv("MONGODB_URI")
    assert problems_of() == ["MONGODB_URI: is not set"]


def test_a_number_out_of_range_is_told_with_its_limit(env: pytest.MonkeyPatch) -> None:
    env.setenv("SAMPLE_LIMIT", "11")
    assert problems_of() == ["SAMPLE_LIMIT: Input should be less than or equal to 10"]


def test_a_broken_json_value_is_one_more_problem(env: pytest.MonkeyPatch) -> None:
    env.setenv("SAMPLE_SEALING_KEYS", "{" + PLANTED)
    env.setenv("SAMPLE_UNKNOWN", "1")
    problems = problems_of()
    assert len(problems) == 2
    assert "sealing_keys" in problems[1]


def test_nested_names_are_known(env: pytest.MonkeyPatch) -> None:
    env.setenv("SAMPLE_SEALING_KEYS__K1", "one")
    assert load(Settings).sealing_keys["k1"].get_secret_value() == "one"


def test_secret_files_are_read(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env.delenv("AMQP_URL")
    env.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "AMQP_URL").write_text("amqp://from-file/\n")
    (tmp_path / "sample_limit").write_text("3")
    settings = load(Settings)
    assert settings.amqp_url.get_secret_value() == "amqp://from-file/"
    assert settings.limit == 3


def test_the_environment_wins_over_a_secret_file(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "AMQP_URL").write_text("amqp://from-file/")
    assert load(Settings).amqp_url.get_secret_value() == "amqp://u:p@broker/"


def test_a_misspelt_secret_file_is_refused(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "SAMPLE_LIMTI").write_text(PLANTED)
    assert problems_of() == ["SAMPLE_LIMTI: there is no such setting"]


def test_a_missing_secrets_folder_is_told(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env.setenv("SECRETS_DIR", str(tmp_path / "absent"))
    assert problems_of() == ["SECRETS_DIR: there is no such folder"]


def test_secrets_are_not_in_the_repr(env: pytest.MonkeyPatch) -> None:
    assert TOKEN not in repr(load(Settings))


def test_settings_cannot_be_changed(env: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(Settings).port = 1


def test_the_table_names_every_variable_and_what_is_required() -> None:
    lines = describe(Settings).splitlines()
    by_name = {line.split()[0]: line for line in lines}
    assert "(required)" in by_name["AMQP_URL"]
    assert "How many." in by_name["SAMPLE_LIMIT"]
    assert len(lines) == len(Settings.model_fields)
