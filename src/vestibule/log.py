"""Structured logging: one line for each event, no longer than it may be, and without secrets."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from itertools import islice
from typing import Any, Final

import structlog

SECRET_FIELDS: Final = frozenset(
    {
        "authorization",
        "client_secret",
        "code",
        "code_verifier",
        "cookie",
        "id_token",
        "access_token",
        "refresh_token",
        "intermediate_session_token",
        "logout_token",
        "master_key",
        "password",
        "pkce_code_verifier",
        "private_key",
        "qr_code",
        "recovery_code",
        "recovery_codes",
        "relay_state",
        "saml_encryption_private_key",
        "saml_response",
        "saml_signing_private_key",
        "secret",
        "session_jwt",
        "session_token",
        "sso_token",
        "state",
        "token",
        "totp_code",
    }
)
_HIDDEN: Final = "[hidden]"
_MOST_TEXT: Final = 2_000
_MOST_TRACEBACK: Final = 20_000
_MOST_ENTRIES: Final = 50


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field named in SECRET_FIELDS, at any depth of what is logged."""
    for name, value in event.items():
        event[name] = _shown(name, value)
    return event


def _shown(name: object, value: object) -> object:
    if isinstance(name, str) and name.lower() in SECRET_FIELDS:
        return _HIDDEN
    if isinstance(value, Mapping):
        return {key: _shown(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(None, inner) for inner in value]
    return value


def cut(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Shorten what is longer than a line may hold: somebody else may have chosen how long it is.

    Of a text the beginning and the end stay, of a collection the first entries; what is none that
    JSON knows becomes a text.
    """
    for name, value in event.items():
        event[name] = _cut(value, _MOST_TRACEBACK if name == "exception" else _MOST_TEXT)
    return event


def _cut(value: object, most: int = _MOST_TEXT) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        first = islice(value.items(), _MOST_ENTRIES)
        return {str(_cut(str(key))): _cut(inner) for key, inner in first}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cut(inner) for inner in islice(value, _MOST_ENTRIES)]
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}[… {len(text) - 2 * half} characters …]{text[-half:]}"


def escape(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write what steers a terminal or ends a line as an escape; JSON does so by itself.

    A traceback keeps its lines, indented, so that none looks like an event.
    """
    for name, value in event.items():
        if name == "exception":
            event[name] = "\n".join(f"  {printable(line)}" for line in str(value).split("\n"))
        elif isinstance(value, str):
            event[name] = printable(value)
    return event


def printable(text: str) -> str:
    """Return `text` with escapes in the place of what is no letter, sign or space."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configure(*, json: bool) -> None:
    """Write log lines to standard error: JSON for machines, or readable for people.

    Warnings of libraries, which use the standard library's logging, are written in the same form.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        structlog.processors.format_exc_info,
        cut,
    ]
    rendered: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]
        if json
        else [escape, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
                *rendered,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])


def logger() -> structlog.stdlib.BoundLogger:
    """Return the process's logger."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger()
    return bound
