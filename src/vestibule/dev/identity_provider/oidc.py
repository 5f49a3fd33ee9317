"""The front half of the test OpenID provider: discovery, authorization, the sign-in page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from vestibule.clock import MINUTE, Clock
from vestibule.dev.forms import line, read_form, read_query
from vestibule.dev.identity_provider.oidc_tokens import Grant
from vestibule.dev.identity_provider.origins import Destinations
from vestibule.dev.identity_provider.people import read_login
from vestibule.dev.identity_provider.short_lived import ShortLived
from vestibule.dev.identity_provider.sign_in_page import DENY, sign_in_page
from vestibule.dev.pages import Refused, route

ISSUER_PATH: Final = "/dev/idp/oidc"
CODE_LIFE: Final = MINUTE

_PARAMETERS: Final = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "scope")
_LONGEST: Final = 2000


@dataclass(frozen=True)
class AuthorizationSide:
    """What the browser visits of the OpenID provider `{base_url}/dev/idp/oidc`."""

    base_url: str
    destinations: Destinations
    codes: ShortLived[Grant]
    clock: Clock
    discovery: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "discovery", discovery_document(self.base_url + ISSUER_PATH))

    def routes(self) -> list[Route]:
        base = self.base_url
        well_known = f"{ISSUER_PATH}/.well-known/openid-configuration"
        return [
            route(well_known, self.configuration, base_url=base, methods=["GET"]),
            route(
                f"{ISSUER_PATH}/authorize", self.authorize, base_url=base, methods=["GET", "POST"]
            ),
            route(f"{ISSUER_PATH}/login", self.log_in, base_url=base, methods=["POST"]),
        ]

    async def configuration(self, _request: Request) -> Response:
        """Answer with the discovery document (OpenID Connect Discovery 4.2)."""
        return JSONResponse(dict(self.discovery))

    async def authorize(self, request: Request) -> Response:
        """Show the sign-in page for an authorization request (OpenID Connect Core 3.1.2.1)."""
        posted = request.method == "POST"
        fields = await read_form(request) if posted else read_query(request)
        asked = {name: line(fields, name, longest=_LONGEST) for name in _PARAMETERS}
        if not asked["client_id"]:
            raise Refused("No client", "The authorization request names no client_id.")
        self.destinations.check(asked["redirect_uri"])
        if error := _request_error(fields, asked):
            return self._send_back(asked, error)
        return sign_in_page(
            protocol="OpenID Connect",
            asker=asked["client_id"],
            action=f"{ISSUER_PATH}/login",
            hidden=asked,
        )

    async def log_in(self, request: Request) -> Response:
        """Send the browser back with a code for the login that the sign-in page describes."""
        fields = await read_form(request)
        asked = {name: line(fields, name, longest=_LONGEST) for name in _PARAMETERS}
        self.destinations.check(asked["redirect_uri"])
        if fields.get("decision") == DENY:
            refusal = {"error": "access_denied", "error_description": "The person refused."}
            return self._send_back(asked, refusal)
        now = self.clock.now()
        grant = Grant(
            client_id=asked["client_id"],
            redirect_url=asked["redirect_uri"],
            nonce=asked["nonce"],
            code_challenge=asked["code_challenge"],
            scope=asked["scope"],
            login=read_login(fields),
            authenticated_at=now,
        )
        return self._send_back(asked, {"code": self.codes.add(grant, now=now)})

    def _send_back(self, asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        """Answer at the redirect URL, with `iss` so that nobody mixes us up (RFC 9207)."""
        state = {"state": asked["state"]} if asked["state"] else {}
        query = urlencode({**answer, **state, "iss": self.discovery["issuer"]})
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return RedirectResponse(f"{asked['redirect_uri']}{joint}{query}", 303, headers)


def _request_error(fields: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """Return the error to send back (RFC 6749 4.1.2.1), or nothing when all is well."""
    if fields.get("response_type") != "code":
        return {"error": "unsupported_response_type", "error_description": "Only code is known."}
    if "openid" not in asked["scope"].split():
        return {"error": "invalid_scope", "error_description": "The scope openid is missing."}
    method = fields.get("code_challenge_method", "")
    if asked["code_challenge"] and method != "S256":
        return {"error": "invalid_request", "error_description": "Only S256 challenges are known."}
    return {}


def discovery_document(issuer: str) -> dict[str, Any]:
    """Return what the OpenID provider `issuer` can do."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "groups", "offline_access"],
        "claims_supported": [
            "sub",
            "email",
            "email_verified",
            "given_name",
            "family_name",
            "name",
            "groups",
        ],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
