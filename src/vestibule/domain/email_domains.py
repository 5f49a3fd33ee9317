"""E-mail domains in settings: their canonical form, and those that belong to everybody."""

from collections.abc import Sequence
from typing import Final

from vestibule.domain.email import domain_of
from vestibule.errors import ErrorType, Failure

# Second-level names whose addresses anybody can have, under any public suffix (semantics 1.2).
# fmt: off
_COMMON: Final = frozenset({
    "aol", "att", "bol", "comcast", "earthlink", "free", "gmail", "gmx", "googlemail", "hey",
    "hotmail", "icloud", "ig", "laposte", "libero", "live", "mac", "mail", "me", "msn",
    "orange", "outlook", "rediffmail", "sbcglobal", "uol", "verizon", "wanadoo", "yahoo",
    "yandex", "ymail",
})
# fmt: on
# The middle label of a two-part suffix such as co.uk or com.br.
_SECOND_LEVEL: Final = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})


def read_domain(text: str, *, field: str, invalid: ErrorType, common: ErrorType) -> str:
    """Return an e-mail domain in lower-case IDNA form.

    Raises Failure `invalid` when it is not one and `common` when everybody can have an address
    in it; the message names `field` and the value.
    """
    try:
        domain = domain_of(f"x@{text}")
    except Failure:
        raise Failure(
            invalid, f"{field}: expected a domain such as example.com, got {text[:100]!r}."
        ) from None
    if _is_common(domain):
        raise Failure(
            common, f"{field}: {domain} belongs to a common e-mail provider; use your own domain."
        )
    return domain


def read_domains(
    texts: Sequence[str],
    *,
    field: str,
    invalid: ErrorType,
    common: ErrorType,
    duplicate: ErrorType,
) -> tuple[str, ...]:
    """Return the domains in the form of `read_domain`; Failure `duplicate` when one comes twice."""
    found: dict[str, None] = {}
    for text in texts:
        domain = read_domain(text, field=field, invalid=invalid, common=common)
        if domain in found:
            raise Failure(duplicate, f"{field}: {domain} is given twice.")
        found[domain] = None
    return tuple(found)


def name_of(email_key: str) -> str:
    """Return what an organization of whoever has this address may be called.

    That is the domain's own label, or the local part where everybody has an address in the domain
    or it is a university's (SDK: discovery.organizations.create).
    """
    local, _, domain = email_key.rpartition("@")
    labels = _significant(domain)
    return local if _is_common(domain) or labels[-1] == "edu" else labels[-2]


def _significant(domain: str) -> list[str]:
    """Return the labels of a domain that tell it from others: co.uk is as one."""
    labels = domain.split(".")
    if len(labels) > 2 and labels[-2] in _SECOND_LEVEL:
        labels.pop(-2)
    return labels


def _is_common(domain: str) -> bool:
    labels = domain.split(".")
    if len(labels) == 3 and labels[1] in _SECOND_LEVEL:
        labels.pop(1)
    return len(labels) == 2 and labels[0] in _COMMON
