"""Projects: their credentials and their redirect URLs."""

from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.domain import audit, redirect_urls, signing_keys
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.ids import Environment, hash_secret, new_id, new_secret, same_secret
from vestibule.records import Project, ProjectSecret, PublicToken, RedirectUrl
from vestibule.store.interface import Conflict, Transaction

_NO_HASH: Final = bytes(32)
_KINDS: Final = ("login", "signup", "logout")


@dataclass(frozen=True)
class Credentials:
    """What the owner of a new project is told once."""

    project_id: str
    secret: str
    public_token: str


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """How much belongs to a project."""

    organizations: int
    members: int


async def authenticate(context: Context, project_id: str, secret: str) -> tuple[Project, str]:
    """Return the project that `secret` belongs to, and the secret's id.

    Raises Failure unauthorized_credentials.

    An unknown project costs the same comparison as a wrong secret.
    """
    given = hash_secret(secret.encode())
    async with context.store.read() as tx:
        stored = await tx.project_secrets.all(project_id=project_id)
        project = await tx.projects.find(project_id=project_id)
    hashes = [(item.secret_hash, item.secret_id) for item in stored] or [(_NO_HASH, "")]
    matches = [secret_id for known, secret_id in hashes if same_secret(given, known)]
    if project is None or not matches:
        raise Failure(errors.unauthorized_credentials)
    return project, matches[0]


async def tell_of_guesses(context: Context, project_id: str) -> None:
    """Write down that an address has used up its wrong secrets, if there is such a project."""
    async with context.store.write() as tx:
        project = await tx.projects.find(project_id=project_id)
        if project is not None:
            await audit.record(tx, context, "project.refuse_secrets", project, project_id)


async def of_public_token(context: Context, public_token: str) -> Project:
    """Return the project of a public token. Raises public_token_required or _not_found."""
    if not public_token:
        raise Failure(errors.public_token_required)
    async with context.store.read() as tx:
        found = await tx.public_tokens.find(public_token=public_token)
        project = await tx.projects.find(project_id=found.project_id) if found else None
    if project is None:
        raise Failure(errors.public_token_not_found)
    return project


async def create(
    context: Context, *, name: str, environment: Environment, fixed: Credentials | None = None
) -> Credentials:
    """Make a project with one secret and one public token, and return what must be kept.

    `fixed` gives the values instead of new ones (development only); an existing project of that
    id is left as it is.
    """
    now, entropy = context.clock.now(), context.entropy
    chosen = fixed or Credentials(
        project_id=new_id("project", environment, now=now, entropy=entropy),
        secret=f"secret-{environment}-{new_secret(entropy=entropy)}",
        public_token=new_id("public-token", environment, now=now, entropy=entropy),
    )
    project = Project(
        project_id=chosen.project_id, environment=environment, name=name, created_at=now
    )
    signing_key = await signing_keys.new(context, project, active_from=now)
    async with context.store.write() as tx:
        if not await tx.projects.insert_if_absent(project):
            return chosen
        await _add_secret(tx, context, project, chosen.secret)
        await tx.public_tokens.insert(
            PublicToken(
                public_token=chosen.public_token, project_id=project.project_id, created_at=now
            )
        )
        await tx.signing_keys.insert(signing_key)
        await audit.record(tx, context, "project.create", project, project.project_id)
    return chosen


async def get(context: Context, project_id: str) -> Project:
    """Return the project. Raises Failure project_not_found."""
    async with context.store.read() as tx:
        project = await tx.projects.find(project_id=project_id)
    if project is None:
        raise Failure(errors.project_not_found)
    return project


async def holdings(context: Context, project: Project) -> Holdings:
    """Count the project's organizations and members, without the deleted ones."""
    async with context.store.read() as tx:
        return Holdings(
            organizations=await tx.organizations.count(project_id=project.project_id),
            members=await tx.members.count(
                project_id=project.project_id, status=("pending", "invited", "active")
            ),
        )


async def rotate_secret(context: Context, project: Project) -> str:
    """Add a new API secret and return it; the others stay valid until they are removed."""
    secret = f"secret-{project.environment}-{new_secret(entropy=context.entropy)}"
    async with context.store.write() as tx:
        secret_id = await _add_secret(tx, context, project, secret)
        await audit.record(tx, context, "project.add_secret", project, secret_id)
    return secret


async def remove_secrets(context: Context, project: Project, *, keep: str) -> int:
    """End every API secret but `keep` and return how many there were. Raises Failure."""
    async with context.store.write() as tx:
        stored = await tx.project_secrets.all(project_id=project.project_id)
        kept = hash_secret(keep.encode())
        old = tuple(s.secret_id for s in stored if not same_secret(s.secret_hash, kept))
        if len(old) == len(stored):
            raise Failure(errors.unauthorized_credentials, "The secret to keep is not active.")
        ended = await tx.project_secrets.delete(project_id=project.project_id, secret_id=old)
        for secret_id in old:
            await audit.record(tx, context, "project.remove_secret", project, secret_id)
    return ended


async def add_redirect_url(
    context: Context,
    project: Project,
    url: str,
    *,
    login: bool,
    signup: bool,
    logout: bool = False,
) -> RedirectUrl:
    """Register a redirect URL; the first of each kind becomes its default (semantics 1.1).

    Raises Failure duplicate_redirect_url or an error of `redirect_urls.check_registration`.
    """
    redirect_urls.check_registration(project, url)
    plain = redirect_urls.may_be_default(url)
    try:
        async with context.store.write() as tx:
            # The project is held, so that of several that are added at once one is the default.
            await tx.projects.find(lock=True, project_id=project.project_id)
            others = await tx.redirect_urls.all(project_id=project.project_id)
            record = RedirectUrl(
                project_id=project.project_id,
                url=url,
                login=login,
                signup=signup,
                logout=logout,
                default_login=login and plain and not any(o.default_login for o in others),
                default_signup=signup and plain and not any(o.default_signup for o in others),
                default_logout=logout and plain and not any(o.default_logout for o in others),
                created_at=context.clock.now(),
            )
            await tx.redirect_urls.insert(record)
            await audit.record(tx, context, "project.add_redirect_url", project, url)
    except Conflict:
        raise Failure(errors.duplicate_redirect_url) from None
    return record


async def all_redirect_urls(context: Context, project: Project) -> list[RedirectUrl]:
    """Return the project's redirect URLs, oldest first."""
    async with context.store.read() as tx:
        return await tx.redirect_urls.all(project_id=project.project_id, order="created_at")


async def make_default(context: Context, project: Project, url: str) -> None:
    """Let a redirect URL be the default of every kind that it is of.

    Raises Failure redirect_url_not_found, or one that says that it cannot be one.
    """
    async with context.store.write() as tx:
        await tx.projects.find(lock=True, project_id=project.project_id)
        found = await _redirect_url(tx, project, url)
        if not redirect_urls.may_be_default(url):
            raise Failure(errors.redirect_url_with_query_param_placeholder_cannot_be_default)
        defaults = {f"default_{kind}": True for kind in _KINDS if getattr(found, kind)}
        others = dict.fromkeys(defaults, False)
        await tx.redirect_urls.change(others, project_id=project.project_id)
        await tx.redirect_urls.change(defaults, project_id=project.project_id, url=url)
        await audit.record(tx, context, "project.set_default_redirect_url", project, url)


async def remove_redirect_url(context: Context, project: Project, url: str) -> None:
    """Send no browser to a URL any more; no other takes its place as a default.

    Raises Failure redirect_url_not_found.
    """
    async with context.store.write() as tx:
        await _redirect_url(tx, project, url)
        await tx.redirect_urls.delete(project_id=project.project_id, url=url)
        await audit.record(tx, context, "project.remove_redirect_url", project, url)


async def _redirect_url(tx: Transaction, project: Project, url: str) -> RedirectUrl:
    found = await tx.redirect_urls.find(lock=True, project_id=project.project_id, url=url)
    if found is None:
        raise Failure(errors.redirect_url_not_found)
    return found


async def _add_secret(tx: Transaction, context: Context, project: Project, secret: str) -> str:
    added = ProjectSecret(
        secret_id=context.new_id("secret", project),
        project_id=project.project_id,
        secret_hash=hash_secret(secret.encode()),
        last_four=secret[-4:],
        created_at=context.clock.now(),
    )
    await tx.project_secrets.insert(added)
    return added.secret_id
