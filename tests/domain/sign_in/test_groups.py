"""Groups that were sent, that were not, and that cannot be read."""

from typing import Any

import pytest

from vestibule import errors
from vestibule.domain.sign_in import groups
from vestibule.errors import Failure
from vestibule.records import Identity


@pytest.mark.parametrize(
    ("attributes", "mapping", "found"),
    [
        ({"g": ("a", "b", "a")}, {"groups": "g"}, ("a", "b")),
        ({"g": ()}, {"groups": "g"}, ()),
        ({}, {"groups": "g"}, None),
        ({"groups": ("a",)}, {}, None),
        ({"g": ("/a/b", "A", "a ")}, {"groups": "g"}, ("/a/b", "A", "a ")),
    ],
)
def test_groups_of_an_assertion(
    attributes: dict[str, tuple[str, ...]], mapping: dict[str, str], found: tuple[str, ...] | None
) -> None:
    assert groups.of_assertion(attributes, mapping) == found


@pytest.mark.parametrize(
    ("claims", "mapping", "found"),
    [
        ({"groups": ["a", "b", "a"]}, {}, ("a", "b")),
        ({"groups": []}, {}, ()),
        ({"groups": "a"}, {}, ("a",)),
        ({"groups": ""}, {}, ()),
        ({"groups": None}, {}, None),
        ({}, {}, None),
        ({"roles": ["a"], "groups": ["b"]}, {"groups": "roles"}, ("a",)),
        ({"groups": ["b"]}, {"groups": "roles"}, None),
        ({"groups": ["/a/b", "A", "a "]}, {}, ("/a/b", "A", "a ")),
    ],
)
@pytest.mark.parametrize("needed", [True, False])
def test_groups_of_claims(
    claims: dict[str, Any],
    mapping: dict[str, str],
    found: tuple[str, ...] | None,
    *,
    needed: bool,
) -> None:
    assert groups.of_claims(claims, mapping, needed=needed) == found


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"a": True}, "an object"),
        (7, "a number"),
        (1.5, "a number"),
        (True, "true or false"),
        (["a", 1], "a list with something else than texts"),
        ([["a"]], "a list with something else than texts"),
    ],
)
def test_groups_that_cannot_be_read_are_refused_where_they_are_wanted(
    value: object, kind: str
) -> None:
    for mapping, needed in (({}, True), ({"groups": "groups"}, False)):
        with pytest.raises(Failure) as caught:
            groups.of_claims({"groups": value}, mapping, needed=needed)
        assert caught.value.error is errors.oidc_invalid_userinfo
        assert caught.value.message == (
            f"The claim groups (groups) is {kind}; expected a list of texts."
        )
    # A claim that nothing hangs on is a claim like others.
    assert groups.of_claims({"groups": value}, {}, needed=False) is None


def test_a_thousand_groups_are_read_and_no_more() -> None:
    thousand = [f"g{number}" for number in range(1000)]
    assert groups.of_claims({"groups": thousand}, {}, needed=False) == tuple(thousand)
    assert groups.of_assertion({"g": tuple(thousand)}, {"groups": "g"}) == tuple(thousand)
    with pytest.raises(Failure) as caught:
        groups.of_claims({"groups": [*thousand, "one more"]}, {}, needed=False)
    assert caught.value.error is errors.oidc_invalid_userinfo
    with pytest.raises(Failure) as caught:
        groups.of_assertion({"g": (*thousand, "one more")}, {"groups": "g"})
    assert caught.value.error is errors.invalid_saml_response_groups
    assert "1001 groups were sent" in caught.value.message


@pytest.mark.parametrize(
    ("attributes", "sent", "left_out"),
    [
        ({"_claim_names": {"groups": "src1"}}, None, True),
        ({"http://schemas.microsoft.com/claims/groups.link": ["https://x"]}, None, True),
        ({"hasgroups": True}, (), False),
        ({}, None, False),
    ],
)
def test_groups_that_were_too_many_for_the_message(
    attributes: dict[str, Any], sent: tuple[str, ...] | None, *, left_out: bool
) -> None:
    identity = Identity(
        external_id="u", email_address="u@a.test", groups=sent, attributes=attributes
    )
    assert groups.are_left_out(identity) is left_out
    meant = groups.or_none_at_all(identity)
    assert meant.groups == (None if left_out else sent or ())
