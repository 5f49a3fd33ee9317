"""An identity provider that signs people in with session indexes, and logs them out again."""

import zlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from lxml import etree
from lxml.etree import _Element

from tests.support import saml_documents
from tests.support.asgi import Answer
from tests.support.saml_documents import Signature, find
from tests.support.saml_keys import signer
from tests.support.saml_metadata import POST, REDIRECT, entity, role, service
from tests.support.saml_metadata import key as key_descriptor
from tests.support.scenario import BASE_URL, IDP_ENTITY, MAPPING, Scenario, token_of
from vestibule.clock import MINUTE, rfc3339
from vestibule.fetch import FetchResponse
from vestibule.saml.logout import logout_request
from vestibule.saml.request import post_fields, redirect_url

SLO: Final = "https://idp.example.com/slo"
SLO_RESPONSE: Final = "https://idp.example.com/slo/response"
METADATA_URL: Final = "https://idp.example.com/metadata.xml"
ADA: Final = "ada@acme.test"

Connection = dict[str, Any]


@dataclass
class Provider:
    """The identity provider of one connection."""

    scenario: Scenario
    connection: Connection
    key: str = "idp"
    issuer: str = IDP_ENTITY
    made: int = 0

    @property
    def logout_url(self) -> str:
        return f"{BASE_URL}/v1/public/sso/logout/{self.connection['connection_id']}"

    def response(
        self,
        *,
        email: str = ADA,
        session_index: str | None = "_session-1",
        authenticated_at: int | None = None,
        attributes: Mapping[str, Sequence[str]] | None = None,
    ) -> str:
        """An unsolicited Response of now, as a form field."""
        self.made += 1
        stated = {"email": [email], "firstName": ["Ada"], "lastName": ["Lovelace"]}
        root = saml_documents.response_element(
            issuer=self.issuer,
            acs=self.connection["acs_url"],
            audience=self.connection["audience_uri"],
            in_response_to=None,
            now=self.scenario.clock.now(),
            subject=email,
            attributes=attributes or stated,
            response_id=f"_r{self.made}",
            assertion_id=f"_a{self.made}",
        )
        statement = find(root, "saml:AuthnStatement")
        if session_index is None:
            del statement.attrib["SessionIndex"]
        else:
            statement.set("SessionIndex", session_index)
        if authenticated_at is not None:
            statement.set("AuthnInstant", rfc3339(authenticated_at))
        signature = Signature(key=signer(self.key).key)
        return saml_documents.form_field(saml_documents.document(root=root, signature=signature))

    async def post_response(self, response: str) -> Answer:
        """Bring a Response to the assertion consumer service."""
        fields = {"SAMLResponse": response}
        return await self.scenario.post_callback(self.scenario.browser(), self.connection, fields)

    async def token(self, **values: Any) -> str:
        """Sign in up to the sso_token."""
        return token_of(await self.post_response(self.response(**values)))

    async def sign_in(self, **values: Any) -> dict[str, Any]:
        """Sign in up to the session."""
        return await self.scenario.authenticate(await self.token(**values))

    def request(self, *, name_id: str = ADA, **changes: Any) -> bytes:
        """An unsigned LogoutRequest of now, by default for every session of Ada."""
        self.made += 1
        now = self.scenario.clock.now()
        values = {
            "request_id": f"_logout{self.made}",
            "issued_at": now,
            "not_on_or_after": now + 5 * MINUTE,
            "destination": self.logout_url,
            "issuer": self.issuer,
            **changes,
        }
        return logout_request(name_id=name_id, **values)

    async def redirect(
        self,
        message: bytes,
        *,
        key: str | None = None,
        relay_state: str | None = None,
        parameter: str = "SAMLRequest",
    ) -> Answer:
        """Send a message by HTTP-Redirect, signed with this provider's key or another."""
        url = redirect_url(
            message,
            destination=self.logout_url,
            relay_state=relay_state,
            key=signer(key or self.key).key,
            parameter=parameter,
        )
        return await self.visit(urlsplit(url).query)

    async def visit(self, query: str) -> Answer:
        """Visit the logout URL with any query."""
        target = f"{urlsplit(self.logout_url).path}?{query}"
        return await self.scenario.browser().get(target)

    async def post(
        self, message: bytes, *, relay_state: str | None = None, parameter: str = "SAMLRequest"
    ) -> Answer:
        """Send a message by HTTP-POST, signed."""
        fields = post_fields(
            message,
            relay_state=relay_state,
            key=signer(self.key).key,
            certificate_pem=None,
            parameter=parameter,
        )
        return await self.post_fields(fields)

    async def post_fields(self, fields: Mapping[str, str]) -> Answer:
        """Post any form to the logout URL."""
        return await self.scenario.browser().post(urlsplit(self.logout_url).path, fields)


async def provider(
    scenario: Scenario,
    *,
    organization: str = "Acme",
    key: str = "idp",
    binding: str = REDIRECT,
    logout: bool = True,
    slo: str = "",
    **changes: Any,
) -> Provider:
    """Make an active connection from metadata that offers Single Logout by one binding."""
    made = await scenario.organization(organization)
    connection = await scenario.saml_connection(
        made["organization_id"], idp=key, attribute_mapping=MAPPING, **changes
    )
    if logout:
        _publish(scenario, _metadata(key=key, binding=binding, slo=slo))
        await scenario.api.good("PUT", f"{_path(connection)}/url", {"metadata_url": METADATA_URL})
    return Provider(scenario, connection, key)


def _publish(scenario: Scenario, document: str) -> None:
    async def answer(_method: str, asked: str, _body: bytes) -> FetchResponse:
        headers = {"content-type": "application/samlmetadata+xml"}
        return FetchResponse(status=200, headers=headers, body=document.encode(), url=asked)

    scenario.fetch.answers[METADATA_URL] = answer


def answered(answer: Answer) -> tuple[_Element, str | None]:
    """The LogoutResponse in a redirect of ours to the identity provider, and its RelayState."""
    assert answer.status == 302, answer.text
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == SLO_RESPONSE
    query = parse_qs(place.query, strict_parsing=True)
    assert {"SigAlg", "Signature"} <= query.keys()
    message = zlib.decompress(b64decode(query["SAMLResponse"][0]), wbits=-zlib.MAX_WBITS)
    return etree.fromstring(message), query.get("RelayState", [None])[0]


def codes(response: _Element) -> list[str]:
    """The status codes of a LogoutResponse, without their common beginning."""
    found = response.iter("{urn:oasis:names:tc:SAML:2.0:protocol}StatusCode")
    return [each.get("Value", "").rpartition(":")[2] for each in found]


def _path(connection: Connection) -> str:
    organization_id, connection_id = connection["organization_id"], connection["connection_id"]
    return f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"


def _metadata(*, key: str, binding: str, slo: str) -> str:
    own = "" if slo else f' ResponseLocation="{SLO_RESPONSE}"'
    logout = service(binding, slo or SLO, name="SingleLogoutService", more=own)
    return entity(role(keys=[_signing(key)], logout=[logout]), entity_id=IDP_ENTITY)


def _signing(name: str) -> str:
    return key_descriptor(signer(name).pem)


__all__ = ["ADA", "POST", "REDIRECT", "Provider", "answered", "codes", "provider"]
