import pytest

from vestibule import errors
from vestibule.domain import connection_fields
from vestibule.errors import ErrorType, Failure
from vestibule.identity_providers.catalogue import CATALOGUE
from vestibule.records import GroupRoleAssignment
from vestibule.settings import Settings

KNOWN = frozenset({"stytch_member", "stytch_admin", "editor"})


def refused(error: ErrorType, start: str, caught: pytest.ExceptionInfo[Failure]) -> bool:
    return caught.value.error is error and caught.value.message.startswith(start)


def test_display_name_may_have_256_characters() -> None:
    assert connection_fields.display_name("é" * 256) == "é" * 256
    with pytest.raises(Failure) as caught:
        connection_fields.display_name("é" * 257)
    assert refused(errors.invalid_display_name, "display_name: ", caught)


def test_identity_provider_is_one_of_the_fifteen() -> None:
    assert len(CATALOGUE) == 15
    for name in CATALOGUE:
        assert connection_fields.identity_provider(name) == name
    for name in ("", "Okta", "okta "):
        with pytest.raises(Failure) as caught:
            connection_fields.identity_provider(name)
        assert refused(errors.invalid_sso_idp, "identity_provider: expected one of ", caught)


def test_attribute_mapping_is_a_copy() -> None:
    given = {"email": "e"}
    assert connection_fields.attribute_mapping(given) == given
    assert connection_fields.attribute_mapping(given) is not given


@pytest.mark.parametrize("value", [1, None, "", ["a"], {"a": "b"}, True, "x" * 513])
def test_attribute_mapping_holds_names_only(value: object) -> None:
    with pytest.raises(Failure) as caught:
        connection_fields.attribute_mapping({"email": "e", "x": value})
    nested = errors.saml_connection_no_nested_keys_in_attribute_mapping
    assert refused(nested, "attribute_mapping.x: ", caught)


def test_attribute_mapping_needs_names_for_its_keys() -> None:
    with pytest.raises(Failure) as caught:
        connection_fields.attribute_mapping({"": "e"})
    nested = errors.saml_connection_no_nested_keys_in_attribute_mapping
    assert refused(nested, "attribute_mapping.: ", caught)


@pytest.mark.parametrize(
    ("hosts", "url", "fine"),
    [
        ("", "https://idp.example.com/", True),
        ("", "http://idp.example.com/", False),
        ("", "http:///x", False),
        ("idp.internal", "http://idp.internal:8080/x", True),
        ("idp.internal:8080", "http://idp.internal:8080/x", True),
        ("idp.internal:8080", "http://idp.internal/x", False),
        (" a.test , IDP.internal ", "http://idp.INTERNAL/", True),
        ("idp.internal", "http://idp.internal.evil.test/", False),
        (",", "http://idp.internal/", False),
        (",", "http:///x", False),
    ],
)
def test_http_is_for_listed_hosts(hosts: str, url: str, fine: bool) -> None:
    settings = Settings(outbound_hosts=hosts)
    assert connection_fields.is_https_or_listed(settings, url) is fine


def test_roles_of_the_policy_are_kept_once_in_their_order() -> None:
    given = ["editor", "stytch_admin", "editor"]
    assert connection_fields.role_ids(KNOWN, given) == ("editor", "stytch_admin")


@pytest.mark.parametrize(
    ("role_ids", "error"),
    [
        (["nobody"], errors.invalid_rbac_role_assignment),
        ([""], errors.invalid_rbac_role_assignment),
        (["editor", "stytch_member"], errors.cannot_assign_default_rbac_role_id),
        (["editor"] * 1001, errors.invalid_rbac_role_assignment),
    ],
)
def test_other_roles_are_refused(role_ids: list[str], error: ErrorType) -> None:
    with pytest.raises(Failure) as caught:
        connection_fields.role_ids(KNOWN, role_ids)
    assert caught.value.error is error
    with pytest.raises(Failure) as caught:
        connection_fields.group_roles(KNOWN, [(role_id, "g", None) for role_id in role_ids])
    assert caught.value.error is error


@pytest.mark.parametrize("group", ["", "x" * 513])
def test_group_role_needs_a_group(group: str) -> None:
    with pytest.raises(Failure) as caught:
        connection_fields.group_roles(KNOWN, [("editor", group, None)])
    assert caught.value.error is errors.saml_group_role_assignment_does_not_contain_member_group


def test_group_roles_are_kept_once_each() -> None:
    given = [("editor", "a", None), ("editor", "b", None), ("editor", "a", None)]
    kept = connection_fields.group_roles(KNOWN, given)
    assert [(each.role_id, each.group) for each in kept] == [("editor", "a"), ("editor", "b")]


def test_what_a_group_is_called_stays_until_another_name_is_sent() -> None:
    assert names("Eng", None, before=()) == ("Eng", "")
    before = connection_fields.group_roles(KNOWN, [("editor", "a", "Eng"), ("editor", "c", "C")])
    assert names(None, "Sales", before=before) == ("Eng", "Sales")
    assert names("", None, before=before) == ("", "")


def names(
    a: str | None, b: str | None, *, before: tuple[GroupRoleAssignment, ...]
) -> tuple[str, ...]:
    """Assign a role to the groups a and b under these names; return what they are called then."""
    given = [("editor", "a", a), ("editor", "b", b)]
    kept = connection_fields.group_roles(KNOWN, given, before=before)
    return tuple(each.display_name for each in kept)


@pytest.mark.parametrize("name", ["x" * 257, "a\nb"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(Failure) as caught:
        connection_fields.group_roles(KNOWN, [("editor", "a", name)])
    assert caught.value.error is errors.bad_request
    assert caught.value.message.startswith("display_name: expected at most 256")


@pytest.mark.parametrize("value", ["a\nb", "a\x7f", "\u2028", "x" * 1025])
def test_text_is_printable_and_bounded(value: str) -> None:
    assert connection_fields.text("é b" * 300, errors.bad_request) == "é b" * 300
    with pytest.raises(Failure) as caught:
        connection_fields.text(value, errors.invalid_client_id)
    assert caught.value.error is errors.invalid_client_id
