"""Which numbers are some at all, and which of them texts are sent to."""

import pytest
from msgspec.structs import replace

from vestibule import errors
from vestibule.domain.phone_numbers import SANDBOX, require_number, require_textable
from vestibule.errors import ErrorType, Failure
from vestibule.records import Project

TEST = Project(project_id="project-test-1", environment="test", name="T", created_at=0)
LIVE = replace(TEST, environment="live")


def refusal(project: Project, text: str) -> ErrorType | None:
    try:
        require_number(project, text)
    except Failure as failure:
        return failure.error
    return None


@pytest.mark.parametrize("text", ["+12025550162", "+15555555555", "+4915112345678"])
def test_a_number_is_written_in_e164_form(text: str) -> None:
    assert refusal(LIVE, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12025550162",
        "2025550162",
        "+1 202 555 0162",
        "+1202555016",
        "+120255501620",
        "tel:+12025550162",
        "+1202555٠162",
        "+1800FLOWERS",
        "+12025550162;ext=1",
        "+99912345678",
        "+" + "1" * 1000,
        "\0",
        "\ud800",
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    assert refusal(TEST, text) is errors.invalid_phone_number


def test_the_sandbox_number_is_for_test_projects() -> None:
    assert refusal(TEST, SANDBOX) is None
    assert refusal(LIVE, SANDBOX) is errors.invalid_phone_number_sandbox


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+12025550162", "fixed line or mobile"),
        ("+4915112345678", "mobile"),
        ("+34912345678", "fixed line"),
        ("+447911123456", "mobile"),
    ],
)
def test_phones_are_sent_texts(text: str, kind: str) -> None:
    assert kind
    require_textable(text, countries=())


@pytest.mark.case("MF-15", reason="invalid_phone_number")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+19005551234", "premium rate"),
        ("+33899123456", "premium rate"),
        ("+491805123456", "shared cost"),
        ("+447012345678", "personal number, at the caller's cost"),
        ("+18005551234", "toll free"),
        ("+881612345678", "satellite"),
        ("+882161234567", "international network"),
        ("+15555555555", "no network's"),
        ("+4990012345678", "no network's"),
    ],
)
def test_numbers_that_earn_from_texts_are_sent_none(text: str, kind: str) -> None:
    assert kind
    with pytest.raises(Failure) as caught:
        require_textable(text, countries=())
    assert caught.value.error is errors.invalid_phone_number


@pytest.mark.case("MF-15", reason="invalid_phone_number_country_code")
def test_other_countries_than_those_named_are_sent_none() -> None:
    countries = frozenset({"US", "CA"})
    require_textable("+12025550162", countries=countries)
    for text in ("+4915112345678", "+919876543210", "+18765551234"):
        with pytest.raises(Failure) as caught:
            require_textable(text, countries=countries)
        assert caught.value.error is errors.invalid_phone_number_country_code
