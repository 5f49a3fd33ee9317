"""Stories of what an application's backend does to organizations, connections and members."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.support.model import people, roles
from tests.support.model.nouns import Connection, Member, Organization, Session
from tests.support.model.servers import both
from tests.support.model.story import (
    MEMBER,
    ORGANIZATIONS,
    SESSIONS,
    Story,
    at,
    at_member,
    at_organization,
    has,
    named,
    some,
    useful,
    with_fields,
)
from vestibule.clock import SECOND
from vestibule.domain import suspension

ADDRESSES = ("ada@acme.test", "bob@acme.test", "cyd@globex.test")
_ADDRESS = st.sampled_from(ADDRESSES)
_CUSTOM_ROLES = st.sets(st.sampled_from(sorted(roles.CUSTOM)))
_ROLES = st.sets(st.sampled_from(["stytch_admin", *roles.CUSTOM]), max_size=2)
_GROUP_ROLES = st.sets(
    st.tuples(st.sampled_from(["red", "blue"]), st.sampled_from(["stytch_admin", "reader"])),
    max_size=1,
)
_WAITS = st.sampled_from([1, 29, 30, 31, 90, 5 * 60, 11 * 60, 21 * 60, 61 * 60])
_FEW = 2
"""Where there are no more, none is deleted: stories would end before they are told."""


class Administration(Story):
    """Everything here is asked with the project's secret alone."""

    @precondition(lambda story: useful(story, "organizations") <= _FEW)
    @rule(own=st.booleans())
    def add_organization(self, own: bool) -> None:
        self.new_organization(own=own)

    def new_organization(self, *, own: bool) -> Organization:
        """Make one with the custom roles, and with a SAML connection of its own, or without."""
        made = Organization(name=f"organization-{len(self.world.organizations)}")
        answers = self.servers.ask("POST", ORGANIZATIONS, {"organization_name": made.name})
        assert answers[0].status == 200, answers[0].text
        told = answers[0].json, answers[1].json
        made.ids = both(told, "organization", "organization_id")
        self.world.organizations.append(made)
        self.set_custom_roles(made, set(roles.CUSTOM))
        if own:
            shown = self.servers.each(lambda side, at: side.saml_connection(made.ids[at]))
            people.add_connection(self.world, made).ids = both(shown, "connection_id")
        return made

    @rule(organization=some("organizations"), policy=_CUSTOM_ROLES)
    def set_custom_roles(self, organization: Organization, policy: set[str]) -> None:
        described = [
            {
                "role_id": each,
                "description": "",
                "permissions": [
                    {"resource_id": resource, "actions": [action]}
                    for resource, action in sorted(roles.CUSTOM[each])
                ],
            }
            for each in sorted(policy)
        ]
        body = {"org_policy": {"roles": described}}
        answers = self.servers.ask(
            "PUT", at("/v1/b2b/rbac/organizations/{}", organization.ids), body
        )
        self.told(answers, lambda: people.change(organization, custom_roles=policy))

    @rule(
        organization=some("organizations"),
        wanted=st.booleans(),
        totp=st.sampled_from([True, True, False]),
    )
    def set_second_factor_policy(
        self, organization: Organization, wanted: bool, totp: bool
    ) -> None:
        body = {
            "mfa_policy": "REQUIRED_FOR_ALL" if wanted else "OPTIONAL",
            "mfa_methods": "ALL_ALLOWED" if totp else "RESTRICTED",
            "allowed_mfa_methods": [] if totp else ["sms_otp"],
        }
        answers = self.servers.ask("PUT", at_organization(organization), body)
        self.told(
            answers,
            lambda: people.change(organization, everybody_needs_second=wanted, allows_totp=totp),
        )

    @rule(organization=some("organizations"), wanted=_ROLES)
    def set_roles_of_domain(self, organization: Organization, wanted: set[str]) -> None:
        given = [{"domain": "acme.test", "role_id": each} for each in sorted(wanted)]
        body = {"rbac_email_implicit_role_assignments": given}
        answers = self.servers.ask("PUT", at_organization(organization), body)
        self.told(answers, lambda: people.set_roles_of_domain(organization, "acme.test", wanted))

    @precondition(has("connections"))
    @rule(connection=some("connections"), wanted=_ROLES, of_groups=_GROUP_ROLES)
    def set_roles_of_connection(
        self, connection: Connection, wanted: set[str], of_groups: set[tuple[str, str]]
    ) -> None:
        kind = "saml" if connection.owned is None else "external"
        prefix = "saml_" if connection.owned is None else "external_"
        body = {
            f"{prefix}connection_implicit_role_assignments": [
                {"role_id": each} for each in sorted(wanted)
            ],
            f"{prefix}group_implicit_role_assignments": [
                {"group": group, "role_id": role} for group, role in sorted(of_groups)
            ],
        }
        base = at(f"/v1/b2b/sso/{kind}/{{}}/connections", connection.organization.ids)
        paths = f"{base[0]}/{connection.ids[0]}", f"{base[1]}/{connection.ids[1]}"
        answers = self.servers.ask("PUT", paths, body)
        self.told(answers, lambda: people.set_roles_of_connection(connection, wanted, of_groups))

    @rule(organization=some("organizations"), wanted=st.sampled_from([False, False, True]))
    def suspend_organization(self, organization: Organization, wanted: bool) -> None:
        if organization.exists:
            change = suspension.suspend if wanted else suspension.resume
            self.servers.each(
                lambda side, at: change(side.context, side.project, organization.ids[at])
            )
            organization.suspended = wanted

    @precondition(lambda story: useful(story, "organizations") > _FEW)
    @rule(organization=some("organizations"))
    def delete_organization(self, organization: Organization) -> None:
        answers = self.servers.ask("DELETE", at_organization(organization))
        self.told(answers, lambda: people.delete_organization(self.world, organization))

    @precondition(lambda story: 0 < useful(story, "connections") <= _FEW)
    @rule(organization=some("organizations"), owned=some("connections"))
    def refer_to_connection(self, organization: Organization, owned: Connection) -> None:
        bodies = with_fields(
            ({}, {}),
            external_organization_id=owned.organization.ids,
            external_connection_id=owned.ids,
        )
        paths = at("/v1/b2b/sso/external/{}", organization.ids)
        answers = self.servers.ask("POST", paths, bodies)
        told = self.told(answers, lambda: people.share(self.world, organization, owned))
        if told:
            told[0].ids = both(told[1], "connection", "connection_id")

    @precondition(lambda story: useful(story, "connections") > _FEW)
    @rule(connection=some("connections"))
    def delete_connection(self, connection: Connection) -> None:
        base = at("/v1/b2b/sso/{}/connections", connection.organization.ids)
        paths = f"{base[0]}/{connection.ids[0]}", f"{base[1]}/{connection.ids[1]}"
        answers = self.servers.ask("DELETE", paths)
        self.told(answers, lambda: people.delete_connection(self.world, connection))

    @rule(
        organization=some("organizations"),
        address=_ADDRESS,
        pending=st.booleans(),
        breakglass=st.booleans(),
    )
    def add_member(
        self, organization: Organization, address: str, pending: bool, breakglass: bool
    ) -> None:
        body = {
            "email_address": address,
            "create_member_as_pending": pending,
            "is_breakglass": breakglass,
        }
        answers = self.servers.ask("POST", at_organization(organization, "/members"), body)
        told = self.told(
            answers,
            lambda: people.add_member(
                self.world, organization, address, pending=pending, breakglass=breakglass
            ),
        )
        if told:
            told[0].ids = both(told[1], "member_id")

    @precondition(has("members"))
    @rule(member=some("members"), address=_ADDRESS, unlink=st.booleans())
    def change_address(self, member: Member, address: str, unlink: bool) -> None:
        body = {"email_address": address, "unlink_email": unlink}
        answers = self.servers.ask("PUT", at_member(MEMBER, member), body)
        self.told(
            answers, lambda: people.change_address(self.world, member, address, unlink=unlink)
        )

    @precondition(has("members"))
    @rule(member=some("members"), wanted=_ROLES, keep_sessions=st.booleans())
    def set_roles(self, member: Member, wanted: set[str], keep_sessions: bool) -> None:
        body = {"roles": sorted(wanted), "preserve_existing_sessions": keep_sessions}
        answers = self.servers.ask("PUT", at_member(MEMBER, member), body)
        self.told(
            answers,
            lambda: people.set_roles(self.world, member, wanted, keep_sessions=keep_sessions),
        )

    @precondition(has("members"))
    @rule(member=some("members"))
    def delete_member(self, member: Member) -> None:
        answers = self.servers.ask("DELETE", at_member(MEMBER, member))
        self.told(answers, lambda: people.delete_member(self.world, member))

    @precondition(has("members"))
    @rule(member=some("members"))
    def reactivate_member(self, member: Member) -> None:
        answers = self.servers.ask("PUT", at_member(f"{MEMBER}/reactivate", member), {})
        self.told(answers, lambda: people.reactivate(self.world, member))

    @precondition(has("sessions"))
    @rule(session=some("sessions"), by=st.sampled_from(["token", "jwt", "id", "member"]))
    def revoke(self, session: Session, by: str) -> None:
        bodies = named(session, by_jwt=by == "jwt")
        if by == "id":
            bodies = with_fields(({}, {}), member_session_id=session.ids)
        if by == "member":
            bodies = with_fields(({}, {}), member_id=session.member.ids)
        elif session.intermediate:
            return
        answers = self.servers.ask("POST", f"{SESSIONS}/revoke", bodies)
        self.told(answers, lambda: people.revoke(self.world, session, all_=by == "member"))

    @rule(seconds=_WAITS, clean_up=st.booleans())
    def wait(self, seconds: int, clean_up: bool) -> None:
        self.pass_time(seconds * SECOND)
        if clean_up:
            self.servers.clean_up()
            people.forget_old(self.world)
