from dataclasses import fields

import pytest

from vestibule.settings import PREFIX, SettingError, Settings, read


def refusal(**environ: str) -> str:
    with pytest.raises(SettingError) as caught:
        read({PREFIX + name: value for name, value in environ.items()})
    return str(caught.value)


def test_nothing_set_gives_the_defaults() -> None:
    assert read({"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_values_are_read_by_the_type_of_their_default() -> None:
    settings = read(
        {
            "VESTIBULE_PORT": "0",
            "VESTIBULE_LOG_JSON": "False",
            "VESTIBULE_DATABASE": "postgresql://host/name",
        }
    )
    assert (settings.port, settings.log_json) == (0, False)
    assert settings.database == "postgresql://host/name"


def test_unknown_setting_names_the_nearest_known_one() -> None:
    assert refusal(DATABSE="sqlite:x.db") == (
        "unknown setting VESTIBULE_DATABSE; did you mean VESTIBULE_DATABASE?"
    )


@pytest.mark.case("AD-50")
@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PORT", "http", "expected a whole number, got 'http'"),
        ("LOG_JSON", "yes", "expected true or false, got 'yes'"),
        ("BASE_URL", "sso.example.com", "expected https://host[:port] without a trailing slash"),
        ("BASE_URL", "https://sso.example.com/", "without a trailing slash"),
        ("BASE_URL", "http://sso.example.com", "http is for this machine alone"),
        ("BASE_URL", "http://127.0.0.1.example.com", "http is for this machine alone"),
        ("BASE_URL", "http://localhost:80@example.com", "http is for this machine alone"),
        ("CLOCK_SKEW_SECONDS", "301", "expected 0 to 300"),
        ("CLOCK_SKEW_SECONDS", "-1", "expected 0 to 300"),
        ("MAX_CONNECTIONS", "0", "expected at least 1"),
        ("REQUEST_SECONDS", "-1", "expected at least 1"),
        ("MAX_BODY_BYTES", "0", "expected at least 1"),
        ("USER_LOCK_THRESHOLD", "0", "expected at least 1"),
        ("USER_LOCK_SECONDS", "0", "expected at least 1"),
        ("LIMITS_FACTOR", "0", "expected at least 1"),
        ("LIMITS_URL", "memcached://host", "expected valkey://"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "'proxy' does not appear to be an IPv4 or IPv6"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
        ("SMS_COUNTRIES", "US,Canada", "expected codes such as US,CA, got 'Canada'"),
        ("SMS_COUNTRIES", "US,UK", "expected codes such as US,CA, got 'UK'"),
        ("DATABASE", "mysql://host/name", "expected sqlite:PATH or postgresql://"),
    ],
)
def test_unusable_value_is_refused_by_name(name: str, value: str, wanted: str) -> None:
    words = refusal(**{name: value})
    assert words.startswith(f"{PREFIX}{name}: ")
    assert wanted in words


def test_refused_database_address_is_not_repeated() -> None:
    assert "hunter2" not in refusal(DATABASE="mysql://user:hunter2@host/name")


def test_repr_hides_secrets() -> None:
    settings = read(
        {
            "VESTIBULE_DATABASE": "postgresql://user:hunter2@host/name",
            "VESTIBULE_MASTER_KEY": "bWFzdGVy",
            "VESTIBULE_SMS_TOKEN": "twilio-secret",
            "VESTIBULE_HOST": "::1",
        }
    )
    assert "::1" in repr(settings)
    assert "hunter2" not in repr(settings)
    assert "bWFzdGVy" not in repr(settings)
    assert "twilio-secret" not in repr(settings)


def test_every_setting_says_what_it_does() -> None:
    assert [each.name for each in fields(Settings) if not each.metadata["help"].endswith(".")] == []
