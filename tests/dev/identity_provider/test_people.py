import pytest

from vestibule.dev.forms import FormError
from vestibule.dev.identity_provider.people import PEOPLE, Person, read_login


def test_preset_person_is_taken_as_listed() -> None:
    login = read_login({"person": "bob", "email": "ignored@example.com"})
    assert login.person == Person("user-bob", "bob@example.com", "Bob", "Brown")
    assert login.groups == ()
    assert login.extra == {}


def test_preset_people_have_different_ids_and_addresses() -> None:
    assert len({person.user_id for person in PEOPLE.values()}) == len(PEOPLE)
    assert len({person.email for person in PEOPLE.values()}) == len(PEOPLE)


def test_someone_else_without_an_id_is_known_by_the_address() -> None:
    login = read_login({"person": "other", "email": " ann@example.com "})
    assert login.person == Person("ann@example.com", "ann@example.com", "", "")
    assert login.person.full_name == ""


def test_groups_are_separated_by_commas() -> None:
    login = read_login({"person": "alice", "groups": " sales, , R & D,"})
    assert login.groups == ("sales", "R & D")


def test_attribute_lines_with_one_name_are_values_of_one_attribute() -> None:
    login = read_login({"person": "alice", "attributes": "a=1\r\n\r\n b = x=y \na=2\nc=\n"})
    assert login.extra == {"a": ("1", "2"), "b": ("x=y",), "c": ("",)}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose who you are."),
        ({"person": "nobody"}, "Choose who you are."),
        ({"person": "other"}, "needs an e-mail address"),
        ({"person": "other", "email": "a\x00b@example.com"}, "email holds a control character"),
        ({"person": "other", "email": "a" * 501}, "email is longer than 500"),
        ({"person": "alice", "attributes": "no equals sign"}, "not of the form name=value"),
        ({"person": "alice", "attributes": "=value"}, "not of the form name=value"),
        ({"person": "alice", "attributes": "a=\x01"}, "attributes holds a control character"),
        ({"person": "alice", "attributes": "a=1\n" * 101}, "more than 100 values"),
        ({"person": "alice", "groups": "a," * 101}, "more than 100 values"),
        ({"person": "alice", "groups": "a" * 4001}, "groups is longer than 4000"),
        ({"person": "alice", "attributes": f"a={'x' * 4001}"}, "attributes is longer than 4000"),
    ],
)
def test_login_that_breaks_a_rule_is_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(FormError, match=words):
        read_login(fields)
