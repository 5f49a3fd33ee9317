import asyncio

import pytest

from vestibule import errors
from vestibule.domain import projects, signing_keys
from vestibule.domain.context import Context
from vestibule.domain.projects import Credentials
from vestibule.errors import ErrorType, Failure
from vestibule.records import Project

URL = "https://app.example.test/callback"


async def refusal(work: object) -> ErrorType:
    with pytest.raises(Failure) as caught:
        await work  # type: ignore[misc]  # a coroutine
    return caught.value.error


async def test_a_new_project_has_one_secret_one_public_token_and_one_key(context: Context) -> None:
    made = await projects.create(context, name="Live", environment="live")
    assert made.project_id.startswith("project-live-")
    assert made.secret.startswith("secret-live-")
    assert made.public_token.startswith("public-token-live-")
    project, _ = await projects.authenticate(context, made.project_id, made.secret)
    assert (project.name, project.environment) == ("Live", "live")
    assert await projects.of_public_token(context, made.public_token) == project
    assert await projects.get(context, made.project_id) == project
    async with context.store.read() as tx:
        (key,) = await signing_keys.published(tx, project.project_id, now=context.clock.now())
        (secret,) = await tx.project_secrets.all(project_id=project.project_id)
    assert key.active_from == context.clock.now()
    assert secret.last_four == made.secret[-4:]
    assert made.secret.encode() not in secret.secret_hash


async def test_fixed_credentials_make_the_project_once(context: Context) -> None:
    fixed = Credentials("project-test-fixed", "secret-test-fixed", "public-token-test-fixed")
    for _ in range(2):
        made = await projects.create(context, name="Dev", environment="test", fixed=fixed)
        assert made == fixed
    await projects.authenticate(context, fixed.project_id, fixed.secret)
    async with context.store.read() as tx:
        assert await tx.project_secrets.count(project_id=fixed.project_id) == 1
        assert await tx.signing_keys.count(project_id=fixed.project_id) == 1


async def test_wrong_credentials_are_all_refused_alike(context: Context, project: Project) -> None:
    made = await projects.create(context, name="Other", environment="test")
    for project_id, secret in (
        (project.project_id, made.secret),
        (made.project_id, made.secret[:-1]),
        (made.project_id, ""),
        (made.project_id, made.public_token),
        ("unknown", made.secret),
        ("", ""),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("\u00e9", "\u00e9"),
    ):
        error = await refusal(projects.authenticate(context, project_id, secret))
        assert error is errors.unauthorized_credentials


async def test_an_unknown_public_token_or_project_is_said(context: Context) -> None:
    assert await refusal(projects.of_public_token(context, "")) is errors.public_token_required
    assert await refusal(projects.of_public_token(context, "x")) is errors.public_token_not_found
    assert await refusal(projects.get(context, "x")) is errors.project_not_found


async def test_secrets_overlap_until_the_old_ones_are_removed(context: Context) -> None:
    made = await projects.create(context, name="P", environment="test")
    project = await projects.get(context, made.project_id)
    second, third = [await projects.rotate_secret(context, project) for _ in range(2)]
    for secret in (made.secret, second, third):
        await projects.authenticate(context, project.project_id, secret)
    error = await refusal(projects.remove_secrets(context, project, keep="unknown"))
    assert error is errors.unauthorized_credentials
    await projects.authenticate(context, project.project_id, made.secret)
    assert await projects.remove_secrets(context, project, keep=second) == 2
    await projects.authenticate(context, project.project_id, second)
    for secret in (made.secret, third):
        error = await refusal(projects.authenticate(context, project.project_id, secret))
        assert error is errors.unauthorized_credentials


async def test_the_first_redirect_url_of_a_kind_is_its_default(
    context: Context, project: Project
) -> None:
    async def add(url: str, **kinds: bool) -> tuple[bool, bool]:
        added = await projects.add_redirect_url(
            context, project, url, **{"login": False, "signup": False, **kinds}
        )
        return added.default_login, added.default_signup

    assert await add(f"{URL}?to={{}}", login=True, signup=True) == (False, False)
    assert await add(f"{URL}1", login=True) == (True, False)
    assert await add(f"{URL}2", login=True, signup=True) == (False, True)
    assert await add(f"{URL}3", login=True, signup=True) == (False, False)


async def test_the_first_url_for_logouts_is_their_default(
    context: Context, project: Project
) -> None:
    async def add(url: str) -> bool:
        added = await projects.add_redirect_url(
            context, project, url, login=False, signup=False, logout=True
        )
        assert (added.default_login, added.default_signup) == (False, False)
        return added.default_logout

    assert [await add(url) for url in (f"{URL}?to={{}}", f"{URL}1", f"{URL}2")] == [
        False,
        True,
        False,
    ]


async def test_a_redirect_url_is_registered_once(context: Context, project: Project) -> None:
    await projects.add_redirect_url(context, project, URL, login=True, signup=False)
    again = projects.add_redirect_url(context, project, URL, login=False, signup=True)
    assert await refusal(again) is errors.duplicate_redirect_url
    bad = projects.add_redirect_url(context, project, "javascript:x", login=True, signup=False)
    assert await refusal(bad) is errors.invalid_login_sso_url
    async with context.store.read() as tx:
        assert await tx.redirect_urls.count() == 1


async def defaults(context: Context, project: Project) -> list[tuple[str, bool, bool]]:
    found = await projects.all_redirect_urls(context, project)
    return [(each.url, each.default_login, each.default_signup) for each in found]


async def test_another_redirect_url_becomes_the_default_of_its_kinds(
    context: Context, project: Project
) -> None:
    first, second = f"{URL}1", f"{URL}2"
    await projects.add_redirect_url(context, project, first, login=True, signup=True)
    await projects.add_redirect_url(context, project, second, login=True, signup=False)
    await projects.make_default(context, project, second)
    assert await defaults(context, project) == [(first, False, True), (second, True, False)]
    await projects.make_default(context, project, first)
    assert await defaults(context, project) == [(first, True, True), (second, False, False)]


async def test_what_needs_more_than_itself_is_no_default(
    context: Context, project: Project
) -> None:
    for url in (f"{URL}?to={{}}", "com.example.app://callback"):
        added = await projects.add_redirect_url(context, project, url, login=True, signup=True)
        assert not added.default_login
        refused = await refusal(projects.make_default(context, project, url))
        assert refused is errors.redirect_url_with_query_param_placeholder_cannot_be_default


async def test_a_redirect_url_is_removed_and_leaves_no_default(
    context: Context, project: Project
) -> None:
    for number in (1, 2):
        await projects.add_redirect_url(context, project, f"{URL}{number}", login=True, signup=True)
    await projects.remove_redirect_url(context, project, f"{URL}1")
    assert await defaults(context, project) == [(f"{URL}2", False, False)]
    for change in (projects.remove_redirect_url, projects.make_default):
        refused = await refusal(change(context, project, f"{URL}1"))
        assert refused is errors.redirect_url_not_found


async def test_there_is_one_default_whoever_is_first(context: Context, project: Project) -> None:
    # All connections are open, so that nobody is ahead.
    await asyncio.gather(*(projects.get(context, project.project_id) for _ in range(8)))
    adding = [
        projects.add_redirect_url(context, project, f"{URL}{n}", login=True, signup=True)
        for n in range(8)
    ]
    await asyncio.gather(*adding)
    async with context.store.read() as tx:
        found = await tx.redirect_urls.all(project_id=project.project_id)
    assert [url.default_login for url in found].count(True) == 1
    assert [url.default_signup for url in found].count(True) == 1
