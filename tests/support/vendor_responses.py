"""SAML Responses as each vendor writes them: names, formats, signatures, prefixes and oddities.

Everything is built and signed here; only the shapes are the vendors'. Those marked "sample" were
read off real responses that Stytch publishes for its own validator
(https://github.com/stytchauth/samlshield, test/contract/data/valid); the others follow the vendors'
setup guides (semantics section 12) and what is noted beside them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from lxml import etree
from lxml.etree import _Element

from tests.support import saml_documents as documents
from tests.support.saml_documents import MORE, Signature, Signed
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from vestibule.clock import HOUR, MINUTE, rfc3339
from vestibule.identity_providers.microsoft_entra import GROUPS
from vestibule.saml.xml import SAML, SAMLP

EMAIL: Final = "ada@acme.test"
PERSON_ID: Final = "00u-ada"
TENANT: Final = "7f3b1c2e-0000-4000-8000-0123456789ab"
GROUP_ID: Final = "07dd8a60-bf6d-4e17-8844-230b77145381"
_FORMAT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
_TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_NAME: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_CONTEXT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_CLAIMS: Final = "http://schemas.microsoft.com/identity/claims/"


@dataclass(frozen=True)
class Attribute:
    """One Attribute; `repeated` writes one element per value under the same name."""

    name: str
    values: tuple[str, ...]
    name_format: str = ""
    friendly: str = ""
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How one vendor writes a Response, and who it says has signed in.

    `group` is one of the groups it sends. `edit` changes the signed document where a signature
    does not reach.
    """

    vendor: str
    issuer: str
    name_id: str = EMAIL
    name_id_format: str | None = f"{_FORMAT}emailAddress"
    qualified: bool = False
    attributes: tuple[Attribute, ...]
    sign: Signed
    signature: Signature = field(default_factory=Signature)
    protocol_prefix: str = "samlp"
    assertion_prefix: str = "saml"
    issuer_format: str = ""
    value_type: str = "xs:string"
    context: str = f"{_CONTEXT}PasswordProtectedTransport"
    authority: str = ""
    session_ends: bool = False
    attributes_first: bool = False
    encrypted: bool = False
    edit: Callable[[_Element], None] = lambda _: None
    external_id: str = PERSON_ID
    group: str = "engineering"


def build(
    shape: Shape, *, acs: str, audience: str, request_id: str | None, now: int, number: int = 1
) -> str:
    """Return the SAMLResponse form field. `now` is in microseconds."""
    root = etree.fromstring(
        _text(shape, acs=acs, audience=audience, request_id=request_id, now=now, number=number)
    )
    encryption = Encryption(certificate_pem=signer("sp").pem) if shape.encrypted else None
    document = documents.document(
        root=root, sign=shape.sign, signature=shape.signature, encryption=encryption
    )
    shape.edit(document)
    return documents.form_field(document)


def _text(
    shape: Shape, *, acs: str, audience: str, request_id: str | None, now: int, number: int
) -> str:
    p, a = f"{shape.protocol_prefix}:", f"{shape.assertion_prefix}:".lstrip(":")
    declared = f'xmlns:{a[:-1]}="{SAML}"' if a else f'xmlns="{SAML}"'
    answered = f' InResponseTo="{request_id}"' if request_id else ""
    kind = f' Format="{shape.issuer_format}"' if shape.issuer_format else ""
    issuer = f"<{a}Issuer {declared}{kind}>{escape(shape.issuer)}</{a}Issuer>"
    statements = [_authentication(shape, a, now), _attributes(shape, a)]
    if shape.attributes_first:
        statements.reverse()
    to, instant, end = escape(acs), rfc3339(now), rfc3339(now + 5 * MINUTE)
    return f"""<{p}Response xmlns:{p[:-1]}="{SAMLP}" ID="_r{number}" Version="2.0" \
IssueInstant="{instant}" Destination="{to}"{answered}>{issuer}<{p}Status>\
<{p}StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></{p}Status>\
<{a}Assertion {declared} ID="_a{number}" Version="2.0" IssueInstant="{instant}">{issuer}\
<{a}Subject>{_name_id(shape, a, audience)}\
<{a}SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<{a}SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{to}"{answered}/>\
</{a}SubjectConfirmation></{a}Subject>\
<{a}Conditions NotBefore="{rfc3339(now - 5 * MINUTE)}" NotOnOrAfter="{end}">\
<{a}AudienceRestriction><{a}Audience>{escape(audience)}</{a}Audience></{a}AudienceRestriction>\
</{a}Conditions>{"".join(statements)}</{a}Assertion></{p}Response>"""


def _name_id(shape: Shape, a: str, audience: str) -> str:
    kind = f' Format="{shape.name_id_format}"' if shape.name_id_format else ""
    if shape.qualified:
        kind += f' NameQualifier="{shape.issuer}" SPNameQualifier="{escape(audience)}"'
    return f"<{a}NameID{kind}>{escape(shape.name_id)}</{a}NameID>"


def _authentication(shape: Shape, a: str, now: int) -> str:
    ends = f' SessionNotOnOrAfter="{rfc3339(now + 8 * HOUR)}"' if shape.session_ends else ""
    authority = (
        f"<{a}AuthenticatingAuthority>{shape.authority}</{a}AuthenticatingAuthority>"
        if shape.authority
        else ""
    )
    return f"""<{a}AuthnStatement AuthnInstant="{rfc3339(now)}" SessionIndex="_s1"{ends}>\
<{a}AuthnContext><{a}AuthnContextClassRef>{shape.context}</{a}AuthnContextClassRef>{authority}\
</{a}AuthnContext></{a}AuthnStatement>"""


def _attributes(shape: Shape, a: str) -> str:
    written = "".join(
        _attribute(shape, a, attribute, values)
        for attribute in shape.attributes
        for values in (
            [(value,) for value in attribute.values] if attribute.repeated else [attribute.values]
        )
    )
    return f"<{a}AttributeStatement>{written}</{a}AttributeStatement>"


def _attribute(shape: Shape, a: str, attribute: Attribute, values: Sequence[str]) -> str:
    kind = f' NameFormat="{attribute.name_format}"' if attribute.name_format else ""
    if attribute.friendly:
        kind += f' FriendlyName="{attribute.friendly}"'
    typed = (
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:type="{shape.value_type}"'
        if shape.value_type
        else ""
    )
    inside = "".join(
        f"<{a}AttributeValue{typed}>{escape(value)}</{a}AttributeValue>" for value in values
    )
    return f'<{a}Attribute Name="{attribute.name}"{kind}>{inside}</{a}Attribute>'


def _named(kind: str = "", *, email: str = EMAIL, person: str = PERSON_ID) -> tuple[Attribute, ...]:
    """Return what the guides set up: email, firstName, lastName, id and groups."""
    return (
        Attribute("email", (email,), kind),
        Attribute("firstName", ("Ada",), kind),
        Attribute("lastName", ("Lovelace",), kind),
        Attribute("id", (person,), kind),
        Attribute("groups", ("engineering", "everyone"), kind),
    )


def _as_keycloak_writes(root: _Element) -> None:
    """Sample: KeyName and KeyValue beside the certificate, carriage returns in the base64."""
    signature = documents.find(root, "ds:Signature")
    value = documents.find(signature, "ds:SignatureValue")
    text = value.text or ""
    value.text = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    info = documents.find(signature, "ds:KeyInfo")
    name = documents.fragment("<ds:KeyName>UGT_pMZHHOUEDAOs9ZNAO</ds:KeyName>")
    info.insert(0, name)
    key = "<ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>"
    info.append(documents.fragment(f"<ds:KeyValue>{key}</ds:RSAKeyValue></ds:KeyValue>"))


def _with_certificate(**how: str) -> Signature:
    idp = signer("idp")
    return Signature(key=idp.key, certificate_pem=idp.pem, **how)  # type: ignore[arg-type]  # texts


OKTA: Final = Shape(
    # Sample: both signed with PrefixList xs, Issuer with a Format, saml2p and saml2.
    vendor="okta",
    issuer="http://www.okta.com/exk2wpjmakQqqs7dN697",
    attributes=_named(f"{_NAME}basic"),
    sign="both",
    signature=_with_certificate(prefixes="xs"),
    protocol_prefix="saml2p",
    assertion_prefix="saml2",
    issuer_format=_ENTITY,
)
ENTRA: Final = Shape(
    # https://learn.microsoft.com/entra/identity-platform/reference-saml-tokens and
    # single-sign-on-saml-protocol: only the assertion is signed, the default namespace, claims
    # named by URL that cannot be left out, groups as object ids.
    vendor="microsoft-entra",
    issuer=f"https://sts.windows.net/{TENANT}/",
    attributes=(
        Attribute(f"{_CLAIMS}tenantid", (TENANT,)),
        Attribute(f"{_CLAIMS}objectidentifier", (PERSON_ID,)),
        Attribute(f"{_CLAIMS}displayname", ("Ada Lovelace",)),
        Attribute(GROUPS, (GROUP_ID, "11111111-bf6d-4e17-8844-230b77145381")),
        Attribute("firstName", ("Ada",)),
        Attribute("lastName", ("Lovelace",)),
        Attribute("id", (PERSON_ID,)),
    ),
    sign="assertion",
    signature=_with_certificate(),
    assertion_prefix="",
    value_type="",
    context=f"{_CONTEXT}Password",
    group=GROUP_ID,
)
GOOGLE: Final = Shape(
    # Sample: only the response is signed, attributes without values are sent, NameID unspecified,
    # the AttributeStatement comes first. A user id cannot be sent.
    vendor="google-workspace",
    issuer="https://accounts.google.com/o/saml2?idpid=C02ji0uvf",
    name_id_format=f"{_FORMAT}unspecified",
    attributes=(
        Attribute("employee_id", ()),
        Attribute("firstName", ("Ada",)),
        Attribute("lastName", ("Lovelace",)),
        Attribute("groups", ("engineering", "everyone")),
    ),
    sign="response",
    signature=_with_certificate(),
    protocol_prefix="saml2p",
    assertion_prefix="saml2",
    value_type="xs:anyType",
    context=f"{_CONTEXT}unspecified",
    attributes_first=True,
    external_id=EMAIL,
)
KEYCLOAK: Final = Shape(
    # Sample: only the response is signed, one Attribute element per value (Single Group Attribute
    # off), a session that ends. Group paths begin with a slash.
    vendor="keycloak",
    issuer="https://keycloak.acme.test/realms/acme",
    attributes=(
        *_named(f"{_NAME}basic")[:-1],
        Attribute("groups", ("/engineering/core", "/everyone"), f"{_NAME}basic", repeated=True),
    ),
    sign="response",
    signature=_with_certificate(),
    context=f"{_CONTEXT}unspecified",
    session_ends=True,
    edit=_as_keycloak_writes,
    group="/engineering/core",
)
ONELOGIN: Final = Shape(
    # Sample: both signed with SHA-512, a session that ends.
    vendor="onelogin",
    issuer="https://app.onelogin.com/saml/metadata/08f9a162-9db0-4f7d-b551-a86a5a722678",
    attributes=_named(f"{_NAME}basic"),
    sign="both",
    signature=_with_certificate(
        method=f"{MORE}rsa-sha512", digest="http://www.w3.org/2001/04/xmlenc#sha512"
    ),
    session_ends=True,
)
PINGFEDERATE: Final = Shape(
    # Sample of PingOne for what both share: a NameID without Format that is no address, and an
    # AuthenticatingAuthority. The issuer is PingFederate's entity id, which need not be a URL.
    vendor="pingfederate",
    issuer="acme:pingfederate:idp",
    name_id="2d60c7f9-edd1-45e4-80f8-271d0d2055ed",
    name_id_format=None,
    attributes=_named(f"{_NAME}basic"),
    sign="assertion",
    signature=_with_certificate(),
    authority="https://pingfederate.acme.test",
    session_ends=True,
)
SALESFORCE: Final = Shape(
    # The attributes userId, username, email and is_portal_user are always there; subject type User
    # ID is no address although the Format says so (semantics 12, salesforce).
    vendor="salesforce",
    issuer="https://acme.my.salesforce.com",
    name_id="005000000000001",
    attributes=(
        Attribute("userId", ("005000000000001",), f"{_NAME}unspecified"),
        Attribute("username", ("ada@acme.test.sandbox",), f"{_NAME}unspecified"),
        Attribute("is_portal_user", ("false",), f"{_NAME}unspecified"),
        *_named(f"{_NAME}unspecified"),
    ),
    sign="both",
    signature=_with_certificate(),
    value_type="xs:anyType",
)
SHIBBOLETH: Final = Shape(
    # Encrypted for the key in our metadata, the response signed, a transient NameID with both
    # qualifiers, attributes named by OID with a FriendlyName (eduPerson, SAML subject-id 1.0).
    vendor="shibboleth",
    issuer="https://idp.acme.test/idp/shibboleth",
    name_id="AAdzZWNyZXQxMjM0",
    name_id_format=_TRANSIENT,
    qualified=True,
    attributes=tuple(
        Attribute(name, values, f"{_NAME}uri", friendly)
        for name, friendly, values in (
            ("urn:oid:0.9.2342.19200300.100.1.3", "mail", (EMAIL,)),
            ("urn:oid:2.5.4.42", "givenName", ("Ada",)),
            ("urn:oid:2.5.4.4", "sn", ("Lovelace",)),
            (
                "urn:oasis:names:tc:SAML:attribute:subject-id",
                "samlSubjectID",
                ("ada42@acme.test",),
            ),
            ("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "isMemberOf", ("engineering", "everyone")),
        )
    ),
    sign="response",
    signature=_with_certificate(),
    protocol_prefix="saml2p",
    assertion_prefix="saml2",
    value_type="",
    encrypted=True,
    external_id="ada42@acme.test",
)
CYBERARK: Final = Shape(
    # "Sign Response or Assertion: Both"; the issuer is the tenant with the application's id.
    vendor="cyberark",
    issuer="https://aad0380.my.idaptive.app/d726607b-09b3-4fe7-bfd7-68181aa71dce",
    name_id_format=f"{_FORMAT}unspecified",
    attributes=_named(f"{_NAME}basic"),
    sign="both",
    signature=_with_certificate(),
    context=f"{_CONTEXT}unspecified",
)
DUO: Final = Shape(
    # Signs both with SHA-256; the issuer is the address of the application's metadata.
    vendor="duo",
    issuer="https://sso-1793b17c.sso.duosecurity.com/saml2/sp/DIMOJTPPL6E090X4BUL1/metadata",
    attributes=_named(f"{_NAME}basic"),
    sign="both",
    signature=_with_certificate(),
    session_ends=True,
)
JUMPCLOUD: Final = Shape(
    # "Sign Assertion"; the entity id is free text, and often just that word.
    vendor="jumpcloud",
    issuer="JumpCloud",
    attributes=_named(f"{_NAME}unspecified", person=EMAIL),
    sign="assertion",
    signature=_with_certificate(),
    value_type="",
    external_id=EMAIL,
)
MINIORANGE: Final = Shape(
    vendor="miniorange",
    issuer="https://login.xecurify.com/moas",
    attributes=_named(f"{_NAME}unspecified", person="ada"),
    sign="assertion",
    signature=_with_certificate(),
    external_id="ada",
)
RIPPLING: Final = Shape(
    vendor="rippling",
    issuer="https://app.rippling.com/A123/idp.xml",
    attributes=_named(),
    sign="response",
    signature=_with_certificate(),
    value_type="",
)
CLASSLINK: Final = Shape(
    vendor="classlink",
    issuer="https://idp.classlink.com/sso/metadata",
    attributes=_named(f"{_NAME}basic", person="ada.lovelace"),
    sign="assertion",
    signature=_with_certificate(),
    external_id="ada.lovelace",
)
GENERIC: Final = Shape(
    # Another vendor's: a NameID that says nothing, everything in attributes, no certificate shown.
    vendor="generic",
    issuer="urn:acme:idp",
    name_id="ada",
    name_id_format=f"{_FORMAT}unspecified",
    attributes=_named(),
    sign="assertion",
    value_type="",
)
SHAPES: Final = (
    CLASSLINK, CYBERARK, DUO, GENERIC, GOOGLE, JUMPCLOUD, KEYCLOAK, MINIORANGE, ENTRA, OKTA,
    ONELOGIN, PINGFEDERATE, RIPPLING, SALESFORCE, SHIBBOLETH,
)  # fmt: skip
