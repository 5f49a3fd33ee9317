"""What is special about Entra's tokens and issuers."""

import pytest

from vestibule.identity_providers import microsoft_entra

TENANT = "7f3b1c2e-0000-4000-8000-0123456789ab"


@pytest.mark.parametrize(
    ("claims", "left_out"),
    [
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}, True),
        ({"hasgroups": True}, True),
        ({"hasgroups": "true"}, True),
        ({"hasgroups": False}, False),
        ({"hasgroups": ["true"]}, False),
        ({"_claim_names": {"address": "src1"}}, False),
        ({"_claim_names": "groups"}, False),
        ({"_claim_names": None}, False),
        ({}, False),
    ],
)
def test_groups_that_are_elsewhere(claims: dict[str, object], *, left_out: bool) -> None:
    assert microsoft_entra.groups_are_left_out(claims) is left_out


def test_a_link_in_place_of_groups() -> None:
    link = "http://schemas.microsoft.com/claims/groups.link"
    assert microsoft_entra.groups_are_linked({link: ("https://graph.windows.net/",)})
    assert not microsoft_entra.groups_are_linked({microsoft_entra.GROUPS: ("g",)})


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "{tenantid}"])
@pytest.mark.parametrize("rest", ["", "/", "/v2.0"])
def test_issuers_that_all_tenants_share(tenant: str, rest: str) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant}{rest}"
    assert microsoft_entra.is_of_no_tenant(issuer)
    assert microsoft_entra.is_issuer(issuer)


@pytest.mark.parametrize(
    "issuer",
    [
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
        f"https://login.microsoftonline.com/{TENANT}/common",
        "https://login.microsoftonline.com/commonplace.example/v2.0",
    ],
)
def test_issuers_of_one_tenant(issuer: str) -> None:
    assert not microsoft_entra.is_of_no_tenant(issuer)
    assert microsoft_entra.is_issuer(issuer)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.microsoftonline.com.evil.example/common",
        "https://idp.example.com/common",
        "http://login.microsoftonline.com/common",
        "https://[::1",
        "",
    ],
)
def test_issuers_of_others(issuer: str) -> None:
    assert not microsoft_entra.is_of_no_tenant(issuer)
    assert not microsoft_entra.is_issuer(issuer)
