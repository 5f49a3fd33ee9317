"""The signing key of a SAML connection is renewed without a gap (security.md OP-16)."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from tests.support.asgi import call
from tests.support.scenario import Scenario

DS = "{http://www.w3.org/2000/09/xmldsig#}"


class Rotating:
    """A connection whose key is renewed, and what its identity provider sees."""

    def __init__(self, scenario: Scenario, connection: dict[str, Any]) -> None:
        self.scenario, self.connection = scenario, connection
        where = f"{connection['organization_id']}/connections/{connection['connection_id']}"
        self.path = f"/v1/b2b/sso/{where}/settings/signing_key"

    async def get(self) -> dict[str, Any]:
        return dict(await self.scenario.api.good("GET", self.path))

    async def do(self, what: str) -> dict[str, Any]:
        return dict(await self.scenario.api.good("POST", f"{self.path}/{what}", {}))

    async def published(self) -> list[str]:
        """Return the signing certificates of our metadata, as bare base64."""
        path = f"/v1/public/sso/metadata/{self.connection['connection_id']}"
        root = etree.fromstring((await call(self.scenario.app, "GET", path)).body)
        descriptors = root.iter("{urn:oasis:names:tc:SAML:2.0:metadata}KeyDescriptor")
        return [
            "".join(str(certificate.text).split())
            for descriptor in descriptors
            if descriptor.get("use") == "signing"
            for certificate in descriptor.iter(f"{DS}X509Certificate")
        ]

    async def sent(self) -> str:
        """Start a sign-in and return the query that the identity provider gets."""
        query = f"public_token={self.scenario.public_token}"
        query += f"&connection_id={self.connection['connection_id']}"
        answer = await self.scenario.browser().get(f"/v1/public/sso/start?{query}")
        return urlsplit(answer.headers["location"]).query


def bare(shown: dict[str, Any]) -> str:
    """Return the base64 of a certificate."""
    return "".join(shown["certificate"].split("-----")[2].split())


def signed_by(query: str, shown: dict[str, Any]) -> bool:
    """Tell whether the request was signed with the key of the certificate."""
    content, _, signature = query.partition("&Signature=")
    key = x509.load_pem_x509_certificate(shown["certificate"].encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    raw = dict(parse_qsl(f"Signature={signature}"))["Signature"]
    try:
        key.verify(b64decode(raw), content.encode(), PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


@pytest.fixture
async def rotating(scenario: Scenario) -> Rotating:
    organization = await scenario.organization()
    return Rotating(scenario, await scenario.saml_connection(organization["organization_id"]))


@pytest.mark.case("OP-16")
async def test_next_key_is_published_and_not_used_yet(rotating: Rotating) -> None:
    before = await rotating.get()
    assert before["next_signing_certificate"] is None
    started = await rotating.do("start")
    present, following = started["signing_certificate"], started["next_signing_certificate"]
    assert present == before["signing_certificate"]
    assert following["certificate"] != present["certificate"]
    shown = await rotating.get()
    assert shown["next_signing_certificate"] == following
    assert await rotating.published() == [bare(present), bare(following)]
    query = await rotating.sent()
    assert signed_by(query, present)
    assert not signed_by(query, following)


@pytest.mark.case("OP-16")
async def test_completed_rotation_signs_with_the_next_key_alone(rotating: Rotating) -> None:
    started = await rotating.do("start")
    following = started["next_signing_certificate"]
    done = await rotating.do("complete")
    assert done["signing_certificate"]["certificate"] == following["certificate"]
    assert done["next_signing_certificate"] is None
    assert await rotating.published() == [bare(following)]
    assert signed_by(await rotating.sent(), following)


async def test_cancelled_rotation_leaves_all_as_it_was(rotating: Rotating) -> None:
    before = (await rotating.do("start"))["signing_certificate"]
    for _ in range(2):
        cancelled = await rotating.do("cancel")
        assert cancelled["signing_certificate"] == before
        assert cancelled["next_signing_certificate"] is None
    assert await rotating.published() == [bare(before)]


async def test_second_start_keeps_the_key_that_was_handed_out(rotating: Rotating) -> None:
    first = await rotating.do("start")
    second = await rotating.do("start")
    assert second["next_signing_certificate"] == first["next_signing_certificate"]


async def test_nothing_is_completed_that_was_not_started(rotating: Rotating) -> None:
    await rotating.do("start")
    await rotating.do("complete")
    refused = await rotating.scenario.api.bad("POST", f"{rotating.path}/complete", {})
    assert refused == (400, "bad_request")


async def test_connection_of_another_organization_or_protocol_has_no_such_key(
    rotating: Rotating,
) -> None:
    await rotating.scenario.organization("Other")
    own = rotating.connection["organization_id"]
    elsewhere = rotating.path.replace(own, "other")
    oidc = await rotating.scenario.oidc_connection(own)
    as_oidc = rotating.path.replace(rotating.connection["connection_id"], oidc["connection_id"])
    for path in (elsewhere, as_oidc):
        for what in ("start", "complete", "cancel"):
            refused = await rotating.scenario.api.bad("POST", f"{path}/{what}", {})
            assert refused == (404, "saml_connection_not_found")
        assert await rotating.scenario.api.bad("GET", path) == (404, "saml_connection_not_found")
