"""What letters say, in the languages that the API names for them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Text:
    """One letter."""

    subject: str
    body: str


@dataclass(frozen=True)
class _Words:
    """One language: `{organization}` is put in, the link or code stands below."""

    subject: str
    link: str
    code: str
    not_you: str


def email_update(locale: str, organization: str, proof: str, *, is_code: bool) -> Text:
    """Return the letter that proves a new address by `proof`, a link or a code.

    `locale` is `en`, `es`, `pt-br` or `fr`; `organization` is the name of one.
    """
    words = _EMAIL_UPDATE[locale]
    ask = (words.code if is_code else words.link).replace("{organization}", named(organization))
    return Text(words.subject, f"{ask}\n\n{proof}\n\n{words.not_you}\n")


def member_locked(organization: str, until: str, *, link: str) -> Text:
    """Return the letter to a member who is locked out `until` then; '' is no `link` that ends it.

    Nobody's language is known.
    """
    ending = (
        f"If it was you, open this page to sign in again at once:\n\n{link}\n\n" if link else ""
    )
    return Text(
        "You cannot sign in for a while",
        f"Too many wrong codes were entered in your name at {named(organization)}.\n\n"
        f"Until {until} nobody can sign in as you there.\n\n"
        f"{ending}"
        "If it was not you, somebody has come as far as your second factor: tell your "
        "administrator.\n",
    )


def named(name: str) -> str:
    """Return the name of an organization or a person as it stands in a letter.

    Whoever chose it may be a stranger to whoever reads it: it makes no lines and no link.
    """
    shown = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(shown.replace("://", " ").split())


_EMAIL_UPDATE: Final[dict[str, _Words]] = {
    "en": _Words(
        subject="Confirm your new e-mail address",
        link="Open this page within 5 minutes to use this e-mail address at {organization}:",
        code="Enter this code within 5 minutes to use this e-mail address at {organization}:",
        not_you="If you did not ask for this, do nothing: nothing will change.",
    ),
    "es": _Words(
        subject="Confirma tu nueva dirección de correo",
        link="Abre esta página en los próximos 5 minutos para usar esta dirección en "
        "{organization}:",
        code="Introduce este código en los próximos 5 minutos para usar esta dirección en "
        "{organization}:",
        not_you="Si no lo has pedido, no hagas nada: no cambiará nada.",
    ),
    "pt-br": _Words(
        subject="Confirme seu novo endereço de e-mail",
        link="Abra esta página em até 5 minutos para usar este endereço em {organization}:",
        code="Digite este código em até 5 minutos para usar este endereço em {organization}:",
        not_you="Se você não pediu isso, não faça nada: nada vai mudar.",
    ),
    "fr": _Words(
        subject="Confirmez votre nouvelle adresse e-mail",
        link="Ouvrez cette page dans les 5 minutes pour utiliser cette adresse chez "
        "{organization} :",
        code="Saisissez ce code dans les 5 minutes pour utiliser cette adresse chez "
        "{organization} :",
        not_you="Si vous n'avez rien demandé, ne faites rien : rien ne changera.",
    ),
}
