"""What a connection has of what metadata publishes, and how it takes over more."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestibule import errors
from vestibule.domain import connection_lifecycle, saml_connections, saml_keys
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.domain.oidc_metadata import with_fields
from vestibule.errors import Failure
from vestibule.records import ConnectionKey, MetadataFeed, Organization, Project, Published
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Owner:
    """Whose connection it is that takes over something."""

    project: Project
    organization: Organization
    view: ConnectionView


def current_of(view: ConnectionView, feed: MetadataFeed) -> Published:
    """Return what a connection has of what its feed publishes."""
    configuration = view.connection.saml or view.connection.oidc
    return Published(
        fields={name: str(getattr(configuration, name)) for name in feed.seen.fields},
        certificates=tuple(key.certificate for key in view.of_purpose("verification")),
    )


def excess(view: ConnectionView, *, added: Sequence[str], removed: Sequence[str]) -> int:
    """Return how many certificates a connection would have too many."""
    return len(view.of_purpose("verification")) - len(removed) + len(added) - saml_keys.MOST


async def take(
    tx: Transaction, context: Context, owner: Owner, found: Published, *, removed: Sequence[str]
) -> ConnectionView:
    """Write `found` into the connection, remove certificates, and return it as it now is.

    Raises Failure: too many certificates, naming those that could go, or what entering the same by
    hand would raise.
    """
    connection, held = owner.view.connection, owner.view.of_purpose("verification")
    too_many = excess(owner.view, added=found.certificates, removed=removed)
    if too_many > 0:
        raise _too_many(too_many, [key for key in held if key.certificate not in removed])
    for key in held:
        if key.certificate in removed:
            await saml_keys.remove(tx, connection, key.key_id)
    if connection.oidc is not None:
        changed = with_fields(connection, connection.oidc, found)
        return await connection_lifecycle.settle(tx, context, owner.organization, changed)
    return await saml_connections.take_over(
        tx, context, owner.project, owner.organization, connection, found=found
    )


def _too_many(count: int, held: Sequence[ConnectionKey]) -> Failure:
    ids = ", ".join(key.key_id for key in sorted(held, key=lambda key: key.expires_at))
    return Failure(
        errors.too_many_sso_verification_certificates,
        f"A connection has at most {saml_keys.MOST} certificates: remove {count} of these first, "
        f"the one that expires first is named first: {ids}.",
    )
