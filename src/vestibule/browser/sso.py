"""SSO in the browser: start, the callback of both protocols, and SP metadata."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule import errors
from vestibule.browser import cookie
from vestibule.browser.answers import redirect, refused
from vestibule.browser.page import SAFETY, render
from vestibule.domain.context import Context
from vestibule.domain.sign_in import callback, oidc, saml, service_provider, start
from vestibule.domain.sign_in.callback import Refused, Target
from vestibule.errors import Failure
from vestibule.web import ClientGone, failure_of, read_body

_START: Final = "/v1/public/sso/start"
_CALLBACK: Final = "/v1/b2b/sso/callback/{connection_id}"
_METADATA: Final = "/v1/public/sso/metadata/{connection_id}"
_FORM: Final = "application/x-www-form-urlencoded"
_REPOSTED: Final = "reposted"
# base64 of 256 KiB and its percent-encoding, with room for RelayState.
_MAX_FORM_BYTES: Final = 1_100_000
_MAX_FIELDS: Final = 50

# Every method reaches the page, so that the refusal of one is ours to render.
ANY_METHOD: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

Page = Callable[[Request], Awaitable[Response]]


class Sso:
    """The pages of single sign-on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._secure = context.settings.base_url.startswith("https://")

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(_START, self._guarded(self.start, "GET"), methods=ANY_METHOD),
            Route(_CALLBACK, self._guarded(self.callback, "GET", "POST"), methods=ANY_METHOD),
            Route(_METADATA, self._guarded(self.metadata, "GET"), methods=ANY_METHOD),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the identity provider's login."""
        query = _once(_query(request))
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
        fields = await callback.recorded(self._context, found, _form(request))
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
            return render("post.html", action=request.scope["path"], fields=again)
        return redirect(done.redirect_url, status=303)

    async def _oidc(self, request: Request, found: Target) -> Response:
        answer = oidc.OidcAnswer(
            query=await callback.recorded(self._context, found, _get(request)),
            cookie=cookie.read(request, secure=self._secure),
        )
        return redirect((await oidc.complete(self._context, found, answer)).redirect_url)

    def _guarded(self, page: Page, *methods: str) -> Page:
        """Let only `methods` in, and turn what `page` raises into the one plain page.

        HEAD is not GET here: a link scanner must not use up a sign-in.
        """

        async def answer(request: Request) -> Response:
            try:
                if request.method not in methods:
                    raise Failure(errors.method_not_allowed)
                return await page(request)
            except ClientGone:
                return Response(status_code=400)
            except Refused as error:
                failure = Failure(error.refusal.error, error.refusal.message)
                trace_id = error.trace_id
            except Exception as error:  # noqa: BLE001 - the one place where all errors become a page
                failure, trace_id = failure_of(error), ""
            response = refused(self._context, request, failure, trace_id=trace_id)
            if failure.error is errors.method_not_allowed:
                response.headers["Allow"] = ", ".join(m for m in methods if m != request.method)
            return response

        return answer


async def _get(request: Request) -> str:
    """Return the query of a GET. Raises Failure for a POST: no form was asked for (OI-14)."""
    if request.method != "GET":
        raise Failure(errors.method_not_allowed)
    return _query(request)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form (security.md XP-24, XP-43, XP-44).

    Raises Failure: not posted, too large, not a form, or not exactly one SAMLResponse.
    """
    if request.method != "POST":
        raise Failure(errors.method_not_allowed)
    body = await read_body(request.scope, request.receive, limit=_MAX_FORM_BYTES)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise Failure(errors.unsupported_media_type, f"Post a form ({_FORM}).")
    if any(_is_message(name) for name, _ in _pairs(_query(request))):
        raise Failure(errors.missing_saml_response, "SAMLResponse belongs into the form alone.")
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise Failure(errors.bad_request, "The form is not URL-encoded.") from None
    fields = _once(text)
    if [name for name in fields if _is_message(name)] != ["SAMLResponse"]:
        raise Failure(errors.missing_saml_response, "Post exactly one SAMLResponse.")
    if not fields["SAMLResponse"]:
        raise Failure(errors.missing_saml_response)
    return fields


def _is_message(name: str) -> bool:
    """True for SAMLResponse, SAMLRequest, SAMLart, and names that some would read as these."""
    return name.lower().startswith("saml")


def _query(request: Request) -> str:
    # Not request.url: that is put together with the Host header, which anybody can write.
    return str(request.scope["query_string"].decode("latin-1"))


def _once(query: str) -> dict[str, str]:
    """Return the fields of a query or form. Raises Failure when one is given twice."""
    pairs = _pairs(query)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Failure(errors.bad_request, f"{twice[:100]}: given more than once.")
    return fields


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise Failure(errors.bad_request, "The fields cannot be read.") from None
    if any("\0" in value for _, value in pairs):
        raise Failure(errors.bad_request, "A field has a NUL character.")
    return pairs
