"""SSO in the browser: start, the callback of both protocols, and SP metadata."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule import errors
from vestibule.browser import cookie, forms
from vestibule.browser.answers import ANY_METHOD, guarded, redirect
from vestibule.browser.page import SAFETY, render
from vestibule.domain import limits
from vestibule.domain.context import Context
from vestibule.domain.sign_in import callback, oidc, saml, service_provider, start
from vestibule.domain.sign_in.callback import Target
from vestibule.errors import Failure

_START: Final = "/v1/public/sso/start"
_CALLBACK: Final = "/v1/b2b/sso/callback/{connection_id}"
_METADATA: Final = "/v1/public/sso/metadata/{connection_id}"
_REPOSTED: Final = "reposted"


class Sso:
    """The pages of single sign-on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._secure = context.settings.base_url.startswith("https://")

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        context, pages = self._context, limits.PAGES
        start = guarded(context, self.start, "GET", limits=(pages, limits.START))
        answer = guarded(context, self.callback, "GET", "POST", limits=(pages, limits.CALLBACK))
        metadata = guarded(context, self.metadata, "GET", limits=(pages,))
        return [
            Route(_START, start, methods=ANY_METHOD),
            Route(_CALLBACK, answer, methods=ANY_METHOD),
            Route(_METADATA, metadata, methods=ANY_METHOD),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the identity provider's login."""
        query = forms.query_fields(request)
        known = start.StartRequest.__dataclass_fields__
        wanted = {name: value for name, value in query.items() if name in known}
        wanted["cookie"] = cookie.read(request, secure=self._secure)
        started = await start.begin(self._context, start.StartRequest(**wanted))
        response = (
            render("post.html", action=started.url, fields=started.fields)
            if started.fields
            else redirect(started.url)
        )
        cookie.write(response, started.cookie, secure=self._secure)
        return response

    async def callback(self, request: Request) -> Response:
        """Take the identity provider's answer: a posted Response, or a code in the query."""
        found = await callback.target(self._context, request.path_params["connection_id"])
        if found.connection.protocol == "saml":
            return await self._saml(request, found)
        return await self._oidc(request, found)

    async def metadata(self, request: Request) -> Response:
        """Answer with the SAML metadata of a connection's service provider."""
        connection_id = request.path_params["connection_id"].removesuffix(".xml")
        document = await service_provider.metadata(self._context, connection_id)
        return Response(document, media_type="application/samlmetadata+xml", headers=dict(SAFETY))

    async def _saml(self, request: Request, found: Target) -> Response:
        fields = await callback.recorded(self._context, found, forms.saml_form(request))
        answer = saml.SamlAnswer(
            saml_response=fields["SAMLResponse"],
            relay_state=fields.get("RelayState", ""),
            cookie=cookie.read(request, secure=self._secure),
            reposted=_REPOSTED in fields,
        )
        try:
            done = await saml.complete(self._context, found, answer)
        except saml.CookieWanted:
            again = {**fields, _REPOSTED: "1"}
            action = saml.repost_url(self._context, found) or request.scope["path"]
            return render("post.html", action=action, fields=again)
        return redirect(done.redirect_url, status=303)

    async def _oidc(self, request: Request, found: Target) -> Response:
        answer = oidc.OidcAnswer(
            query=await callback.recorded(self._context, found, _get(request)),
            cookie=cookie.read(request, secure=self._secure),
        )
        return redirect((await oidc.complete(self._context, found, answer)).redirect_url)


async def _get(request: Request) -> str:
    """Return the query of a GET. Raises Failure for a POST: no form was asked for (OI-14)."""
    if request.method != "GET":
        raise Failure(errors.method_not_allowed)
    return forms.query(request)
