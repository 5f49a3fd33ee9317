"""An organization's own roles beside its other settings; the rules are tested in tests/api."""

import asyncio

import pytest

from vestibule import errors
from vestibule.domain import custom_roles, organizations
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Permissions, Project, Role

EDITOR = Role(
    role_id="editor",
    description="Edits",
    permissions=(Permissions(resource_id="stytch.member", actions=("search",)),),
)


async def test_roles_and_settings_at_the_same_moment_both_count(
    context: Context, project: Project
) -> None:
    await organizations.create(context, project, {"organization_name": "Acme"})
    await asyncio.gather(
        organizations.update(context, project, "acme", {"organization_name": "Acme 2"}),
        custom_roles.replace_all(context, project, "acme", [EDITOR]),
        organizations.update(context, project, "acme", {"mfa_policy": "REQUIRED_FOR_ALL"}),
    )
    organization = await organizations.get(context, project, "acme")
    assert organization.organization_name == "Acme 2"
    assert organization.custom_roles == (EDITOR,)
    assert organization.mfa_policy == "REQUIRED_FOR_ALL"


async def test_roles_of_nobody_are_not_found(context: Context, project: Project) -> None:
    with pytest.raises(Failure) as caught:
        await custom_roles.replace_all(context, project, "acme", [EDITOR])
    assert caught.value.error is errors.organization_not_found
