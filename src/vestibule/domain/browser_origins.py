"""Which pages may ask the endpoints for browsers: those of the applications that logins end in.

A page's origin is compared whole with the origins of registered redirect URLs, so that nobody has
to keep a second list (security.md AD-44).
"""

from collections.abc import Collection

from vestibule import errors
from vestibule.domain import redirect_urls
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project
from vestibule.store import origins


def require(context: Context, project: Project, *, origin: str, known: Collection[str]) -> None:
    """Pass when a page of `origin` may ask in the name of `project`, or no page is asking ('').

    `known` is what `projects_at` found for it. Raises Failure bad_domain_for_stytch_sdk.
    """
    if not origin or origin == redirect_urls.origin_of(context.settings.base_url):
        return
    if project.project_id not in known:
        raise Failure(errors.bad_domain_for_stytch_sdk)


async def projects_at(context: Context, origin: str) -> frozenset[str]:
    """Return the ids of the projects that have a redirect URL of `origin`; none has one of ''."""
    if not origin or redirect_urls.origin_of(origin) != origin:
        return frozenset()
    async with context.store.read() as tx:
        candidates = await origins.redirect_urls(tx, origin)
    return frozenset(
        each.project_id for each in candidates if redirect_urls.origin_of(each.url) == origin
    )
