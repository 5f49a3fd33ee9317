"""A whole server in this process with one project, and identity providers that really sign.

Time is the test's, outbound HTTP reaches only what the scenario puts there, and everything else
is real: the application, the database, the signatures.
"""

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support import oidc_documents, saml_documents
from tests.support.asgi import Answer, Api, Browser
from tests.support.context import BASE_URL, RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.saml_keys import signer
from vestibule.app import App
from vestibule.clock import SECOND
from vestibule.counters import Counters
from vestibule.domain import projects
from vestibule.domain.context import Context
from vestibule.domain.private_keys import load
from vestibule.fetch import FetchResponse
from vestibule.ids import hash_secret
from vestibule.records import Project, ProjectSecret, PublicToken, SigningKey
from vestibule.saml.keys import private_key_pem
from vestibule.settings import Settings
from vestibule.store.interface import Store

LOGIN_URL: Final = "https://app.example.test/callback"
SIGNUP_URL: Final = "https://app.example.test/welcome"
IDP_ENTITY: Final = "https://idp.example.com/metadata"
IDP_SSO: Final = "https://idp.example.com/sso"
ISSUER: Final = "https://op.example.com"
CLIENT_ID: Final = "client-1"
CLIENT_SECRET: Final = "client-secret-1"
MAPPING: Final = {
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "groups": "groups",
}
_REQUEST_ID: Final = re.compile(rb'\sID="([^"]+)"')


@dataclass
class OpenIdProvider:
    """What an OpenID provider would answer for the next code."""

    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    access_token: str = "access-1"
    refresh_token: str | None = None


class Scenario:
    """One project of one server, and the world around it."""

    def __init__(self, context: Context, project: Project, api: Api, *, public_token: str) -> None:
        self.context = context
        self.project = project
        self.api = api
        self.app = api.app
        self.public_token = public_token
        self.provider = OpenIdProvider()
        self.fetch: RoutedFetch = context.fetch  # type: ignore[assignment]  # it was put there
        self.clock: HandClock = context.clock  # type: ignore[assignment]  # same

    def browser(self) -> Browser:
        """Return a browser without cookies."""
        return Browser(self.app)

    async def organization(self, name: str = "Acme", **settings: Any) -> dict[str, Any]:
        """Create an organization and return its object."""
        body = {"organization_name": name, **settings}
        answer = await self.api.good("POST", "/v1/b2b/organizations", body)
        return dict(answer["organization"])

    async def saml_connection(
        self, organization_id: str, *, idp: str = "idp", **changes: Any
    ) -> dict[str, Any]:
        """Make an active SAML connection to the identity provider that signs as `idp`."""
        made = await self.api.good("POST", f"/v1/b2b/sso/saml/{organization_id}", {})
        connection_id = made["connection"]["connection_id"]
        body = {
            "idp_entity_id": IDP_ENTITY,
            "idp_sso_url": IDP_SSO,
            "x509_certificate": signer(idp).pem,
            "attribute_mapping": MAPPING,
            **changes,
        }
        path = f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"
        return dict((await self.api.good("PUT", path, body))["connection"])

    async def oidc_connection(self, organization_id: str, **changes: Any) -> dict[str, Any]:
        """Make an active OIDC connection to the scenario's OpenID provider."""
        made = await self.api.good("POST", f"/v1/b2b/sso/oidc/{organization_id}", {})
        connection_id = made["connection"]["connection_id"]
        self._publish_provider()
        body = {
            "issuer": ISSUER,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            **changes,
        }
        path = f"/v1/b2b/sso/oidc/{organization_id}/connections/{connection_id}"
        return dict((await self.api.good("PUT", path, body))["connection"])

    async def start(self, browser: Browser, **parameters: str) -> Answer:
        """Visit the start URL with the project's public token."""
        query = urlencode({"public_token": self.public_token, **parameters})
        return await browser.get(f"/v1/public/sso/start?{query}")

    async def saml_fields(
        self,
        browser: Browser,
        connection: dict[str, Any],
        *,
        start: dict[str, str] | None = None,
        **response: Any,
    ) -> dict[str, str]:
        """Start at a SAML connection and return the form that the identity provider would post."""
        request_id, relay_state = await self.saml_request(browser, connection, start=start)
        return {
            "SAMLResponse": self.saml_response(connection, in_response_to=request_id, **response),
            "RelayState": relay_state,
        }

    async def saml_request(
        self,
        browser: Browser,
        connection: dict[str, Any],
        *,
        start: dict[str, str] | None = None,
    ) -> tuple[str, str]:
        """Start at a SAML connection and return the ID of the request and its RelayState."""
        started = await self.start(
            browser, connection_id=connection["connection_id"], **(start or {})
        )
        assert started.status == 302, started.text
        query = parse_qs(urlsplit(started.headers["location"]).query)
        request = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS)
        found = _REQUEST_ID.search(request)
        assert found is not None
        return found[1].decode(), query["RelayState"][0]

    def saml_response(
        self,
        connection: dict[str, Any],
        *,
        in_response_to: str | None,
        email: str = "ada@acme.test",
        idp: str = "idp",
        **changes: Any,
    ) -> str:
        """Return a signed Response for `connection`, with an assertion id of its own."""
        self._made = getattr(self, "_made", 0) + 1
        values = {
            "issuer": IDP_ENTITY,
            "acs": connection["acs_url"],
            "audience": connection["audience_uri"],
            "now": self.clock.now(),
            "subject": email,
            "attributes": {"email": [email], "firstName": ["Ada"], "lastName": ["Lovelace"]},
            "response_id": f"_response-{self._made}",
            "assertion_id": f"_assertion-{self._made}",
            **changes,
        }
        key = signer(idp)
        return saml_documents.build_response(
            key.key, key.pem, in_response_to=in_response_to, **values
        )

    async def post_callback(
        self, browser: Browser, connection: dict[str, Any], fields: dict[str, str]
    ) -> Answer:
        """Post a form to the connection's ACS."""
        return await browser.post(urlsplit(connection["acs_url"]).path, fields)

    async def saml_token(
        self, connection: dict[str, Any], *, browser: Browser | None = None, **options: Any
    ) -> str:
        """Sign in through SAML up to the sso_token in the redirect."""
        used = browser or self.browser()
        fields = await self.saml_fields(used, connection, **options)
        return token_of(await self.post_callback(used, connection, fields))

    async def oidc_callback(
        self,
        browser: Browser,
        connection: dict[str, Any],
        *,
        start: dict[str, str] | None = None,
        code: str = "code-1",
        between: Callable[[], Awaitable[None]] | None = None,
        **claims: Any,
    ) -> Answer:
        """Start at an OIDC connection and come back with a code; `claims` change the ID token.

        `between` is what happens while the person is at the provider.
        """
        started = await self.start(
            browser, connection_id=connection["connection_id"], **(start or {})
        )
        assert started.status == 302, started.text
        query = parse_qs(urlsplit(started.headers["location"]).query)
        issued = self.clock.now() // SECOND
        self.provider.claims = oidc_documents.changed(
            oidc_documents.claims(
                iss=ISSUER,
                aud=CLIENT_ID,
                sub="op-user-1",
                nonce=query["nonce"][0],
                email="ada@acme.test",
                name="Ada Lovelace",
                iat=issued,
                exp=issued + 300,
            ),
            claims,
        )
        if between is not None:
            await between()
        answer = urlencode({"code": code, "state": query["state"][0]})
        return await browser.get(f"{urlsplit(connection['redirect_url']).path}?{answer}")

    async def oidc_token(
        self, connection: dict[str, Any], *, browser: Browser | None = None, **claims: Any
    ) -> str:
        """Sign in through OIDC up to the sso_token in the redirect."""
        return token_of(await self.oidc_callback(browser or self.browser(), connection, **claims))

    async def authenticate(self, token: str, **options: Any) -> dict[str, Any]:
        """Redeem an sso_token that must be good."""
        body = {"sso_token": token, **options}
        return dict(await self.api.good("POST", "/v1/b2b/sso/authenticate", body))

    def publish(self, issuer: str) -> None:
        """Let the scenario's provider describe itself under this issuer, too."""

        async def discovery(_method: str, url: str, _body: bytes) -> FetchResponse:
            document = {
                "issuer": issuer,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "userinfo_endpoint": f"{ISSUER}/userinfo",
                "jwks_uri": f"{ISSUER}/jwks",
            }
            return _json(url, document)

        address = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        self.fetch.answers[address] = discovery

    def _publish_provider(self) -> None:
        self.publish(ISSUER)
        answers = self.fetch.answers
        answers[f"{ISSUER}/token"] = self._token
        answers[f"{ISSUER}/jwks"] = self._jwks
        answers[f"{ISSUER}/userinfo"] = self._userinfo

    async def _token(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        answer = {
            "access_token": self.provider.access_token,
            "refresh_token": self.provider.refresh_token,
            "token_type": "Bearer",
            "id_token": oidc_documents.token(self.provider.claims),
        }
        return _json(url, answer, status=self.provider.token_status)

    async def _jwks(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        return _json(url, {"keys": [oidc_documents.rsa_signer().jwk()]})

    async def _userinfo(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        claims = self.provider.claims
        return _json(url, {"sub": claims.get("sub"), **self.provider.userinfo})


def _json(url: str, document: dict[str, Any], *, status: int = 200) -> FetchResponse:
    headers = {"content-type": "application/json"}
    return FetchResponse(
        status=status, headers=headers, body=json.dumps(document).encode(), url=url
    )


def token_of(answer: Answer) -> str:
    """Return the sso_token of a callback's redirect."""
    assert answer.status in {302, 303}, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["stytch_token_type"] == ["sso"]
    return query["token"][0]


async def open_scenario(
    store: Store,
    *,
    clock: HandClock,
    entropy: SeededEntropy,
    settings: Settings | None = None,
    counters: Counters | None = None,
    name: str = "first",
) -> Scenario:
    """Return a server on `store` with one project whose redirect URLs are registered."""
    context = await open_test_context(
        store,
        clock=clock,
        entropy=entropy,
        fetch=RoutedFetch(),
        settings=settings,
        counters=counters,
    )
    app = App(context)
    return await add_project(app, context, name=name)


async def add_project(app: App, context: Context, *, name: str) -> Scenario:
    """Add a project to a server; its signing key is one that the tests share, to save time."""
    secret, public_token = f"secret-test-{name}", f"public-token-test-{name}"
    project = Project(
        project_id=f"project-test-{name}",
        environment="test",
        name=name,
        created_at=context.clock.now(),
    )
    async with context.store.write() as tx:
        await tx.projects.insert(project)
        await tx.project_secrets.insert(
            ProjectSecret(
                secret_id=f"secret-id-{name}",
                project_id=project.project_id,
                secret_hash=hash_secret(secret.encode()),
                last_four=secret[-4:],
                created_at=project.created_at,
            )
        )
        await tx.public_tokens.insert(
            PublicToken(
                public_token=public_token,
                project_id=project.project_id,
                created_at=project.created_at,
            )
        )
        await tx.signing_keys.insert(_signing_key(context, project))
    await projects.add_redirect_url(context, project, LOGIN_URL, login=True, signup=False)
    await projects.add_redirect_url(context, project, SIGNUP_URL, login=False, signup=True)
    api = Api(app, project_id=project.project_id, secret=secret)
    return Scenario(context, project, api, public_token=public_token)


def _signing_key(context: Context, project: Project) -> SigningKey:
    shared = signer("session-jwt")
    pem = private_key_pem(shared.key).encode()
    load(pem)
    return SigningKey(
        key_id=f"jwk-test-{project.name}",
        project_id=project.project_id,
        private_key=context.sealer.seal(pem, purpose="session-jwt-key"),
        certificate=shared.certificate.der,
        created_at=project.created_at,
        active_from=project.created_at,
    )


__all__ = ["BASE_URL", "Scenario", "add_project", "open_scenario", "token_of"]
