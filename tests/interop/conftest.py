"""The server and an organization for the interop tests."""

import itertools
from collections.abc import Iterator

import pytest

from tests.interop.server import Server, vestibule_dev

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with vestibule_dev(tmp_path_factory.mktemp("vestibule")) as started:
        yield started


@pytest.fixture
def organization_id(server: Server) -> str:
    """A new organization: everybody may be provisioned into it."""
    name = f"interop-{next(_numbers)}"
    created = server.sdk.organizations.create(organization_name=name, organization_slug=name)
    return created.organization.organization_id
