"""An identity provider for tests: it really signs, and lets anybody be anyone."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.clock import Clock
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.oidc import CODE_LIFE, ISSUER_PATH, AuthorizationSide
from vestibule.dev.identity_provider.oidc_backchannel import (
    ACCESS_TOKEN_LIFE,
    REFRESH_TOKEN_LIFE,
    TokenSide,
)
from vestibule.dev.identity_provider.oidc_tokens import Grant, TokenSigner
from vestibule.dev.identity_provider.origins import Destinations
from vestibule.dev.identity_provider.saml import INITIATE_PATH, SamlSide
from vestibule.dev.identity_provider.short_lived import ShortLived
from vestibule.dev.pages import page, route
from vestibule.ids import Entropy

INDEX_PATH: Final = "/dev/idp"


def identity_provider(
    base_url: str,
    *,
    identity: SigningIdentity,
    clock: Clock,
    entropy: Entropy,
    allowed_origins: Sequence[str] = (),
) -> list[Route]:
    """Return the routes of the test identity provider below `{base_url}/dev/idp`.

    It answers only at ACS and redirect URLs of the origin of `base_url`, and of `allowed_origins`
    when there are any: it must not sign for foreign sites.
    """
    destinations = Destinations((base_url, *allowed_origins))
    codes = ShortLived[Grant](life=CODE_LIFE, entropy=entropy)
    saml = SamlSide(base_url, identity, destinations, clock, entropy)
    browser = AuthorizationSide(base_url, destinations, codes, clock)
    server = TokenSide(
        base_url,
        TokenSigner(issuer=base_url + ISSUER_PATH, identity=identity),
        codes,
        ShortLived[Grant](life=ACCESS_TOKEN_LIFE, entropy=entropy),
        ShortLived[Grant](life=REFRESH_TOKEN_LIFE, entropy=entropy),
        clock,
    )

    async def index(_request: Request) -> Response:
        return page(
            "identity_provider.html",
            entity_id=saml.entity_id,
            sso_url=saml.sso_url,
            certificate=identity.certificate_pem,
            initiate_path=INITIATE_PATH,
            discovery=browser.discovery,
            client_id=OIDC_CLIENT_ID,
            client_secret=OIDC_CLIENT_SECRET,
        )

    return [
        route(INDEX_PATH, index, base_url=base_url, methods=["GET"]),
        *saml.routes(),
        *browser.routes(),
        *server.routes(),
    ]
