"""Writes the pages that are read from the code; with --check, compares them and writes nothing."""

import difflib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Final

from docs import cases, compatibility
from vestibule import errors
from vestibule.api import groups, openapi
from vestibule.domain import limits
from vestibule.permissions import Access, Permission, Public, PublicToken
from vestibule.settings import PREFIX, Settings

DOCS: Final = Path(__file__).parent
ROOT: Final = DOCS.parent
NOTE: Final = "<!-- Written by `make docs`; edit the code instead. -->"


def errors_page() -> str:
    """Return every error a caller can see."""
    rows = "\n".join(
        f"| `{each.name}` | {each.status} | {cell(each.message)} |" for each in errors.all_errors()
    )
    return f"""# Errors

{NOTE}

Every error answer is JSON with `status_code`, `request_id`, `error_type`, `error_message` and
`error_url`. The message may say more than the text below: which field, and what was expected.

| error_type | status | what it says |
|---|---|---|
{rows}
"""


def settings_page() -> str:
    """Return every setting."""
    rows = "\n".join(
        f"| `{PREFIX}{each.name.upper()}` | {default(each.default)} | {cell(each.metadata['help'])}"
        f"{' Kept out of logs.' if each.metadata['secret'] else ''} |"
        for each in fields(Settings)
    )
    return f"""# Settings

{NOTE}

Settings are environment variables. Every default works; an unknown name that begins with
`{PREFIX}` stops the start.

| variable | default | what it does |
|---|---|---|
{rows}
"""


def limits_page() -> str:
    """Return every request limit."""
    rows = "\n".join(
        f"| `{each.name}` | {' and '.join(each.per)} | {each.requests:,} in {each.seconds} s "
        f"| {cell(each.what)} | {_uncounted(each)} |"
        for each in limits.ALL
    )
    return f"""# Request limits

{NOTE}

Beyond a limit the answer is 429 `too_many_requests`, with Retry-After. Windows are fixed: those of
60 s begin with the minute. An address is one of IPv4, or a /64 network of IPv6. The last column is
what happens to what cannot be counted because the server of `VESTIBULE_LIMITS_URL` is down; what
is counted in the database does not need it.

| limit | for each | at most | what counts | uncounted |
|---|---|---|---|---|
{rows}
"""


def _uncounted(limit: limits.Limit) -> str:
    if limit.in_database:
        return "counted in the database"
    return "refused" if limit.guess else "let through"


def cases_page() -> str:
    """Return which test proves which attack or rule, with what verdict and reason."""
    rows = "\n".join(
        f"| {each.case} | {' and '.join(each.verdicts)} | {', '.join(each.reasons)} "
        f"| [{each.test}](../../{each.path.relative_to(ROOT).as_posix()}) |"
        for each in cases.proofs()
    )
    return f"""# Attack and rule cases

{NOTE}

XP: XML parsing · XS: signatures · XE: encryption · SP: the SAML profile · OI: OpenID Connect ·
SR: outbound requests. Each row is a test that `make test` runs. The verdict and the reason are
the ones it asserts: *holds* means that it refuses and accepts nothing by itself, and that what
its name says is so. The build fails when a case of the
[catalogue](catalogue.txt) has no test left.

| case | verdict | reason | test |
|---|---|---|---|
{rows}
"""


def default(value: object) -> str:
    """Return a default as it would be written in the environment."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


def cell(text: str) -> str:
    """Return the text as it can stand in a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def endpoints_page() -> str:
    """Return every endpoint with who may call it."""
    rows = "\n".join(
        f"| `{each.operation_id}` | {each.method} | `{each.path}` | {access(each.access)} |"
        for each in groups.endpoints()
    )
    return f"""# Endpoints

{NOTE}

Every call carries HTTP Basic `project_id:secret` unless it says otherwise. Where a permission is
named, a member session in `X-Stytch-Member-Session` or `X-Stytch-Member-SessionJWT` is honoured:
its roles must grant that permission too. Fields and errors are in [openapi.json](openapi.json).

| SDK method | method | path | who |
|---|---|---|---|
{rows}
"""


def compatibility_page() -> str:
    """Return what of the Stytch B2B API is answered, operation by operation, field by field."""
    every = compatibility.operations()
    rows = "\n".join(
        f"| `{each.method}` | {each.verdict} | {compatibility_fields(each)} |" for each in every
    )
    counts = Counter(each.verdict for each in every)
    own = "\n".join(f"- {each.method} `{each.path}`" for each in compatibility.beyond())
    return f"""# Compatibility with the Stytch B2B API

{NOTE}

Every operation of the official SDKs, read from the Python SDK. *supported*: every field is
honoured; `make test` calls each through both official SDKs with every field. *partial*: a field in
italics is accepted, at most kept and shown, and decides nothing. *refused*: the answer is 404
`route_not_found`. The SDKs send `fraud.*` to a host of Stytch's whatever the base URL is, so those
are not listed.

{counts["supported"]} supported, {counts["partial"]} partial, {counts["refused"]} refused.

| SDK method | verdict | fields |
|---|---|---|
{rows}

Vestibule's own endpoints, which no Stytch SDK calls:

{own or "none."}
"""


def compatibility_fields(operation: compatibility.Operation) -> str:
    """Return the fields of an operation as a cell: those without effect in italics."""
    if not operation.known:
        return ""
    return ", ".join(
        f"*{each}*" if each in operation.without_effect else f"`{each}`"
        for each in operation.fields
    )


def access(rule: Access) -> str:
    """Return an access rule in words."""
    if isinstance(rule, Public):
        return f"anybody: {rule.reason}"
    if isinstance(rule, PublicToken):
        return "browsers: Basic with the public token; the answer is in `data`"
    if isinstance(rule, Permission):
        return f"project; members with `{rule.resource}` `{rule.action or 'per field'}`"
    return "project"


def openapi_document() -> str:
    """Return the OpenAPI 3.1 document."""
    return openapi.text()


PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/compatibility.md": compatibility_page,
    "reference/endpoints.md": endpoints_page,
    "reference/errors.md": errors_page,
    "reference/limits.md": limits_page,
    "reference/openapi.json": openapi_document,
    "reference/settings.md": settings_page,
    "security/cases.md": cases_page,
}


def main() -> int:
    """Write the pages, or with --check print how they differ; return the exit status."""
    check = sys.argv[1:] == ["--check"]
    outdated = 0
    for name, page in PAGES.items():
        path, new = DOCS / name, page()
        old = path.read_text() if path.is_file() else ""
        if old == new:
            continue
        outdated += 1
        if check:
            sys.stdout.writelines(difflib.unified_diff(
                old.splitlines(keepends=True), new.splitlines(keepends=True),
                f"docs/{name}", f"docs/{name} after `make docs`", n=0,
            ))  # fmt: skip
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new)
            sys.stdout.write(f"docs/{name} written\n")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
