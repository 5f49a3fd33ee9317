"""The one error of the package: why a message was refused, with what was wanted and got."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

import msgspec

MAX_TEXT = 200


class Reason(StrEnum):
    """Why something was refused. Internal: the caller maps it to what is public."""

    XML = "xml"
    XML_BASE64 = "xml.base64"
    XML_SIZE = "xml.size"
    XML_ENCODING = "xml.encoding"
    XML_DOCTYPE = "xml.doctype"
    XML_PI = "xml.pi"
    XML_COMMENT = "xml.comment"
    XML_DEPTH = "xml.depth"
    XML_NODES = "xml.nodes"
    XML_ATTRS = "xml.attrs"
    XML_NS = "xml.ns"
    XML_ID = "xml.id"
    XML_MIXED = "xml.mixed"
    XML_DEFLATE = "xml.deflate"

    SIG_MISSING = "sig.missing"
    SIG_NOKEY = "sig.nokey"
    SIG_PLACE = "sig.place"
    SIG_COUNT = "sig.count"
    SIG_CHILDREN = "sig.children"
    SIG_C14N = "sig.c14n"
    SIG_ALG = "sig.alg"
    SIG_KEY = "sig.key"
    SIG_REF = "sig.ref"
    SIG_REFS = "sig.refs"
    SIG_TRANSFORM = "sig.transform"
    SIG_VALUE = "sig.value"
    SIG_EMPTY = "sig.empty"
    SIG_DIGEST = "sig.digest"
    SIG_POLICY = "sig.policy"

    ENC = "enc"
    ENC_ALG = "enc.alg"
    ENC_NOKEY = "enc.nokey"
    ENC_REQUIRED = "enc.required"

    SAML_ROOT = "saml.root"
    SAML_VERSION = "saml.version"
    SAML_ID = "saml.id"
    SAML_COUNT = "saml.count"
    SAML_STATUS = "saml.status"
    SAML_ISSUER = "saml.issuer"
    SAML_DESTINATION = "saml.dest"
    SAML_AUDIENCE = "saml.aud"
    SAML_RECIPIENT = "saml.recipient"
    SAML_CONFIRMATION = "saml.conf"
    SAML_IN_RESPONSE_TO = "saml.irt"
    SAML_UNSOLICITED = "saml.unsolicited"
    SAML_NOT_YET = "saml.notyet"
    SAML_EXPIRED = "saml.expired"
    SAML_TIME = "saml.time"
    SAML_SUBJECT = "saml.subject"
    SAML_ATTRIBUTE = "saml.attr"
    SAML_CONDITION = "saml.condition"
    SAML_AUTHN = "saml.authn"
    SAML_CONTEXT = "saml.context"
    SAML_STALE = "saml.stale"

    HTTP_PARAMS = "http.params"
    METADATA = "metadata"
    CERTIFICATE = "certificate"
    KEY_FORMAT = "key.format"
    KEY_INVALID = "key.invalid"
    KEY_WEAK = "key.weak"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One check of a verification, named by the `Reason` it fails with.

    `expected` and `received` are cut to 200 characters and never hold a secret.
    """

    name: str
    expected: str
    received: str
    passed: bool


class SamlError(Exception):
    """A refused message, key or document.

    `reason` says which rule failed, `expected` and `received` what it wanted and got (at most 200
    characters, for people to read, untrusted). `steps` holds the checks that passed before, then
    the failed one.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        expected: str | None = None,
        received: str | None = None,
        steps: Sequence[Step] = (),
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.expected = cut(expected) if expected is not None else None
        self.received = cut(received) if received is not None else None
        failed = Step(reason, self.expected or "", self.received or "", passed=False)
        self.steps = (*steps, failed)

    def after(self, steps: Sequence[Step]) -> Self:
        """Return the same error as the end of a verification whose passed checks are `steps`."""
        self.steps = (*steps, self.steps[-1])
        return self

    def __str__(self) -> str:
        return f"{self.reason}: expected {self.expected!r}, received {self.received!r}"


class Checks:
    """The checks one verification has passed so far, and what it tolerated."""

    __slots__ = ("_steps", "_warnings")

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._warnings: dict[str, None] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The passed checks, in the order they were made."""
        return tuple(self._steps)

    def require(self, *, passed: bool, reason: Reason, expected: str, received: str) -> None:
        """Note a check that passed.

        Raises:
            SamlError: with `reason`, when it did not pass.
        """
        if not passed:
            raise SamlError(reason, expected=expected, received=received)
        self.note(reason, expected=expected, received=received)

    def note(self, reason: Reason, *, expected: str, received: str) -> None:
        """Note a check that passed elsewhere."""
        if len(expected) > MAX_TEXT or len(received) > MAX_TEXT:
            expected, received = cut(expected), cut(received)
        self._steps.append(Step(reason, expected, received, passed=True))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was tolerated, each once."""
        return tuple(self._warnings)

    def warn(self, warning: str) -> None:
        """Note something that a policy or the time tolerates and an administrator should know."""
        self._warnings[cut(warning)] = None

    def forget(self, *, since: int) -> None:
        """Take back the steps from number `since` on: they were for something that failed."""
        del self._steps[since:]


def cut(text: str) -> str:
    """Shorten untrusted text to what a trace keeps."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
