"""What the official SDKs say about their own methods: names, parameters, who takes options."""

import inspect
import re
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from stytch import B2BClient

TYPINGS = Path(__file__).parent / "node/node_modules/stytch/types/lib"
OPTIONS = "method_options"

_METHOD = re.compile(
    r"^    (\w+)\((?:(?:data|params): (\w+))?(, options\?: \w+)?\): Promise<", re.MULTILINE
)
_INTERFACE = re.compile(r"^export interface (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^    (\w+)\??: ", re.MULTILINE)


def python_parameters(client: B2BClient, method: str) -> frozenset[str]:
    """Return the request fields of `client.<method>`."""
    return frozenset(_python(client, method)) - {OPTIONS}


def python_takes_member(client: B2BClient, method: str) -> bool:
    """Tell whether the method can be called on behalf of a member."""
    return OPTIONS in _python(client, method)


def _python(client: B2BClient, method: str) -> Any:
    return inspect.signature(attrgetter(method)(client)).parameters


def node_method(method: str) -> str:
    """Return the Node name of a Python method: sso.saml.update_by_url is sso.saml.updateByURL.

    Groups are in camel case: organizations.members.oauth_providers is …members.oauthProviders.
    """
    group, _, _ = method.rpartition(".")
    camel = re.sub("_([a-z])", lambda found: found[1].upper(), group)
    return f"{camel}.{_node(method)[0]}"


def node_parameters(method: str) -> frozenset[str]:
    """Return the request fields that Node's typings declare for the method."""
    return _node(method)[1]


def node_takes_member(method: str) -> bool:
    return _node(method)[2]


def _node(method: str) -> tuple[str, frozenset[str], bool]:
    group, _, name = method.rpartition(".")
    return _typings(group.replace(".", "_"))[name.replace("_", "").lower()]


@cache
def _typings(file: str) -> dict[str, tuple[str, frozenset[str], bool]]:
    """Return the methods of a typings file by their name in lower case.

    What the SDK for consumers has as well is declared there alone.
    """
    # Its own groups are called otps, their files otp.
    own = TYPINGS / f"b2b/{re.sub('^otps_', 'otp_', file)}.d.ts"
    text = (own if own.exists() else TYPINGS / f"b2c/{file}.d.ts").read_text()
    interfaces = {name: frozenset(_FIELD.findall(body)) for name, body in _INTERFACE.findall(text)}
    return {
        name.lower(): (name, interfaces.get(request, frozenset()), bool(options))
        for name, request, options in _METHOD.findall(text)
    }
