"""Everything that the doctor and a setup can find, each with a stable code and what to do.

``docs/doctor.md`` is this table; a test compares them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Any


class State(StrEnum):
    """How a finding stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


OK, WARNING, FAILED, UNKNOWN = State.OK, State.WARNING, State.FAILED, State.UNKNOWN


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code means. Names in braces are filled in."""

    state: State
    sentence: str
    what_to_do: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, for the channel's operator."""

    code: str
    state: State
    sentence: str
    what_to_do: str


_AGAIN = "Check again in a minute. If it stays, look at https://metastatus.com."
_REPLACE_IT = (
    "In Meta Business Settings > Users > System users, generate a token for this app with "
    "whatsapp_business_messaging and whatsapp_business_management and no expiry; then give it to "
    "the channel as access_token."
)
_CONFIGURE = "At Meta, open the app's WhatsApp > Configuration"
_SETUP = "call POST /api/channels/{{id}}/setup with public_base_url"
_NUMBERS = "In WhatsApp Manager > Account tools > Phone numbers"

KINDS: Mapping[str, Kind] = {
    "channel_disabled": Kind(
        WARNING,
        "The channel is disabled here: its address answers Meta as if it did not exist.",
        "PATCH /api/channels/{{id}} with state: active.",
    ),
    # The number.
    "number_readable": Kind(OK, "Meta shows this number to this token."),
    "number_unknown": Kind(
        FAILED,
        "Meta knows no such phone number id, or the token's owner may not see it.",
        "Copy the Phone number ID from WhatsApp > API Setup, not the number itself. If it is the "
        "same, assign the WhatsApp account to the token's system user in Business Settings.",
    ),
    "number_not_permitted": Kind(
        FAILED, "The token may not read this number: a permission is missing.", _REPLACE_IT
    ),
    "number_refused": Kind(
        FAILED,
        "Meta refuses to show this number (code {code}).",
        "Look the code up in Meta's list of error codes; check again when it is mended.",
    ),
    "proof_rejected": Kind(
        FAILED,
        "Meta refuses the proof of the app secret: the token is of another app than the secret, or "
        "the app demands a proof and the channel gives none.",
        "Give the channel an access token and an app secret of one and the same app, and set "
        "appsecret_proof to true if the app has Require App Secret on.",
    ),
    "number_unanswered": Kind(UNKNOWN, "Whether Meta shows the number is unknown: {why}.", _AGAIN),
    "number_connected": Kind(OK, "The number is connected to the Cloud API."),
    "number_not_connected": Kind(
        FAILED,
        "The number is not connected: Meta says {value}.",
        f"{_NUMBERS}, register the number for the Cloud API or mend what is shown there.",
    ),
    "number_restricted": Kind(
        WARNING,
        "Meta restricts the number: it says {value}.",
        f"{_NUMBERS}, see why; write less to people who did not write first.",
    ),
    "number_not_cloud": Kind(
        FAILED,
        "The number does not live on the Cloud API: Meta says {value}.",
        f"{_NUMBERS}, move the number to the Cloud API, then check again.",
    ),
    "number_sandbox": Kind(
        WARNING,
        "This is a test number: it can write to a handful of verified people only.",
        "Add a number of your own under WhatsApp > API Setup before real people write to it.",
    ),
    "number_quality": Kind(
        WARNING,
        "The number's quality is {value}: people block or report it.",
        f"{_NUMBERS}, open Insights; write less to people who did not write first.",
    ),
    "number_unverified": Kind(
        WARNING,
        "The number is not verified: Meta says {value}.",
        f"{_NUMBERS}, verify it again by SMS or call.",
    ),
    "name_not_approved": Kind(
        WARNING,
        "The display name is not approved: Meta says {value}.",
        f"{_NUMBERS}, edit the display name and send it for review.",
    ),
    # The access token.
    "token_valid": Kind(OK, "The access token is valid."),
    "token_expired": Kind(FAILED, "The access token ran out.", _REPLACE_IT),
    "token_rejected": Kind(
        FAILED,
        "Meta does not accept the access token: it was taken back, or is not one.",
        _REPLACE_IT,
    ),
    "token_unanswered": Kind(
        UNKNOWN, "What Meta knows of the access token is unknown: {why}.", _AGAIN
    ),
    "token_lasting": Kind(OK, "The access token never runs out."),
    "token_short_lived": Kind(
        WARNING,
        "The access token silently dies in {left}: it is one of the dashboard's 24-hour "
        "tokens or about to end.",
        _REPLACE_IT,
    ),
    "token_expires": Kind(
        WARNING,
        "The access token silently dies in {left}: tokens with an expiry live 60 days.",
        _REPLACE_IT,
    ),
    "token_data_access_ended": Kind(
        FAILED,
        "The token's access to data has ended, though the token itself has not.",
        "Log in to the app once more with the person the token belongs to, or better: "
        + _REPLACE_IT,
    ),
    "token_data_access_ends": Kind(
        WARNING,
        "The token's access to data ends in {left}.",
        "Log in to the app once more with the person the token belongs to, or better: "
        + _REPLACE_IT,
    ),
    "token_of_system": Kind(OK, "The access token belongs to a system user."),
    "token_of_person": Kind(
        WARNING,
        "The access token belongs to a person: it ends when they change their password or leave.",
        _REPLACE_IT,
    ),
    "token_wrong_kind": Kind(
        FAILED,
        "This is a token of kind {value}; WhatsApp wants a system user's.",
        _REPLACE_IT,
    ),
    "scopes_granted": Kind(OK, "The token has both permissions that WhatsApp needs."),
    "scope_messaging_missing": Kind(
        FAILED,
        "The token lacks whatsapp_business_messaging: nothing can be sent with it.",
        _REPLACE_IT,
    ),
    "scope_management_missing": Kind(
        WARNING,
        "The token lacks whatsapp_business_management: neither number nor subscription can be read "
        "or set up with it.",
        _REPLACE_IT,
    ),
    "waba_granted": Kind(OK, "The token was granted the channel's WhatsApp Business Account."),
    "waba_not_granted": Kind(
        FAILED,
        "The token was granted other WhatsApp Business Accounts than the channel's.",
        "Compare the channel's waba_id with WhatsApp > API Setup; if it is right, assign that "
        "account to the system user in Business Settings and generate the token anew.",
    ),
    "waba_learnt": Kind(
        WARNING,
        "The channel has no waba_id; the token was granted one account alone, {waba_id}, so that "
        "was looked at.",
        "If it is the number's account, give it to the channel as waba_id.",
    ),
    "waba_unknown": Kind(
        UNKNOWN,
        "Whether the account is subscribed is unknown: the channel has no waba_id, and the token "
        "does not tell a single one.",
        "Copy the WhatsApp Business Account ID from WhatsApp > API Setup and set waba_id.",
    ),
    # The app.
    "app_secret_proven": Kind(OK, "The app secret is the one of the token's app."),
    "app_secret_wrong": Kind(
        FAILED,
        "The app secret is not the one of the app that the token is of: every webhook would be "
        "refused.",
        "Copy the app secret anew from App settings > Basic of the same app (Show), and give it to "
        "the channel as app_secret.",
    ),
    "app_secret_unproven": Kind(
        UNKNOWN,
        "The app secret could not be proven: the app is not known as long as the token does not "
        "tell it.",
        "Mend the access token first, then check again.",
    ),
    "app_secret_unanswered": Kind(
        UNKNOWN, "Whether the app secret is right is unknown: {why}.", _AGAIN
    ),
    # The subscription.
    "waba_subscribed": Kind(OK, "The WhatsApp Business Account is subscribed to the app."),
    "waba_not_subscribed": Kind(
        FAILED,
        "The WhatsApp Business Account is subscribed to no app: no webhook is ever sent. This is "
        "the most common reason for silence.",
        "Call POST /api/channels/{{id}}/setup with subscribe: true.",
    ),
    "waba_subscribed_elsewhere": Kind(
        FAILED,
        "The WhatsApp Business Account is subscribed to another app, not to the token's.",
        "Call POST /api/channels/{{id}}/setup with subscribe: true, or use a token and secret of "
        "the app that is subscribed.",
    ),
    "subscription_refused": Kind(
        FAILED,
        "The token may not see the WhatsApp Business Account, or there is none with this id.",
        "Compare waba_id with WhatsApp > API Setup, and assign the account to the system user.",
    ),
    "subscription_unanswered": Kind(
        UNKNOWN, "Whether the account is subscribed is unknown: {why}.", _AGAIN
    ),
    # Where webhooks go.
    "webhook_here": Kind(OK, "Meta sends the number's messages to this channel's address."),
    "webhook_unset": Kind(
        FAILED,
        "No webhook address is set at Meta: the number's messages go nowhere.",
        f"{_CONFIGURE}, enter this channel's address and verify token, press Verify and save, and "
        f"subscribe to the field messages; or {_SETUP}.",
    ),
    "webhook_elsewhere": Kind(
        FAILED,
        "The number's messages go to {target}, set as {level}.",
        "If that is no proxy of yours before us, "
        + _SETUP
        + ": the number's own address goes before the account's and the app's.",
    ),
    "webhook_other_channel": Kind(
        FAILED,
        "Meta sends the number's messages to the address of another integration id, set as {level}.",
        "Copy webhook_url_hint of this channel to Meta, or " + _SETUP + ".",
    ),
    # Health.
    "health_available": Kind(OK, "Meta says that messages can be sent."),
    "health_limited": Kind(
        WARNING,
        "Meta says that sending is limited: {errors}",
        "In WhatsApp Manager > Overview, mend what is shown for the entity that is named.",
    ),
    "health_blocked": Kind(
        FAILED,
        "Meta says that nothing can be sent: {errors}",
        "In WhatsApp Manager > Overview, mend what is shown for the entity that is named.",
    ),
    # Our address, as far as we can see.
    "address_reachable": Kind(
        OK, "The public address answers as this service does, as far as we can see from here."
    ),
    "address_refused": Kind(
        FAILED,
        "The public address is not on the public internet: Meta could not reach it either.",
        "Give the address that the world knows, not one of your own network.",
    ),
    "address_unreachable": Kind(
        FAILED,
        "The public address could not be reached from here: {why}.",
        "Check the name, the firewall and the certificate: it must be valid publicly, Meta takes no "
        "self-signed one.",
    ),
    "address_answers_otherwise": Kind(
        FAILED,
        "Something else answers at the public address, with status {status}.",
        "Let the proxy pass /api/ingress/ on to ingress unchanged, without redirects or a login.",
    ),
    # What arrived.
    "webhooks_arriving": Kind(OK, "Signed webhooks arrive, the last one at {at}."),
    "nothing_arrived": Kind(
        FAILED,
        "Nothing ever arrived at this channel's address: Meta was never told it, or cannot reach "
        "it.",
        f"{_CONFIGURE}, enter the channel's address and verify token and press Verify and save. If "
        "that fails and this stays, the address is not reachable from the internet.",
    ),
    "verified_no_delivery": Kind(
        WARNING,
        "Meta verified the address at {at}, but no webhook has come since.",
        "Write a message to the number. If nothing comes: subscribe to the field messages under "
        "WhatsApp > Configuration, see that the app is Live and the account is subscribed to it.",
    ),
    "token_mismatch": Kind(
        FAILED,
        "The last handshake, at {at}, came with another verify token than this channel's.",
        "Copy the verify token of this channel to Meta once more, or rotate it with PATCH "
        "rotate_verify_token: true and enter the new one.",
    ),
    "token_has_whitespace": Kind(
        FAILED,
        "The last handshake, at {at}, came with the right verify token but white space around it: "
        "trimming it would fix it.",
        f"{_CONFIGURE}, delete the blank or newline around the verify token, press Verify and save.",
    ),
    "wrong_integration_id": Kind(
        FAILED,
        "A handshake with this channel's verify token came at {at}, but to the address of another "
        "integration id.",
        f"{_CONFIGURE} and make the callback address end in {{path}}.",
    ),
    "signature_wrong": Kind(
        FAILED,
        "Webhooks arrive but their signature is not made with this channel's app secret, last at "
        "{at}.",
        "Copy the app secret anew from App settings > Basic (Show) of the app that is subscribed.",
    ),
    "other_number": Kind(
        FAILED,
        "Signed webhooks arrive, but for another phone number id than this channel's, last at {at}.",
        "Copy the Phone number ID from WhatsApp > API Setup, and create a channel with it; or give "
        "that other number a channel of its own.",
    ),
    # Steps of a setup.
    "override_set": Kind(OK, "The number's own webhook address is set, and Meta verified it."),
    "override_refused": Kind(
        FAILED,
        "Meta called the address and did not get its challenge back. Meta says: {detail}",
        "See that the address is reachable from the internet with a valid certificate and leads to "
        "ingress unchanged; then call setup again.",
    ),
    "override_not_permitted": Kind(
        FAILED,
        "The token may not set the number's webhook address (code {code}).",
        _REPLACE_IT
        + f" Or by hand: {_CONFIGURE}, enter address and verify token, press Verify and save.",
    ),
    "override_unanswered": Kind(
        UNKNOWN,
        "Whether the number's webhook address is set is unknown: {why}.",
        "Call setup again in a minute; it is safe to repeat.",
    ),
    "subscribed": Kind(OK, "The WhatsApp Business Account is now subscribed to the app."),
    "subscribed_learnt": Kind(
        OK,
        "The one WhatsApp Business Account that the token was granted, {waba_id}, is now subscribed "
        "to the app.",
    ),
    "subscribe_refused": Kind(
        FAILED,
        "Meta refuses to subscribe the WhatsApp Business Account (code {code}).",
        "Compare waba_id with WhatsApp > API Setup, assign the account to the system user, and see "
        "that the token has whatsapp_business_management.",
    ),
    "subscribe_unanswered": Kind(
        UNKNOWN,
        "Whether the account is subscribed is unknown: {why}.",
        "Call setup again in a minute; it is safe to repeat.",
    ),
    "handshake_seen": Kind(OK, "Meta's handshake arrived here and was answered."),
    "handshake_missing": Kind(
        WARNING,
        "Meta says that the handshake succeeded, but we have not seen it within {seconds} s.",
        "See in the channel's activity whether it comes late; if not, another service answers at "
        "this address.",
    ),
}


def finding(code: str, /, **values: Any) -> Finding:
    """The finding with this code. Raises KeyError when a value is missing: a mistake of ours."""
    kind = KINDS[code]
    return Finding(
        code, kind.state, kind.sentence.format(**values), kind.what_to_do.format(**values)
    )


def placeholders(code: str) -> set[str]:
    """Names of the values that ``finding`` needs for it."""
    kind = KINDS[code]
    text = kind.sentence + kind.what_to_do
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def overall(findings: Iterable[Finding]) -> State:
    """The worst of them; what is unknown counts as a warning."""
    states = {found.state for found in findings}
    if FAILED in states:
        return FAILED
    return WARNING if states & {WARNING, UNKNOWN} else OK
