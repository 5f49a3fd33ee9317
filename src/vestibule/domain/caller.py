"""The member on whose behalf a backend call is made, and what that member may do."""

from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.domain.factors import impersonates
from vestibule.errors import Failure
from vestibule.records import Role, Session

SELF = "stytch.self"
# What people log in with, and what tells them that somebody did: nobody changes that in the name
# of another one (ST-24).
_CREDENTIALS: Final = frozenset({
    "update.info.email", "update.info.mfa-phone", "update.info.delete.mfa-phone",
    "update.info.delete.mfa-totp", "update.info.delete.password",
    "update.info.unlink.retired-email", "update.settings.default-mfa-method",
    "update.settings.is-breakglass", "update.settings.mfa-enrolled",
})  # fmt: skip


@dataclass(frozen=True)
class Caller:
    """A member session sent along with a call, and the roles that count in it now.

    `roles` are the full roles (project policy and organization policy) that the session holds.
    """

    session: Session
    roles: tuple[Role, ...]

    def may(self, resource: str, action: str) -> bool:
        """True when one of the roles grants `action` on exactly `resource` (semantics 5.2)."""
        return any(
            permission.resource_id == resource
            and ("*" in permission.actions or action in permission.actions)
            for role in self.roles
            for permission in role.permissions
        )

    def require(
        self, resource: str, action: str, *, organization_id: str, member_id: str = ""
    ) -> None:
        """Pass when the caller may do this in `organization_id`; else raise a 403.

        `member_id` is the target of the call: where it is the caller, `stytch.self` counts too.
        """
        if organization_id != self.session.organization_id:
            raise Failure(errors.session_authorization_tenancy_error)
        if action in _CREDENTIALS and impersonates(self.session.factors):
            raise Failure(
                errors.session_authorization_error,
                f"{action}: a session that impersonates its Member changes nothing that people "
                "log in with.",
            )
        own = bool(member_id) and member_id == self.session.member_id
        if self.may(resource, action) or (own and self.may(SELF, action)):
            return
        raise Failure(
            errors.session_authorization_error,
            f"The Member's roles do not grant {action} on {resource}.",
        )


def only_with_secret(name: str) -> Failure:
    """Return the refusal of what no role can grant: `name` needs the project secret alone."""
    return Failure(
        errors.session_authorization_error, f"{name}: can be written with the project secret alone."
    )
