"""The fixed names and secrets of the development project: known to all, never in production."""

from dataclasses import dataclass, field
from typing import Final

PROJECT_ID: Final = "project-test-00000000-0000-7000-8000-000000000001"
SECRET: Final = "secret-test-dev-only-not-for-production"
PUBLIC_TOKEN: Final = "public-token-test-00000000-0000-7000-8000-000000000001"

ORGANIZATION_SLUG: Final = "acme"

OIDC_CLIENT_ID: Final = "vestibule-dev"
OIDC_CLIENT_SECRET: Final = "vestibule-dev-secret"


@dataclass(frozen=True)
class Credentials:
    """What an application needs to speak to a project: two public names and one secret."""

    project_id: str
    secret: str = field(repr=False)
    public_token: str


TEST_PROJECT: Final = Credentials(PROJECT_ID, SECRET, PUBLIC_TOKEN)
