"""What tests of the domain can ask for beside a store: the doors and a project."""

import pytest

from tests.support.context import RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from vestibule.domain import projects
from vestibule.domain.context import Context
from vestibule.records import Project
from vestibule.store.interface import Store


@pytest.fixture
def fetch() -> RoutedFetch:
    return RoutedFetch()


@pytest.fixture
async def context(
    store: Store, clock: HandClock, entropy: SeededEntropy, fetch: RoutedFetch
) -> Context:
    return await open_test_context(store, clock=clock, entropy=entropy, fetch=fetch)


@pytest.fixture
async def project(context: Context) -> Project:
    credentials = await projects.create(context, name="Test", environment="test")
    return await projects.get(context, credentials.project_id)
