import asyncio
from typing import Any

import pytest

from tests.support.counting import CountingStore
from tests.support.determinism import HandClock
from tests.support.full_records import full_record, insert_all, rows
from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import organizations, projects
from vestibule.domain.context import Context
from vestibule.domain.organization_settings import ID_FORM
from vestibule.errors import ErrorType, Failure
from vestibule.records import Organization, OrganizationDomain, Project
from vestibule.store.interface import CONNECTION, TABLES

UNKNOWN_ID = "organization-test-01960000-0000-7000-8000-000000000000"


async def made(context: Context, project: Project, **changes: Any) -> Organization:
    changes = {"organization_name": "Acme", **changes}
    return (await organizations.create(context, project, changes)).organization


async def domains(context: Context, organization: Organization) -> set[tuple[str, str]]:
    async with context.store.read() as tx:
        found = await tx.organization_domains.all(organization_id=organization.organization_id)
    return {(row.kind, row.domain) for row in found}


async def connect(
    context: Context, organization: Organization, connection_id: str, **values: Any
) -> None:
    record = full_record(
        CONNECTION,
        connection_id=connection_id,
        project_id=organization.project_id,
        organization_id=organization.organization_id,
        **{
            "status": "active",
            "display_name": connection_id,
            "external_connection_id": None,
            **values,
        },
    )
    async with context.store.write() as tx:
        await tx.connections.insert(record)


async def test_new_organization_has_the_defaults(context: Context, project: Project) -> None:
    view = await organizations.create(context, project, {"organization_name": "Acme"})
    now = context.clock.now()
    assert view.organization == Organization(
        organization_id=view.organization.organization_id,
        project_id=project.project_id,
        organization_name="Acme",
        organization_slug="acme",
        created_at=now,
        updated_at=now,
    )
    assert view.active_connections == ()
    assert ID_FORM.fullmatch(view.organization.organization_id)
    assert await organizations.get(context, project, "acme") == view.organization


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sso_jit_provisioning", "ALL_ALLOWED"),
        ("email_allowed_domains", ()),
        ("email_jit_provisioning", "NOT_ALLOWED"),
        ("oauth_tenant_jit_provisioning", "NOT_ALLOWED"),
        ("allowed_oauth_tenants", {}),
        ("auth_methods", "ALL_ALLOWED"),
        ("allowed_auth_methods", ("sso",)),
        ("mfa_policy", "OPTIONAL"),
        ("mfa_methods", "ALL_ALLOWED"),
        ("allowed_mfa_methods", ("totp",)),
    ],
)
async def test_invites_are_closed_where_any_auth_setting_was_given(
    context: Context, project: Project, field: str, value: object
) -> None:
    assert (await made(context, project, **{field: value})).email_invites == "NOT_ALLOWED"


async def test_invites_are_open_where_no_auth_setting_was_given(
    context: Context, project: Project
) -> None:
    organization = await made(
        context,
        project,
        organization_logo_url="https://example.com/logo.png",
        claimed_email_domains=("acme.com",),
        trusted_metadata={"a": 1},
        organization_external_id="1",
    )
    assert organization.email_invites == "ALL_ALLOWED"


async def test_invites_that_were_given_are_kept(context: Context, project: Project) -> None:
    organization = await made(
        context, project, email_invites="ALL_ALLOWED", sso_jit_provisioning="NOT_ALLOWED"
    )
    assert organization.email_invites == "ALL_ALLOWED"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Rockets, Inc.", "acme-rockets-inc"),
        ("Zoë & Søns", "zoe-sns"),
        ("日本", "organization"),
        ("X", "organization"),
        ("x" * 128, "x" * 100),
    ],
)
async def test_slug_is_made_of_the_name(
    context: Context, project: Project, name: str, slug: str
) -> None:
    assert (await made(context, project, organization_name=name)).organization_slug == slug


async def test_slug_that_is_taken_gets_a_random_ending(context: Context, project: Project) -> None:
    slugs = [(await made(context, project)).organization_slug for _ in range(3)]
    assert slugs[0] == "acme"
    assert all(slug.startswith("acme-") and len(slug) == 13 for slug in slugs[1:])
    assert len(set(slugs)) == 3


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("organization_slug", "taken", errors.organization_slug_already_used),
        ("organization_external_id", "taken", errors.organization_external_id_already_used),
        (
            "claimed_email_domains",
            ("new.com", "taken.com"),
            errors.organization_settings_duplicate_claimed_domain,
        ),
    ],
)
async def test_value_of_another_organization_is_refused(
    context: Context, project: Project, field: str, value: object, error: ErrorType
) -> None:
    await made(context, project, organization_slug="other")
    await made(
        context,
        project,
        organization_slug="taken",
        organization_external_id="taken",
        claimed_email_domains=("taken.com",),
    )
    with pytest.raises(Failure) as caught:
        await made(context, project, **{"organization_slug": "new", field: value})
    assert caught.value.error is error
    before = await organizations.get(context, project, "other")
    with pytest.raises(Failure) as caught:
        await organizations.update(context, project, "other", {field: value})
    assert caught.value.error is error
    assert await organizations.get(context, project, "other") == before
    assert await domains(context, before) == set()


async def test_unique_values_are_free_in_another_project(
    context: Context, project: Project
) -> None:
    credentials = await projects.create(context, name="Other", environment="live")
    other = await projects.get(context, credentials.project_id)
    values = {
        "organization_slug": "acme",
        "organization_external_id": "1",
        "claimed_email_domains": ("acme.com",),
    }
    first = await made(context, project, **values)
    second = await made(context, other, **values)
    assert await organizations.get(context, project, "acme") == first
    assert await organizations.get(context, other, "acme") == second
    with pytest.raises(Failure) as caught:
        await organizations.get(context, other, first.organization_id)
    assert caught.value.error is errors.organization_not_found


async def test_own_unique_values_may_be_sent_again(context: Context, project: Project) -> None:
    values = {
        "organization_slug": "acme",
        "organization_external_id": "1",
        "claimed_email_domains": ("acme.com",),
    }
    await made(context, project, **values)
    view = await organizations.update(context, project, "acme", values)
    assert view.organization.claimed_email_domains == ("acme.com",)


async def test_organization_is_found_by_id_slug_and_external_id(
    context: Context, project: Project
) -> None:
    acme = await made(context, project, organization_external_id="crm|1")
    await made(context, project, organization_slug="other")
    for locator in (acme.organization_id, "acme", "crm|1"):
        assert await organizations.get(context, project, locator) == acme


@pytest.mark.parametrize("locator", [UNKNOWN_ID, "", "ACME", "acm_", "%", "organization-test-1"])
async def test_unknown_locator_is_not_found(
    context: Context, project: Project, locator: str
) -> None:
    await made(context, project)
    with pytest.raises(Failure) as caught:
        await organizations.get(context, project, locator)
    assert caught.value.error is errors.organization_not_found


async def test_external_id_wins_over_a_slug_that_a_tenant_chose(
    context: Context, project: Project
) -> None:
    tenant = await made(context, project, organization_slug="crm-1")
    meant = await made(context, project, organization_slug="zz", organization_external_id="crm-1")
    assert await organizations.get(context, project, "crm-1") == meant
    both = await organizations.get_all(context, project, ["crm-1", tenant.organization_id])
    assert both == [meant, tenant]


async def test_several_organizations_are_found_each_once(
    context: Context, project: Project
) -> None:
    one = await made(context, project, organization_slug="one", organization_external_id="1")
    two = await made(context, project, organization_slug="two")
    locators = ["two", "1", one.organization_id, "one"]
    assert await organizations.get_all(context, project, locators) == [two, one]
    with pytest.raises(Failure) as caught:
        await organizations.get_all(context, project, [*locators, "three"])
    assert caught.value.error is errors.organization_not_found


async def test_update_changes_what_was_sent_and_nothing_else(
    context: Context, project: Project, clock: HandClock
) -> None:
    before = await made(context, project, trusted_metadata={"a": 1}, auth_methods="ALL_ALLOWED")
    clock.advance(SECOND)
    view = await organizations.update(
        context, project, "acme", {"organization_name": "Acme 2", "trusted_metadata": {"b": 2}}
    )
    assert view.organization == await organizations.get(context, project, "acme")
    changed = {
        name
        for name in before.__struct_fields__
        if getattr(before, name) != getattr(view.organization, name)
    }
    assert changed == {"organization_name", "trusted_metadata", "updated_at"}
    assert view.organization.trusted_metadata == {"a": 1, "b": 2}
    assert view.organization.updated_at == before.updated_at + SECOND


async def test_updates_at_the_same_moment_both_count(context: Context, project: Project) -> None:
    await made(context, project)
    await asyncio.gather(
        *(
            organizations.update(context, project, "acme", {"trusted_metadata": {str(n): n}})
            for n in range(10)
        )
    )
    organization = await organizations.get(context, project, "acme")
    assert organization.trusted_metadata == {str(n): n for n in range(10)}


async def test_domains_can_be_searched_as_they_are_set(context: Context, project: Project) -> None:
    organization = await made(
        context,
        project,
        email_allowed_domains=("a.com", "b.com"),
        claimed_email_domains=("b.com",),
    )
    wanted = {("allowed", "a.com"), ("allowed", "b.com"), ("claimed", "b.com")}
    assert await domains(context, organization) == wanted
    await organizations.update(context, project, "acme", {"email_allowed_domains": ("c.com",)})
    wanted = {("allowed", "c.com"), ("claimed", "b.com")}
    assert await domains(context, organization) == wanted


async def test_connections_must_be_the_organizations_own(
    context: Context, project: Project
) -> None:
    organization = await made(context, project)
    other = await made(context, project)
    await connect(context, organization, "saml-active")
    await connect(context, organization, "saml-pending", status="pending")
    await connect(context, other, "saml-other")

    async def update(**changes: object) -> Organization:
        return (await organizations.update(context, project, "acme", changes)).organization

    for connection_id in ("saml-pending", "saml-other", "none", ""):
        with pytest.raises(Failure) as caught:
            await update(sso_default_connection_id=connection_id)
        assert caught.value.error is errors.invalid_sso_default_connection_id
    allowed = ("saml-active", "saml-pending")
    for connection_id in ("saml-other", "none", ""):
        with pytest.raises(Failure) as caught:
            await update(sso_jit_provisioning_allowed_connections=(*allowed, connection_id))
        assert caught.value.error is errors.invalid_restricted_sso_setting
        assert repr(connection_id) in caught.value.message
    changed = await update(
        sso_default_connection_id="saml-active",
        sso_jit_provisioning="RESTRICTED",
        sso_jit_provisioning_allowed_connections=allowed,
    )
    assert changed.sso_default_connection_id == "saml-active"
    assert changed.sso_jit_provisioning_allowed_connections == allowed
    assert (await update(sso_default_connection_id=None)).sso_default_connection_id is None


async def test_view_shows_active_connections_of_the_organization(
    context: Context, project: Project
) -> None:
    organization = await made(context, project)
    await connect(context, organization, "saml-active")
    await connect(context, organization, "saml-pending", status="pending")
    await connect(context, await made(context, project), "saml-other")
    view = await organizations.get_view(context, project, "acme")
    assert [each.connection_id for each in view.active_connections] == ["saml-active"]


async def test_views_take_as_many_statements_for_three_as_for_one(
    context: Context, project: Project
) -> None:
    found = [await made(context, project) for _ in range(3)]
    for number, organization in enumerate(found):
        await connect(context, organization, f"saml-{number}")
    store = CountingStore(context.store)
    for some in (found[:1], found):
        async with store.read() as tx:
            views = await organizations.views(tx, project, some)
        assert [view.organization for view in views] == some
        assert [len(view.active_connections) for view in views] == [1] * len(some)
        assert store.taken() == 1


async def test_deletion_leaves_no_row_of_the_organization_and_all_of_the_others(
    context: Context, project: Project
) -> None:
    kept = await made(context, project, email_allowed_domains=("kept.com",))
    gone = await made(context, project, email_allowed_domains=("gone.com",))
    async with context.store.write() as tx:
        await tx.organizations.delete(organization_id=gone.organization_id)
        await insert_all(tx, project_id="project-test-full", organization_id=gone.organization_id)
    full = await projects.get(context, "project-test-full")
    assert await organizations.delete(context, full, gone.organization_id) == gone.organization_id
    async with context.store.read() as tx:
        for table in TABLES:
            outlives = table.name in {"outbox", "audit_events", "audit_heads"}
            if "organization_id" in table.columns and not outlives:
                found = await rows(tx, table).all()
                left = {row.organization_id for row in found}
                assert left <= {kept.organization_id}, table.name
        assert await tx.organization_domains.all() == [
            OrganizationDomain(
                project_id=project.project_id,
                organization_id=kept.organization_id,
                kind="allowed",
                domain="kept.com",
            )
        ]


async def test_deleted_organization_is_not_found_and_its_names_are_free(
    context: Context, project: Project
) -> None:
    values = {"organization_external_id": "1", "claimed_email_domains": ("acme.com",)}
    first = await made(context, project, **values)
    await organizations.delete(context, project, "acme")
    for locator in (first.organization_id, "acme", "1"):
        with pytest.raises(Failure) as caught:
            await organizations.delete(context, project, locator)
        assert caught.value.error is errors.organization_not_found
    assert (await made(context, project, **values)).organization_slug == "acme"
