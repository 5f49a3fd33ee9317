"""Who may call an endpoint: declared beside every endpoint, without a default."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Public:
    """Nobody is asked for credentials; `reason` says why that is right."""

    reason: str


@dataclass(frozen=True)
class ProjectSecret:
    """HTTP Basic `project_id:secret`; member-session headers are not looked at."""


@dataclass(frozen=True)
class Permission:
    """Project secret; with a member-session header that member's roles must grant the action too.

    `action` is None where the body's fields decide (organization and member update) or where the
    contract documents no action: then a member session is refused unless the handler grants it.
    `own` is True where `stytch.self` stands in for `resource` when the target is the caller.
    """

    resource: str
    action: str | None
    own: bool = False


@dataclass(frozen=True)
class PublicToken:
    """HTTP Basic with the project's public token as user, as browsers send it.

    The answer is wrapped: `{"data": ...}`.
    """


Access = Public | ProjectSecret | Permission | PublicToken
