"""Every vendor, by the key that the API knows it under."""

from collections.abc import Mapping
from typing import Final

from vestibule.identity_providers import (
    classlink,
    cyberark,
    duo,
    generic,
    google_workspace,
    jumpcloud,
    keycloak,
    microsoft_entra,
    miniorange,
    okta,
    onelogin,
    pingfederate,
    rippling,
    salesforce,
    shibboleth,
)
from vestibule.identity_providers.base import IdentityProvider

CATALOGUE: Final[Mapping[str, IdentityProvider]] = {
    provider.key: provider
    for provider in (
        classlink.PROVIDER,
        cyberark.PROVIDER,
        duo.PROVIDER,
        generic.PROVIDER,
        google_workspace.PROVIDER,
        jumpcloud.PROVIDER,
        keycloak.PROVIDER,
        microsoft_entra.PROVIDER,
        miniorange.PROVIDER,
        okta.PROVIDER,
        onelogin.PROVIDER,
        pingfederate.PROVIDER,
        rippling.PROVIDER,
        salesforce.PROVIDER,
        shibboleth.PROVIDER,
    )
}
