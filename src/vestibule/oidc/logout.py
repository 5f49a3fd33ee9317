"""The logout request to an OpenID provider (OpenID Connect RP-Initiated Logout 1.0)."""

from typing import Final

from vestibule.oidc.errors import Reason
from vestibule.oidc.request import with_parameters
from vestibule.oidc.urls import check_url

# It travels in a URL, and web servers take about 8 KiB of one.
_LONGEST_HINT: Final = 4096


def logout_url(
    *, endpoint: str, client_id: str, redirect_url: str, state: str, id_token: str = ""
) -> str:
    """Return where to send the browser so that the provider's session ends.

    `redirect_url` is where it comes back with `state`, and must be registered with the provider.
    `id_token` is the hint whose session is meant; one too long for a URL is left out.
    Raises OidcError(oidc.url).
    """
    check_url(endpoint, reason=Reason.URL, secure=False)
    parameters = {
        "client_id": client_id,
        "post_logout_redirect_uri": redirect_url,
        "state": state,
    }
    if 0 < len(id_token) <= _LONGEST_HINT:
        parameters["id_token_hint"] = id_token
    return with_parameters(endpoint, parameters)
