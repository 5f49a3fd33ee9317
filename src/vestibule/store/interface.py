"""What storage offers: transactions, the tables inside them, and its errors.

`async with store.write() as tx:` commits when the block ends and rolls back when it raises. Its
isolation is PostgreSQL's READ COMMITTED: consume with `change`, and read with `lock=True` what
`update` will write. After any error the transaction is over; catch errors outside the block.
`store.read()` only reads; each of its statements sees what is committed by then.

Inside a transaction nothing but the store may be awaited: SQLite runs on the event loop, and a
transaction that waits for something else holds everybody up.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, Protocol

from vestibule import records
from vestibule.store.table import Executor, R, Row, Rows, Table

PROJECT: Final = Table("projects", records.Project, key=("project_id",))
PROJECT_SECRET: Final = Table(
    "project_secrets", records.ProjectSecret, key=("project_id", "secret_id")
)
PUBLIC_TOKEN: Final = Table("public_tokens", records.PublicToken, key=("public_token",))
REDIRECT_URL: Final = Table("redirect_urls", records.RedirectUrl, key=("project_id", "url"))
SIGNING_KEY: Final = Table("signing_keys", records.SigningKey, key=("project_id", "key_id"))
TRUSTED_TOKEN_PROFILE: Final = Table(
    "trusted_token_profiles", records.TrustedTokenProfile, key=("project_id", "profile_id")
)
TRUSTED_TOKEN: Final = Table(
    "trusted_tokens", records.TrustedToken, key=("project_id", "profile_id", "token_id")
)
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
TOTP: Final = Table(
    "totps", records.Totp, key=("project_id", "organization_id", "totp_registration_id")
)
RECOVERY_CODE: Final = Table(
    "recovery_codes",
    records.RecoveryCode,
    key=("project_id", "organization_id", "totp_registration_id", "recovery_code_id"),
)
SMS_CODE: Final = Table(
    "sms_codes", records.SmsCode, key=("project_id", "organization_id", "member_id")
)
SMS_COUNT: Final = Table(
    "sms_counts", records.SmsCount, key=("project_id", "limit_name", "subject", "ends_at")
)
REGISTRATION: Final = Table(
    "registrations",
    records.Registration,
    key=("project_id", "organization_id", "registration_id"),
)
OIDC_TOKEN: Final = Table(
    "oidc_tokens",
    records.OidcToken,
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
METADATA_FEED: Final = Table(
    "metadata_feeds",
    records.MetadataFeed,
    key=("project_id", "organization_id", "connection_id"),
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
EMAIL_UPDATE: Final = Table("email_updates", records.EmailUpdate, key=("update_id",))
LOGOUT: Final = Table("logouts", records.Logout, key=("project_id", "logout_id"))
IMPERSONATION_TOKEN: Final = Table(
    "impersonation_tokens", records.ImpersonationToken, key=("project_id", "token_id")
)
OUTBOX: Final = Table("outbox", records.OutboxMessage, key=("project_id", "message_id"))
AUDIT_EVENT: Final = Table(
    "audit_events", records.AuditEvent, key=("project_id", "organization_id", "sequence")
)
AUDIT_HEAD: Final = Table("audit_heads", records.AuditHead, key=("project_id", "organization_id"))

TABLES: Final[tuple[Table[Any], ...]] = (
    PROJECT,
    PROJECT_SECRET,
    PUBLIC_TOKEN,
    REDIRECT_URL,
    SIGNING_KEY,
    TRUSTED_TOKEN_PROFILE,
    TRUSTED_TOKEN,
    DATA_KEY,
    ORGANIZATION,
    ORGANIZATION_DOMAIN,
    MEMBER,
    MEMBER_ROLE,
    MEMBER_EMAIL,
    TOTP,
    RECOVERY_CODE,
    SMS_CODE,
    SMS_COUNT,
    REGISTRATION,
    CONNECTION,
    CONNECTION_KEY,
    METADATA_FEED,
    SIGN_IN,
    SSO_TOKEN,
    REPLAY,
    TRACE,
    SESSION,
    INTERMEDIATE_SESSION,
    EMAIL_UPDATE,
    LOGOUT,
    IMPERSONATION_TOKEN,
    OUTBOX,
    OIDC_TOKEN,
    AUDIT_EVENT,
    AUDIT_HEAD,
)


class Conflict(Exception):
    """A unique value is taken. `column` is `table.column` of the last column of the constraint."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


class ParentMissing(Exception):
    """The row that a new row belongs to is gone: deleted by somebody else a moment ago."""


class Unstorable(Exception):
    """A value that no column can hold: NUL or a lone surrogate in text, more than 64 bits.

    Also an indexed text beyond what an index takes (about 2,600 bytes on PostgreSQL).
    """


class StoreUnavailable(Exception):
    """The database cannot be reached, or did not answer in time.

    Nothing was committed, unless the connection was lost during the commit itself: then nobody
    can tell, and trying again must be harmless.
    """


class _In(Generic[R]):
    """A table as an attribute of a transaction; made when asked for, most are not."""

    def __init__(self, table: Table[R]) -> None:
        self._table = table

    def __get__(self, transaction: "Transaction", owner: type["Transaction"]) -> Rows[R]:
        return Rows(self._table, transaction.executor)


class Transaction:
    """The tables, all inside one transaction."""

    projects = _In(PROJECT)
    project_secrets = _In(PROJECT_SECRET)
    public_tokens = _In(PUBLIC_TOKEN)
    redirect_urls = _In(REDIRECT_URL)
    signing_keys = _In(SIGNING_KEY)
    trusted_token_profiles = _In(TRUSTED_TOKEN_PROFILE)
    trusted_tokens = _In(TRUSTED_TOKEN)
    data_keys = _In(DATA_KEY)
    organizations = _In(ORGANIZATION)
    organization_domains = _In(ORGANIZATION_DOMAIN)
    members = _In(MEMBER)
    member_roles = _In(MEMBER_ROLE)
    member_emails = _In(MEMBER_EMAIL)
    totps = _In(TOTP)
    recovery_codes = _In(RECOVERY_CODE)
    sms_codes = _In(SMS_CODE)
    sms_counts = _In(SMS_COUNT)
    registrations = _In(REGISTRATION)
    connections = _In(CONNECTION)
    connection_keys = _In(CONNECTION_KEY)
    metadata_feeds = _In(METADATA_FEED)
    sign_ins = _In(SIGN_IN)
    sso_tokens = _In(SSO_TOKEN)
    replays = _In(REPLAY)
    traces = _In(TRACE)
    sessions = _In(SESSION)
    intermediate_sessions = _In(INTERMEDIATE_SESSION)
    email_updates = _In(EMAIL_UPDATE)
    logouts = _In(LOGOUT)
    impersonation_tokens = _In(IMPERSONATION_TOKEN)
    outbox = _In(OUTBOX)
    oidc_tokens = _In(OIDC_TOKEN)
    audit_events = _In(AUDIT_EVENT)
    audit_heads = _In(AUDIT_HEAD)

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a hand-written query, the same text for both engines, and return its rows."""
        return await self.executor.fetch(sql, values)


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
