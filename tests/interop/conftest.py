"""The server, and organizations with a connection to each provider, for the interop tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.interop.doors import Door, lemonldap_doors, oidc_provider_doors, simplesamlphp_doors
from tests.interop.server import Server, new_organization, vestibule_dev

Doors = Callable[[], Door]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with vestibule_dev(tmp_path_factory.mktemp("vestibule")) as started:
        yield started


@pytest.fixture
def organization_id(server: Server) -> str:
    """A new organization: everybody may be provisioned into it."""
    return new_organization(server)


@pytest.fixture(scope="session")
def simplesamlphp(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with simplesamlphp_doors(server, tmp_path_factory.mktemp("simplesamlphp")) as doors:
        yield doors


@pytest.fixture(scope="session")
def lemonldap(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Doors]]:
    with lemonldap_doors(server, tmp_path_factory.mktemp("lemonldap")) as doors:
        yield doors


@pytest.fixture(scope="session")
def lemonldap_saml(lemonldap: dict[str, Doors]) -> Doors:
    return lemonldap["saml"]


@pytest.fixture(scope="session")
def lemonldap_oidc(lemonldap: dict[str, Doors]) -> Doors:
    return lemonldap["oidc"]


@pytest.fixture(scope="session")
def oidc_provider(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with oidc_provider_doors(server, tmp_path_factory.mktemp("oidc_provider")) as doors:
        yield doors


@pytest.fixture(params=["simplesamlphp", "lemonldap_saml", "lemonldap_oidc", "oidc_provider"])
def door(request: pytest.FixtureRequest) -> Door:
    """A new organization's door to each provider by each protocol."""
    doors: Doors = request.getfixturevalue(request.param)
    return doors()
