import asyncio
from typing import Any

import pytest

from tests.support.counting import CountingStore
from tests.support.determinism import HandClock
from tests.support.full_records import full_record
from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import member_changes, members, organizations
from vestibule.domain.context import Context
from vestibule.domain.members import MemberView
from vestibule.errors import ErrorType, Failure
from vestibule.records import Factor, Member, Organization, Project, SamlConfiguration
from vestibule.store.interface import CONNECTION, INTERMEDIATE_SESSION, REGISTRATION, SESSION

UNKNOWN_ID = "member-test-01960000-0000-7000-8000-000000000000"


@pytest.fixture
async def acme(context: Context, project: Project) -> Organization:
    view = await organizations.create(context, project, {"organization_name": "Acme"})
    return view.organization


@pytest.fixture
async def other(context: Context, project: Project) -> Organization:
    changes = {"organization_name": "Other", "claimed_email_domains": ("other.com",)}
    return (await organizations.create(context, project, changes)).organization


async def added(
    context: Context, project: Project, organization: Organization, address: str, **values: Any
) -> Member:
    async with context.store.write() as tx:
        return await members.add(
            tx, context, project, organization, email_address=address, **values
        )


async def seen(context: Context, organization: Organization, member: Member) -> MemberView:
    async with context.store.read() as tx:
        (project,) = await tx.projects.all(project_id=organization.project_id)
        member = await members.load(tx, organization, member.member_id)
        return await members.view(tx, project, organization, member)


async def moved(
    context: Context, organization: Organization, member: Member, address: str, **values: Any
) -> Member:
    values = {"verified": False, **values}
    async with context.store.write() as tx:
        return await members.change_email(
            tx, context, organization, member, email_address=address, **values
        )


async def test_added_member_has_the_defaults(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(context, project, acme, "Ada@Example.com")
    assert members.ID_FORM.fullmatch(member.member_id)
    assert member == Member(
        member_id=member.member_id,
        project_id=project.project_id,
        organization_id=acme.organization_id,
        email_address="Ada@Example.com",
        status="active",
        created_at=context.clock.now(),
        updated_at=context.clock.now(),
    )
    view = await seen(context, acme, member)
    assert view.member == member
    assert [email.email_key for email in view.emails] == ["ada@example.com"]
    assert [grant.role_id for grant in view.grants] == ["stytch_member"]


async def test_added_member_has_what_was_given(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(
        context,
        project,
        acme,
        "ada@example.com",
        name="Ada",
        status="pending",
        email_verified=True,
        external_id="1",
        trusted_metadata={"a": 1},
    )
    assert (await seen(context, acme, member)).member == member
    assert (member.name, member.status, member.email_address_verified) == ("Ada", "pending", True)
    assert (member.external_id, member.trusted_metadata) == ("1", {"a": 1})


async def test_address_belongs_to_one_member_of_an_organization(
    context: Context, project: Project, acme: Organization, other: Organization
) -> None:
    await added(context, project, acme, "ada@example.com")
    with pytest.raises(Failure) as caught:
        await added(context, project, acme, "ADA@example.COM")
    assert caught.value.error is errors.duplicate_member_email
    await added(context, project, other, "ada@example.com")


async def test_retired_address_is_refused_by_its_own_name(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com")
    await moved(context, acme, member, "countess@example.com")
    with pytest.raises(Failure) as caught:
        await added(context, project, acme, "Ada@example.com")
    assert caught.value.error is errors.retired_member_email


async def test_claimed_domain_admits_members_of_its_organization_alone(
    context: Context, project: Project, acme: Organization, other: Organization
) -> None:
    for address in ("ada@other.com", "ada@OTHER.com"):
        with pytest.raises(Failure) as caught:
            await added(context, project, acme, address)
        assert caught.value.error is errors.action_not_allowed_email_domain_is_claimed
    await added(context, project, acme, "ada@sub.other.com")
    await added(context, project, other, "ada@other.com")


async def test_external_id_belongs_to_one_member_of_an_organization(
    context: Context, project: Project, acme: Organization, other: Organization
) -> None:
    await added(context, project, acme, "ada@example.com", external_id="1")
    with pytest.raises(Failure) as caught:
        await added(context, project, acme, "bob@example.com", external_id="1")
    assert caught.value.error is errors.duplicate_member_external_id
    await added(context, project, other, "bob@example.com", external_id="1")


async def test_members_that_are_added_at_once_share_no_address(
    context: Context, project: Project, acme: Organization
) -> None:
    results = await asyncio.gather(
        *(added(context, project, acme, f"{name}@example.com") for name in ("ada", "Ada", "ADA")),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, Failure)]
    assert [each.error for each in refusals] == [errors.duplicate_member_email] * 2
    async with context.store.read() as tx:
        assert await tx.members.count(organization_id=acme.organization_id) == 1


async def test_member_cannot_join_an_organization_that_is_gone(
    context: Context, project: Project, acme: Organization
) -> None:
    await organizations.delete(context, project, "acme")
    with pytest.raises(Failure) as caught:
        await added(context, project, acme, "ada@example.com")
    assert caught.value.error is errors.organization_not_found


async def test_member_is_found_by_id_and_external_id(
    context: Context, project: Project, acme: Organization, other: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com", external_id="hr|1")
    async with context.store.read() as tx:
        for locator in (member.member_id, "hr|1"):
            assert await members.load(tx, acme, locator) == member
            with pytest.raises(Failure) as caught:
                await members.load(tx, other, locator)
            assert caught.value.error is errors.member_not_found
        for locator in (UNKNOWN_ID, "", "HR|1", "ada@example.com"):
            with pytest.raises(Failure) as caught:
                await members.load(tx, acme, locator)
            assert caught.value.error is errors.member_not_found


async def test_member_is_found_by_the_present_address(
    context: Context, project: Project, acme: Organization, other: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com")
    member = await moved(context, acme, member, "countess@example.com")
    async with context.store.read() as tx:
        assert await members.load_by_email(tx, acme, "Countess@Example.com") == member
        for organization, address in (
            (acme, "ada@example.com"),
            (acme, "nobody"),
            (other, "countess@example.com"),
        ):
            with pytest.raises(Failure) as caught:
                await members.load_by_email(tx, organization, address)
            assert caught.value.error is errors.member_not_found


async def test_change_of_address_retires_the_old_one(
    context: Context, project: Project, acme: Organization, clock: HandClock
) -> None:
    member = await added(context, project, acme, "ada@example.com", email_verified=True)
    clock.advance(SECOND)
    changed = await moved(context, acme, member, "Countess@example.com")
    view = await seen(context, acme, member)
    assert view.member == changed
    assert (changed.email_address, changed.email_address_verified) == (
        "Countess@example.com",
        False,
    )
    assert changed.updated_at == member.updated_at + SECOND
    emails = {email.email_address: email.retired for email in view.emails}
    assert emails == {"ada@example.com": True, "Countess@example.com": False}


async def test_member_may_go_back_to_the_own_retired_address(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com")
    first = (await seen(context, acme, member)).emails[0]
    member = await moved(context, acme, member, "countess@example.com")
    member = await moved(context, acme, member, "Ada@example.com", verified=True)
    emails = {e.email_address: e for e in (await seen(context, acme, member)).emails}
    assert {name: email.retired for name, email in emails.items()} == {
        "Ada@example.com": False,
        "countess@example.com": True,
    }
    assert emails["Ada@example.com"].email_id == first.email_id
    assert member.email_address_verified


async def test_unlinked_address_is_free_for_others(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com")
    member = await moved(context, acme, member, "countess@example.com", unlink=True)
    assert [e.email_address for e in (await seen(context, acme, member)).emails] == [
        "countess@example.com"
    ]
    await added(context, project, acme, "ada@example.com")


async def test_other_case_is_no_other_address(
    context: Context, project: Project, acme: Organization
) -> None:
    member = await added(context, project, acme, "ada@example.com", email_verified=True)
    changed = await moved(context, acme, member, "Ada@Example.com", unlink=True)
    view = await seen(context, acme, member)
    assert (changed.email_address, changed.email_address_verified) == ("Ada@Example.com", True)
    assert [(e.email_address, e.retired) for e in view.emails] == [("Ada@Example.com", False)]


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("bob@example.com", errors.duplicate_member_email),
        ("robert@example.com", errors.retired_member_email),
        ("ada@other.com", errors.action_not_allowed_email_domain_is_claimed),
        ("nobody", errors.invalid_email),
    ],
)
async def test_change_to_an_address_that_is_not_free_changes_nothing(
    context: Context,
    project: Project,
    acme: Organization,
    other: Organization,
    *,
    address: str,
    error: ErrorType,
) -> None:
    bob = await added(context, project, acme, "robert@example.com")
    await moved(context, acme, bob, "bob@example.com")
    member = await added(context, project, acme, "ada@example.com")
    before = await seen(context, acme, member)
    with pytest.raises(Failure) as caught:
        await moved(context, acme, member, address, unlink=True)
    assert caught.value.error is error
    assert await seen(context, acme, member) == before


def factor(connection_id: str) -> Factor:
    return Factor(
        type="sso",
        delivery_method="sso_saml",
        details_name="saml_sso_factor",
        details={"provider_id": connection_id},
        last_authenticated_at=0,
        created_at=0,
        updated_at=0,
    )


async def open_sessions(context: Context, member: Member) -> None:
    """Give `member` a session and an intermediate session by each of two connections."""
    owner = {
        "project_id": member.project_id,
        "organization_id": member.organization_id,
        "member_id": member.member_id,
    }
    async with context.store.write() as tx:
        for name in ("saml-1", "saml-2"):
            own = {**owner, "factors": (factor(name),), "token_id": f"{name} {member.member_id}"}
            session_id = f"session {name} {member.member_id}"
            await tx.sessions.insert(full_record(SESSION, session_id=session_id, **own))
            await tx.intermediate_sessions.insert(full_record(INTERMEDIATE_SESSION, **own))


async def left(context: Context, member: Member) -> list[str]:
    """Return by which connections `member` still has sessions, intermediate ones in brackets."""
    async with context.store.read() as tx:
        whole = await tx.sessions.all(member_id=member.member_id)
        half = await tx.intermediate_sessions.all(member_id=member.member_id)
    names = [str(each.factors[0].details["provider_id"]) for each in whole]
    return sorted(names + [f"({each.factors[0].details['provider_id']})" for each in half])


async def test_sessions_end_for_one_member_and_for_one_connection(
    context: Context, project: Project, acme: Organization
) -> None:
    ada = await added(context, project, acme, "ada@example.com")
    bob = await added(context, project, acme, "bob@example.com")
    await open_sessions(context, ada)
    await open_sessions(context, bob)
    async with context.store.write() as tx:
        ended = await members.end_sessions(tx, acme, ada.member_id, connection_id="saml-1")
    assert len(ended) == 2
    assert await left(context, ada) == ["(saml-2)", "saml-2"]
    async with context.store.write() as tx:
        assert len(await members.end_sessions(tx, acme, ada.member_id)) == 2
    assert await left(context, ada) == []
    assert await left(context, bob) == ["(saml-1)", "(saml-2)", "saml-1", "saml-2"]


async def register(context: Context, member: Member, connection_id: str) -> None:
    """Tie `member` to a connection that gives everybody the role stytch_admin."""
    own = {"project_id": member.project_id, "organization_id": member.organization_id}
    connection = full_record(
        CONNECTION,
        connection_id=connection_id,
        protocol="saml",
        saml=SamlConfiguration(connection_roles=("stytch_admin",)),
        **own,
    )
    registration = full_record(
        REGISTRATION,
        registration_id=f"registration {member.member_id}",
        member_id=member.member_id,
        connection_id=connection_id,
        external_id=member.member_id,
        **own,
    )
    async with context.store.write() as tx:
        await tx.connections.insert_if_absent(connection)
        await tx.registrations.insert(registration)


async def test_views_take_as_many_statements_for_three_as_for_one(
    context: Context, project: Project, acme: Organization
) -> None:
    found = []
    for name in ("ada", "bob", "eve"):
        member, _ = await member_changes.create(
            context,
            project,
            "acme",
            email_address=f"{name}@example.com",
            pending=False,
            roles=["stytch_admin"],
            fields={},
        )
        await register(context, member.member, "saml-1")
        found.append(member.member)
    store = CountingStore(context.store)
    counts = []
    for some in ([], found[:1], found, found[::-1]):
        async with store.read() as tx:
            views = await members.views(tx, project, acme, some)
        counts.append(store.taken())
        assert [view.member for view in views] == some
        for view in views:
            assert [email.member_id for email in view.emails] == [view.member.member_id]
            assert [each.external_id for each in view.registrations] == [view.member.member_id]
            assert view.direct_roles == ("stytch_admin",)
            sources = [source.type for source in view.grants[1].sources]
            assert sources == ["direct_assignment", "sso_connection"]
    assert counts == [0, 4, 4, 4]
