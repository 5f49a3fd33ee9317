"""Structured logging, and the list of what may never be in a log line."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
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
        "master_key",
        "password",
        "pkce_code_verifier",
        "private_key",
        "relay_state",
        "saml_response",
        "secret",
        "session_jwt",
        "session_token",
        "sso_token",
        "state",
        "token",
    }
)
_HIDDEN: Final = "[hidden]"


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


def configure(*, json: bool) -> None:
    """Write log lines to standard error: JSON for machines, or readable for people."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> structlog.stdlib.BoundLogger:
    """Return the process's logger."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger()
    return bound
