"""The back half of the test OpenID provider: what a relying party's server calls."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vestibule.clock import DAY, HOUR, SECOND, Clock
from vestibule.dev.credentials import OIDC_CLIENT_SECRET
from vestibule.dev.forms import FormError, read_form
from vestibule.dev.identity_provider.oidc import ISSUER_PATH
from vestibule.dev.identity_provider.oidc_tokens import (
    Grant,
    TokenSigner,
    challenge_of,
    claims_of,
)
from vestibule.dev.identity_provider.short_lived import ShortLived
from vestibule.dev.pages import route
from vestibule.ids import same_secret

ACCESS_TOKEN_LIFE: Final = HOUR
REFRESH_TOKEN_LIFE: Final = 30 * DAY
OFFLINE: Final = "offline_access"

_HEADERS: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """What RFC 6749 5.2 has the token endpoint say."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True)
class TokenSide:
    """What a relying party calls of the OpenID provider: token, userinfo and jwks."""

    base_url: str
    signer: TokenSigner
    codes: ShortLived[Grant]
    access_tokens: ShortLived[Grant]
    refresh_tokens: ShortLived[Grant]
    clock: Clock

    def routes(self) -> list[Route]:
        base = self.base_url
        return [
            route(f"{ISSUER_PATH}/token", self.token, base_url=base, methods=["POST"]),
            route(f"{ISSUER_PATH}/userinfo", self.userinfo, base_url=base, methods=["GET", "POST"]),
            route(f"{ISSUER_PATH}/jwks", self.jwks, base_url=base, methods=["GET"]),
        ]

    async def jwks(self, _request: Request) -> Response:
        """Answer with the key that signs the id_tokens."""
        return JSONResponse(self.signer.jwks())

    async def userinfo(self, request: Request) -> Response:
        """Answer with the claims behind an access token (OpenID Connect Core 5.3)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.access_tokens.get(token, now=self.clock.now())
        if scheme.lower() != "bearer" or grant is None:
            headers = {**_HEADERS, "WWW-Authenticate": 'Bearer error="invalid_token"'}
            return JSONResponse({"error": "invalid_token"}, status_code=401, headers=headers)
        return JSONResponse(claims_of(grant.login), headers=_HEADERS)

    async def token(self, request: Request) -> Response:
        """Give out tokens for a code or a refresh token (OpenID Connect Core 3.1.3, 12)."""
        try:
            fields = await read_form(request)
            client_id = _client(fields, request.headers.get("authorization", ""))
            now = self.clock.now()
            return self._tokens(self._grant(fields, client_id=client_id, now=now), now=now)
        except FormError as error:
            return _refuse(OAuthError("invalid_request", str(error)))
        except OAuthError as error:
            return _refuse(error)

    def _grant(self, fields: Mapping[str, str], *, client_id: str, now: int) -> Grant:
        """Return the login behind the code or refresh token, which is used up (RFC 9700 4.14.2)."""
        kind = fields.get("grant_type")
        if kind == "authorization_code":
            grant = self.codes.take(fields.get("code", ""), now=now)
            if grant is None:
                raise OAuthError(
                    "invalid_grant", "The code is unknown, used or older than a minute."
                )
            _check_grant(grant, client_id=client_id, fields=fields)
            return grant
        if kind == "refresh_token":
            grant = self.refresh_tokens.take(fields.get("refresh_token", ""), now=now)
            if grant is None or grant.client_id != client_id:
                raise OAuthError("invalid_grant", "The refresh token is unknown or used.")
            return replace(grant, nonce="")
        raise OAuthError(
            "unsupported_grant_type", "Only authorization_code and refresh_token are known."
        )

    def _tokens(self, grant: Grant, *, now: int) -> Response:
        access_token = self.access_tokens.add(grant, now=now)
        answer = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFE // SECOND,
            "scope": grant.scope,
            "id_token": self.signer.id_token(grant, access_token=access_token, now=now),
        }
        if OFFLINE in grant.scope.split():
            answer["refresh_token"] = self.refresh_tokens.add(grant, now=now)
        return JSONResponse(answer, headers=_HEADERS)


def _check_grant(grant: Grant, *, client_id: str, fields: Mapping[str, str]) -> None:
    """Raise OAuthError unless the code was made for this caller (RFC 6749 4.1.3, RFC 7636 4.6)."""
    if client_id != grant.client_id:
        raise OAuthError("invalid_grant", "The code was made for another client.")
    if fields.get("redirect_uri") != grant.redirect_url:
        raise OAuthError("invalid_grant", "The redirect_uri is not the one of the request.")
    verifier = fields.get("code_verifier", "")
    if grant.code_challenge and challenge_of(verifier) != grant.code_challenge:
        raise OAuthError("invalid_grant", "The code_verifier does not fit the code_challenge.")
    if verifier and not grant.code_challenge:
        raise OAuthError("invalid_grant", "A code_verifier came for a code without a challenge.")


def _client(fields: Mapping[str, str], authorization: str) -> str:
    """Return the client id that proved itself (RFC 6749 2.3.1), or raise OAuthError."""
    if authorization and "client_secret" in fields:
        raise OAuthError("invalid_request", "The client authenticates in two ways at once.")
    if authorization:
        client_id, secret = _basic(authorization)
    else:
        client_id, secret = fields.get("client_id", ""), fields.get("client_secret", "")
    known = same_secret(secret.encode(errors="replace"), OIDC_CLIENT_SECRET.encode())
    if not (client_id and known):
        raise OAuthError("invalid_client", "The client_secret is not the fixed one.", status=401)
    return client_id


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "The Authorization header is not Basic.", status=401)
    return unquote_plus(client_id), unquote_plus(secret)


def _refuse(error: OAuthError) -> Response:
    challenge = {"WWW-Authenticate": "Basic"} if error.status == 401 else {}
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers={**_HEADERS, **challenge})
