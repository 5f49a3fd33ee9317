import pytest

from vestibule import errors
from vestibule.errors import ErrorType, Failure


def test_every_error_is_listed_once_in_order() -> None:
    declared = [each for each in vars(errors).values() if isinstance(each, ErrorType)]
    listed = errors.all_errors()
    assert len(listed) > 100
    assert sorted(declared, key=lambda each: (each.name, each.status)) == list(listed)


def test_variable_of_an_error_has_its_name() -> None:
    named = {name: each for name, each in vars(errors).items() if isinstance(each, ErrorType)}
    # The contract has no names of its own for 413 and 415.
    renamed = {name: each.name for name, each in named.items() if name != each.name}
    assert renamed == {"request_too_large": "bad_request", "unsupported_media_type": "bad_request"}


@pytest.mark.parametrize(
    "error", errors.all_errors(), ids=lambda error: f"{error.name}-{error.status}"
)
def test_error_has_a_status_and_a_sentence(error: ErrorType) -> None:
    assert 400 <= error.status <= 503
    assert error.message.endswith(".")


def test_failure_says_the_default_message() -> None:
    failure = Failure(errors.member_not_found)
    assert (failure.error, failure.message) == (
        errors.member_not_found,
        errors.member_not_found.message,
    )


def test_failure_keeps_the_detail_out_of_what_the_caller_sees() -> None:
    failure = Failure(errors.invalid_email, "email_address: no @", detail="for the log")
    assert failure.message == "email_address: no @"
    assert str(failure) == "invalid_email: email_address: no @"
    assert failure.detail == "for the log"
