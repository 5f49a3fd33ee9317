"""Every setting: name, type, default and one sentence of help. The only reader of the environment.

A setting `database` is read from `VESTIBULE_DATABASE`. All defaults work; an unknown
`VESTIBULE_…` name is an error at start-up that names the nearest known one.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from phonenumbers import SUPPORTED_REGIONS

PREFIX: Final = "VESTIBULE_"
_COUNTING: Final = ("valkey://", "valkeys://", "redis://", "rediss://")
_THIS_MACHINE: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?")


class SettingError(Exception):
    """A setting is unknown or has a value that cannot be used; the text names it."""


def _setting(default: object, help_text: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": help_text, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """The values in force. `repr` hides secrets."""

    base_url: str = _setting(
        "http://127.0.0.1:8080",
        "Public address of this server without a trailing slash; it is part of every ACS and "
        "redirect URL, so changing it breaks existing connections.",
    )
    database: str = _setting(
        "sqlite:data/vestibule.db",
        "Where the data is: `sqlite:PATH` or `postgresql://user:password@host:port/name`.",
        secret=True,
    )
    master_key: str = _setting(
        "",
        "32 bytes in base64 that wrap the data keys; empty: read or made in `master_key_file`.",
        secret=True,
    )
    master_key_file: str = _setting(
        "data/master.key",
        "File with the master key; it is made with mode 0600 when neither it nor `master_key` "
        "exists and the database holds no data key yet.",
    )
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 takes a free one.")
    database_connections: int = _setting(8, "PostgreSQL connections held by one process.")
    clock_skew_seconds: int = _setting(
        60, "Tolerated difference between our clock and an identity provider's; 0 to 300."
    )
    max_body_bytes: int = _setting(
        1_048_576, "Largest request body that is read; larger ones are answered with 413."
    )
    max_connections: int = _setting(
        500,
        "Client connections held at once; beyond, a new one takes the place of the one that has "
        "sent nothing for longest. Each needs a file descriptor.",
    )
    request_seconds: int = _setting(
        20, "Seconds that a client has to send a request, and to take its answer."
    )
    outbound_hosts: str = _setting(
        "",
        "Host names or host:port, separated by commas, that may be fetched although they are "
        "private or not https (an identity provider inside your network).",
    )
    outbound_networks: str = _setting(
        "", "Networks in CIDR form, separated by commas, that may be fetched although private."
    )
    outbound_ca_file: str = _setting(
        "",
        "PEM file with certificate authorities trusted for outbound requests besides the system's.",
    )
    mail_url: str = _setting(
        "",
        "Mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`; empty: what "
        "needs mail is refused.",
        secret=True,
    )
    mail_from: str = _setting("", "Sender of mail, such as `Acme <login@acme.com>`.")
    sms_account: str = _setting(
        "",
        "Account id at the SMS service (Twilio's `AC…`); empty: what needs SMS is refused.",
    )
    sms_token: str = _setting("", "Secret of `sms_account`.", secret=True)
    sms_from: str = _setting(
        "",
        "Sender of SMS: a phone number such as `+14155550100`, a name, or the id (`MG…`) of a "
        "messaging service.",
    )
    sms_url: str = _setting(
        "https://api.twilio.com",
        "Base URL of the SMS service: Twilio, or one that answers Twilio's Messages endpoint.",
    )
    sms_countries: str = _setting(
        "",
        "Countries (ISO 3166 codes such as `US,CA,DE`), separated by commas, whose numbers SMS are "
        "sent to; empty: all.",
    )
    user_lock_threshold: int = _setting(
        10, "Wrong codes of a member, one after the other, that lock the member out."
    )
    user_lock_seconds: int = _setting(3600, "How long a member is locked out.")
    limits_url: str = _setting(
        "",
        "Valkey or Redis server that counts requests for all nodes: "
        "`valkey://user:password@host:6379/0`, `valkeys://…` with TLS, or `redis://`, `rediss://`; "
        "empty: each process counts for itself.",
        secret=True,
    )
    limits_factor: int = _setting(
        1, "Every request limit times this, but those of guesses (docs/operating.md)."
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses and networks in CIDR form, separated by commas, of reverse proxies whose "
        "X-Forwarded-For is believed; empty: nobody's.",
    )
    log_json: bool = _setting(True, "Write log lines as JSON; false writes them for people.")

    @property
    def countries_of_sms(self) -> frozenset[str]:
        """The codes of `sms_countries`; none for all."""
        return frozenset(_listed(self.sms_countries))


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that `environ` (the process's own when None) asks for.

    Raises SettingError naming the variable and what was expected.
    """
    given = os.environ if environ is None else environ
    known = {PREFIX + item.name.upper(): item for item in fields(Settings)}
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise SettingError(f"unknown setting {name}; did you mean {near[0]}?")
        item = known[name]
        values[item.name] = _parse(name, text, type(item.default))
    settings = Settings(**values)
    _check(settings)
    return settings


def _parse(name: str, text: str, kind: type[object]) -> object:
    if kind is bool:
        if text.lower() not in {"true", "false"}:
            raise SettingError(f"{name}: expected true or false, got {text!r}")
        return text.lower() == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise SettingError(f"{name}: expected a whole number, got {text!r}") from None
    return text


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _check(settings: Settings) -> None:
    if not settings.base_url.startswith(("https://", "http://")) or settings.base_url.endswith("/"):
        raise SettingError(
            f"{PREFIX}BASE_URL: expected https://host[:port] without a trailing slash, "
            f"got {settings.base_url!r}"
        )
    if not settings.base_url.startswith("https://") and not _THIS_MACHINE.fullmatch(
        settings.base_url
    ):
        raise SettingError(
            f"{PREFIX}BASE_URL: http is for this machine alone, expected https, "
            f"got {settings.base_url!r}"
        )
    if not 0 <= settings.clock_skew_seconds <= 300:
        raise SettingError(f"{PREFIX}CLOCK_SKEW_SECONDS: expected 0 to 300")
    for name in (
        "max_connections",
        "request_seconds",
        "max_body_bytes",
        "user_lock_threshold",
        "user_lock_seconds",
        "limits_factor",
    ):
        if getattr(settings, name) < 1:
            raise SettingError(f"{PREFIX}{name.upper()}: expected at least 1")
    if not settings.database.startswith(("sqlite:", "postgresql://")):
        raise SettingError(f"{PREFIX}DATABASE: expected sqlite:PATH or postgresql://…")
    if not settings.limits_url.startswith(_COUNTING) and settings.limits_url:
        raise SettingError(f"{PREFIX}LIMITS_URL: expected valkey://…, valkeys://… or redis://…")
    for item in settings.countries_of_sms:
        if item not in SUPPORTED_REGIONS:
            raise SettingError(f"{PREFIX}SMS_COUNTRIES: expected codes such as US,CA, got {item!r}")
    for item in _listed(settings.trusted_proxies):
        try:
            ipaddress.ip_network(item)
        except ValueError as error:
            raise SettingError(f"{PREFIX}TRUSTED_PROXIES: {error}") from None
