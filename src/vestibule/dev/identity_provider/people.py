"""Who signs in at the test identity provider, and what is said about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vestibule.dev.forms import FormError, line

_LONGEST_LIST: Final = 4000
_MOST_VALUES: Final = 100


@dataclass(frozen=True)
class Person:
    """An entry of the identity provider's directory."""

    user_id: str
    email: str
    first_name: str
    last_name: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Login:
    """One person at one login, with the groups and extra attributes to be sent along."""

    person: Person
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]


PEOPLE: Final[Mapping[str, Person]] = MappingProxyType(
    {
        "alice": Person("user-alice", "alice@example.com", "Alice", "Adams"),
        "bob": Person("user-bob", "bob@example.com", "Bob", "Brown"),
        # Letters that have to survive XML, JSON and HTML on the way to the application.
        "zoe": Person("user-zoe", "zoe@example.com", "Zoë", "Müller & <Söhne>"),
        # A guest: an address outside the organization's domain.
        "gwen": Person("user-gwen", "gwen@partner.example", "Gwen", "Guest"),
    }
)
SOMEONE_ELSE: Final = "other"


def read_login(fields: Mapping[str, str]) -> Login:
    """Return who the login form says is signing in.

    Fields: `person` (a key of PEOPLE, or "other" with `email`, `first_name`, `last_name` and
    `user_id`), `groups` (separated by commas), `attributes` (a line `name=value` each; a name that
    stands there again gets one value more). Raises FormError.
    """
    return Login(_person(fields), _groups(fields), _extra(fields))


def _person(fields: Mapping[str, str]) -> Person:
    chosen = line(fields, "person")
    if chosen in PEOPLE:
        return PEOPLE[chosen]
    if chosen != SOMEONE_ELSE:
        raise FormError("Choose who you are.")
    email = line(fields, "email")
    if not email:
        raise FormError("Someone else needs an e-mail address.")
    return Person(
        user_id=line(fields, "user_id") or email,
        email=email,
        first_name=line(fields, "first_name"),
        last_name=line(fields, "last_name"),
    )


def _groups(fields: Mapping[str, str]) -> tuple[str, ...]:
    names = line(fields, "groups", longest=_LONGEST_LIST).split(",")
    return _bounded("groups", tuple(name.strip() for name in names if name.strip()))


def _extra(fields: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    rows = fields.get("attributes", "")[: _LONGEST_LIST + 1].splitlines()
    for row in _bounded("attributes", tuple(rows)):
        text = line({"attributes": row}, "attributes", longest=_LONGEST_LIST)
        name, equals, value = text.partition("=")
        if not text:
            continue
        if not (equals and name.strip()):
            raise FormError(f"The line “{text}” is not of the form name=value.")
        extra[name.strip()] = (*extra.get(name.strip(), ()), value.strip())
    return extra


def _bounded(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > _MOST_VALUES:
        raise FormError(f"The field {name} holds more than {_MOST_VALUES} values.")
    return values
