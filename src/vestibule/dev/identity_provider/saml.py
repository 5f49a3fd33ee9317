"""The SAML side of the test identity provider: metadata, sign-in page, signed answer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.clock import Clock
from vestibule.dev.forms import line, read_form, read_query
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.origins import Destinations
from vestibule.dev.identity_provider.people import read_login
from vestibule.dev.identity_provider.saml_request import (
    SignInRequest,
    decode_request,
    read_authn_request,
)
from vestibule.dev.identity_provider.saml_response import (
    Envelope,
    Signed,
    metadata,
    refusing_response,
    signed_response,
)
from vestibule.dev.identity_provider.sign_in_page import DENY, sign_in_page
from vestibule.dev.pages import Refused, page, route
from vestibule.ids import Entropy

METADATA_PATH: Final = "/dev/idp/saml/metadata"
SSO_PATH: Final = "/dev/idp/saml/sso"
INITIATE_PATH: Final = "/dev/idp/saml/initiate"
LOGIN_PATH: Final = "/dev/idp/saml/login"

_URL_LENGTH: Final = 2000


@dataclass(frozen=True)
class SamlSide:
    """The SAML endpoints of the identity provider whose entity id is its metadata URL."""

    base_url: str
    identity: SigningIdentity
    destinations: Destinations
    clock: Clock
    entropy: Entropy

    @property
    def entity_id(self) -> str:
        return self.base_url + METADATA_PATH

    @property
    def sso_url(self) -> str:
        return self.base_url + SSO_PATH

    def routes(self) -> list[Route]:
        return [
            route(METADATA_PATH, self.metadata, base_url=self.base_url, methods=["GET"]),
            route(SSO_PATH, self.sign_in, base_url=self.base_url, methods=["GET", "POST"]),
            route(INITIATE_PATH, self.initiate, base_url=self.base_url, methods=["GET"]),
            route(LOGIN_PATH, self.log_in, base_url=self.base_url, methods=["POST"]),
        ]

    async def metadata(self, _request: Request) -> Response:
        """Answer with what a service provider needs to know of this identity provider."""
        content = metadata(
            entity_id=self.entity_id,
            sso_url=self.sso_url,
            certificate_pem=self.identity.certificate_pem,
        )
        return Response(content, media_type="application/samlmetadata+xml")

    async def sign_in(self, request: Request) -> Response:
        """Show the sign-in page for the AuthnRequest that came by Redirect or POST."""
        posted = request.method == "POST"
        fields = await read_form(request) if posted else read_query(request)
        if "SAMLRequest" not in fields:
            raise Refused(
                "No sign-in request",
                "Start at the application, or at /dev/idp for an IdP-initiated login.",
            )
        data = decode_request(fields["SAMLRequest"], deflated=not posted)
        asked = read_authn_request(data, destination=self.sso_url)
        return self._page(asked, relay_state=fields.get("RelayState"))

    async def initiate(self, request: Request) -> Response:
        """Show the sign-in page for a login that starts here: `acs` and `audience` in the query."""
        fields = read_query(request)
        asked = SignInRequest(
            request_id="",
            audience=line(fields, "audience", longest=_URL_LENGTH),
            acs_url=line(fields, "acs", longest=_URL_LENGTH),
        )
        if not asked.audience:
            raise Refused("No audience", "An IdP-initiated login needs acs= and audience=.")
        return self._page(asked, relay_state=fields.get("RelayState"))

    def _page(self, asked: SignInRequest, *, relay_state: str | None) -> Response:
        hidden = {
            "acs": self.destinations.check(asked.acs_url),
            "audience": asked.audience,
            "request_id": asked.request_id,
            "authn_context": asked.authn_context,
        }
        if relay_state is not None:
            hidden["relay_state"] = relay_state
        return sign_in_page(protocol="SAML", asker=asked.audience, action=LOGIN_PATH, hidden=hidden)

    async def log_in(self, request: Request) -> Response:
        """Sign what the sign-in page says and post it to the ACS through the browser."""
        fields = await read_form(request)
        asked = SignInRequest(
            request_id=line(fields, "request_id"),
            audience=line(fields, "audience", longest=_URL_LENGTH),
            acs_url=self.destinations.check(line(fields, "acs", longest=_URL_LENGTH)),
            authn_context=line(fields, "authn_context"),
        )
        message = self._answer(asked, fields)
        answer = {"SAMLResponse": base64.b64encode(message).decode()}
        if "relay_state" in fields:
            answer["RelayState"] = fields["relay_state"]
        return page("post.html", leaves=True, action=asked.acs_url, fields=answer)

    def _answer(self, asked: SignInRequest, fields: Mapping[str, str]) -> bytes:
        envelope = Envelope(
            entity_id=self.entity_id,
            response_id=self._new_id(),
            assertion_id=self._new_id(),
            now=self.clock.now(),
        )
        if fields.get("decision") == DENY:
            return refusing_response(envelope, asked, identity=self.identity)
        signed = fields.get("signed", "assertion")
        if signed not in get_args(Signed):
            raise Refused("Nothing to sign", "Choose assertion, response or both.")
        return signed_response(
            envelope,
            asked,
            read_login(fields),
            signed=cast("Signed", signed),
            identity=self.identity,
        )

    def _new_id(self) -> str:
        return f"_{self.entropy.token_bytes(16).hex()}"
