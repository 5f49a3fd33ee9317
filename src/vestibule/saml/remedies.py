"""Which side has to act on each refusal, and what it does: the knowledge behind every trace."""

from collections.abc import Mapping
from typing import Final

from vestibule.remedy import Remedy, identity_provider, user, vestibule
from vestibule.saml.errors import Reason


def remedy(reason: Reason) -> Remedy:
    """Return what ends refusals with this reason."""
    return _REMEDIES[reason]


_CHANGED: Final = (
    "The document was changed after it was made: post it exactly as the identity provider wrote "
    "it, and look for a proxy, a plug-in or a script that rewrites it."
)
_NO_SOFTWARE_WRITES_THIS: Final = (
    "No known identity provider sends this: treat it as an attack, and if the administrator of "
    "the identity provider says it is theirs, have its vendor correct the message."
)
_SMALLER: Final = (
    "Send fewer attributes and groups: in the application's claims, choose the groups assigned to "
    "the application instead of all of them."
)
_SIGN: Final = (
    "Switch on signing of the assertion or of the response in the application's SAML settings, "
    "with RSA-SHA256."
)
_SIGN_OTHERWISE: Final = (
    "Choose RSA-SHA256 with exclusive canonicalization and without further transforms in the "
    "application's signing settings."
)
_ENCRYPT_OTHERWISE: Final = (
    "Choose AES-256-GCM with RSA-OAEP as the assertion encryption of the application, or switch "
    "encryption off."
)
_CLOCK: Final = (
    "Set the clock of the identity provider by a time server (NTP); this server allows for the "
    "clock skew of its settings and no more."
)
_WRITTEN_WRONG: Final = (
    "The identity provider's software wrote this message wrong: install its updates, or report "
    "the line above to its vendor."
)
_AGAIN: Final = (
    "Go back to the application and sign in again in one browser tab; do not use a bookmark or "
    "the back button of a login page."
)
_OUR_URL: Final = (
    "Copy the connection's acs_url into the application's field for the ACS URL (reply URL, "
    "single sign-on URL, Recipient and Destination), character by character."
)

_XML: Final = {
    Reason.XML: identity_provider(_CHANGED),
    Reason.XML_BASE64: identity_provider(
        "Post the message by the HTTP-POST binding, as base64 in the form field SAMLResponse."
    ),
    Reason.XML_SIZE: identity_provider(_SMALLER),
    Reason.XML_ENCODING: identity_provider("Send the XML in UTF-8, and not compressed by POST."),
    Reason.XML_DOCTYPE: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_PI: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_COMMENT: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_DEPTH: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_NODES: identity_provider(_SMALLER),
    Reason.XML_ATTRS: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_NS: identity_provider(_SMALLER),
    Reason.XML_ID: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.XML_MIXED: identity_provider(
        "Send plain text in this place: elements within an identifier are not read."
    ),
    Reason.XML_DEFLATE: identity_provider(
        "Send the message by HTTP-Redirect as one raw DEFLATE stream in base64."
    ),
}
_SIGNATURE: Final = {
    Reason.SIG_MISSING: identity_provider(_SIGN),
    Reason.SIG_NOKEY: vestibule(
        "Upload the identity provider's signing certificate to the connection, or give the "
        "connection its metadata URL."
    ),
    Reason.SIG_PLACE: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_COUNT: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_CHILDREN: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_C14N: identity_provider(_SIGN_OTHERWISE),
    Reason.SIG_ALG: identity_provider(_SIGN_OTHERWISE),
    Reason.SIG_KEY: vestibule(
        "Upload the signing certificate that the identity provider uses now to the connection: an "
        "RSA key of at least 2048 bits or a P-256, P-384 or P-521 key, of the kind it signs with."
    ),
    Reason.SIG_REF: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_REFS: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_TRANSFORM: identity_provider(_SIGN_OTHERWISE),
    Reason.SIG_VALUE: vestibule(
        "Compare the signing certificate in the identity provider's console with those of the "
        "connection, and upload the current one: it was most likely renewed."
    ),
    Reason.SIG_EMPTY: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SIG_DIGEST: identity_provider(_CHANGED),
    Reason.SIG_POLICY: identity_provider(
        "Sign what the connection demands: switch on both Sign response and Sign assertion in the "
        "application's SAML settings."
    ),
}
_ENCRYPTION: Final = {
    Reason.ENC: identity_provider(
        "Upload the connection's current encryption certificate (from its metadata URL) to the "
        "application: the message was encrypted for another key, or changed."
    ),
    Reason.ENC_ALG: identity_provider(_ENCRYPT_OTHERWISE),
    Reason.ENC_NOKEY: vestibule(
        "Add an encryption key to the connection and give its certificate to the identity "
        "provider, or have encryption switched off there."
    ),
    Reason.ENC_REQUIRED: identity_provider(
        "Switch on assertion encryption for the application, with the connection's encryption "
        "certificate."
    ),
}
_MESSAGE: Final = {
    Reason.SAML_ROOT: identity_provider(
        "Post a SAML 2.0 Response by HTTP-POST to the connection's acs_url; other messages have "
        "other URLs."
    ),
    Reason.SAML_VERSION: identity_provider(
        "Choose SAML 2.0 for the application: SAML 1.1 and WS-Federation are not accepted."
    ),
    Reason.SAML_ID: identity_provider(_WRITTEN_WRONG),
    Reason.SAML_COUNT: identity_provider(_NO_SOFTWARE_WRITES_THIS),
    Reason.SAML_STATUS: identity_provider(
        "Look up this sign-in in the identity provider's own log: it refused the person, most "
        "often because the person is not assigned to the application."
    ),
    Reason.SAML_ISSUER: vestibule(
        "Set the connection's idp_entity_id to the Issuer that was received, once you know that "
        "it is the customer's identity provider."
    ),
    Reason.SAML_DESTINATION: identity_provider(_OUR_URL),
    Reason.SAML_AUDIENCE: identity_provider(
        "Copy the connection's audience_uri into the application's field for the audience (entity "
        "ID, identifier, SP entity ID), character by character."
    ),
    Reason.SAML_RECIPIENT: identity_provider(_OUR_URL),
    Reason.SAML_CONFIRMATION: identity_provider(
        "Choose the Web Browser SSO profile with bearer confirmation for the application."
    ),
    Reason.SAML_IN_RESPONSE_TO: user(_AGAIN),
    Reason.SAML_UNSOLICITED: user(_AGAIN),
    Reason.SAML_NOT_YET: identity_provider(_CLOCK),
    Reason.SAML_EXPIRED: identity_provider(
        "Sign in again, and when it happens at once compare the identity provider's clock with a "
        "time server (NTP): the answer was too old when it came."
    ),
    Reason.SAML_TIME: identity_provider(_WRITTEN_WRONG),
    Reason.SAML_SUBJECT: identity_provider(
        "Send exactly one NameID, and not an empty one: choose a stable attribute, such as the "
        "e-mail address, as the application's NameID (unique user identifier)."
    ),
    Reason.SAML_ATTRIBUTE: identity_provider(
        "Send each attribute that identifies a person once and with one value, all of them named, "
        "in clear, and not more than 2000 values together."
    ),
    Reason.SAML_CONDITION: identity_provider(_WRITTEN_WRONG),
    Reason.SAML_AUTHN: identity_provider(_WRITTEN_WRONG),
    Reason.SAML_CONTEXT: identity_provider(
        "Demand multi-factor or the wanted authentication method for this application in the "
        "identity provider's sign-on policy."
    ),
    Reason.SAML_STALE: identity_provider(
        "Have the identity provider heed ForceAuthn, or switch the connection's force_authn off: "
        "it answered with a login from before it was asked."
    ),
    Reason.HTTP_PARAMS: identity_provider(
        "Send exactly one message: the form field SAMLResponse by POST, and nothing of SAML in "
        "the query."
    ),
}
_SETUP: Final = {
    Reason.METADATA: identity_provider(
        "Download the metadata from the application's page in the identity provider's console: "
        "that of one identity provider, with a login URL, and not out of date."
    ),
    Reason.CERTIFICATE: vestibule(
        "Paste the whole certificate as the identity provider shows it, from BEGIN CERTIFICATE to "
        "END CERTIFICATE, or upload the .cer file unchanged."
    ),
    Reason.KEY_FORMAT: vestibule(
        "Give the private key as PKCS#1 PEM (BEGIN RSA PRIVATE KEY): openssl rsa -traditional "
        "writes it."
    ),
    Reason.KEY_INVALID: vestibule("Give the whole RSA private key: this one cannot be read."),
    Reason.KEY_WEAK: vestibule(
        "Use an RSA key of 2048 to 8192 bits or a P-256, P-384 or P-521 key: have the identity "
        "provider make a new signing certificate."
    ),
}
_REMEDIES: Final[Mapping[Reason, Remedy]] = _XML | _SIGNATURE | _ENCRYPTION | _MESSAGE | _SETUP
