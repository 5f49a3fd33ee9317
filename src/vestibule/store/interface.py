"""What storage offers: transactions, the tables inside them, and two errors.

`async with store.write() as tx:` commits when the block ends and rolls back when it raises;
`store.read()` only reads. Inside a transaction nothing but the store may be awaited: SQLite runs
on the event loop, and a transaction that waits for something else holds everybody up.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from vestibule import records
from vestibule.store.table import Executor, Row, Rows, Table

PROJECT: Final = Table("projects", records.Project, key=("project_id",))
PROJECT_SECRET: Final = Table(
    "project_secrets", records.ProjectSecret, key=("project_id", "secret_id")
)
PUBLIC_TOKEN: Final = Table("public_tokens", records.PublicToken, key=("public_token",))
REDIRECT_URL: Final = Table("redirect_urls", records.RedirectUrl, key=("project_id", "url"))
SIGNING_KEY: Final = Table("signing_keys", records.SigningKey, key=("project_id", "key_id"))
DATA_KEY: Final = Table("data_keys", records.DataKey, key=("data_key_id",))
ORGANIZATION: Final = Table(
    "organizations", records.Organization, key=("project_id", "organization_id")
)
ORGANIZATION_DOMAIN: Final = Table(
    "organization_domains",
    records.OrganizationDomain,
    key=("project_id", "organization_id", "kind", "domain"),
)
MEMBER: Final = Table("members", records.Member, key=("project_id", "organization_id", "member_id"))
MEMBER_ROLE: Final = Table(
    "member_roles",
    records.MemberRole,
    key=("project_id", "organization_id", "member_id", "role_id"),
)
MEMBER_EMAIL: Final = Table(
    "member_emails", records.MemberEmail, key=("project_id", "organization_id", "email_id")
)
REGISTRATION: Final = Table(
    "registrations",
    records.Registration,
    key=("project_id", "organization_id", "registration_id"),
)
CONNECTION: Final = Table(
    "connections", records.Connection, key=("project_id", "organization_id", "connection_id")
)
CONNECTION_KEY: Final = Table(
    "connection_keys",
    records.ConnectionKey,
    key=("project_id", "organization_id", "connection_id", "key_id"),
)
SIGN_IN: Final = Table("sign_ins", records.SignIn, key=("project_id", "sign_in_id"))
SSO_TOKEN: Final = Table("sso_tokens", records.SsoToken, key=("project_id", "token_id"))
REPLAY: Final = Table(
    "replays", records.Replay, key=("project_id", "connection_id", "assertion_id")
)
TRACE: Final = Table("traces", records.Trace, key=("project_id", "organization_id", "trace_id"))
SESSION: Final = Table(
    "sessions", records.Session, key=("project_id", "organization_id", "session_id")
)
INTERMEDIATE_SESSION: Final = Table(
    "intermediate_sessions",
    records.IntermediateSession,
    key=("project_id", "organization_id", "token_id"),
)
OUTBOX: Final = Table("outbox", records.OutboxMessage, key=("project_id", "message_id"))

TABLES: Final[tuple[Table[Any], ...]] = (
    PROJECT,
    PROJECT_SECRET,
    PUBLIC_TOKEN,
    REDIRECT_URL,
    SIGNING_KEY,
    DATA_KEY,
    ORGANIZATION,
    ORGANIZATION_DOMAIN,
    MEMBER,
    MEMBER_ROLE,
    MEMBER_EMAIL,
    REGISTRATION,
    CONNECTION,
    CONNECTION_KEY,
    SIGN_IN,
    SSO_TOKEN,
    REPLAY,
    TRACE,
    SESSION,
    INTERMEDIATE_SESSION,
    OUTBOX,
)


class Conflict(Exception):
    """A unique value is taken. `column` is `table.column` of the last column of the constraint."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


class StoreUnavailable(Exception):
    """The database cannot be reached, or did not answer in time; nothing was committed."""


class Transaction:
    """The tables, all inside one transaction."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.projects = Rows(PROJECT, executor)
        self.project_secrets = Rows(PROJECT_SECRET, executor)
        self.public_tokens = Rows(PUBLIC_TOKEN, executor)
        self.redirect_urls = Rows(REDIRECT_URL, executor)
        self.signing_keys = Rows(SIGNING_KEY, executor)
        self.data_keys = Rows(DATA_KEY, executor)
        self.organizations = Rows(ORGANIZATION, executor)
        self.organization_domains = Rows(ORGANIZATION_DOMAIN, executor)
        self.members = Rows(MEMBER, executor)
        self.member_roles = Rows(MEMBER_ROLE, executor)
        self.member_emails = Rows(MEMBER_EMAIL, executor)
        self.registrations = Rows(REGISTRATION, executor)
        self.connections = Rows(CONNECTION, executor)
        self.connection_keys = Rows(CONNECTION_KEY, executor)
        self.sign_ins = Rows(SIGN_IN, executor)
        self.sso_tokens = Rows(SSO_TOKEN, executor)
        self.replays = Rows(REPLAY, executor)
        self.traces = Rows(TRACE, executor)
        self.sessions = Rows(SESSION, executor)
        self.intermediate_sessions = Rows(INTERMEDIATE_SESSION, executor)
        self.outbox = Rows(OUTBOX, executor)

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a hand-written query, the same text for both engines, and return its rows."""
        return await self._executor.fetch(sql, values)


class Store(Protocol):
    """One database."""

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that only reads. Raises StoreUnavailable."""
        ...

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that commits at the end of the block. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Give up all connections."""
        ...
