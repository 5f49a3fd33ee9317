"""A member who has come as far as the second factor, and codes that are right or wrong."""

import pytest

from tests.support.second_factors import Arrived
from vestibule.domain import members, organizations
from vestibule.domain.context import Context
from vestibule.records import Member, Organization, Project


@pytest.fixture
async def acme(context: Context, project: Project) -> Organization:
    made = await organizations.create(context, project, {"organization_name": "Acme"})
    return made.organization


@pytest.fixture
async def ada(context: Context, project: Project, acme: Organization) -> Member:
    async with context.store.write() as tx:
        return await members.add(tx, context, project, acme, email_address="ada@acme.test")


@pytest.fixture
def arrived(context: Context, project: Project, acme: Organization, ada: Member) -> Arrived:
    return Arrived(context, project, acme, ada)
