"""Every error of the HTTP APIs: what it is called, what it means, and what the caller does.

The end of ``type`` in an ``application/problem+json`` answer (RFC 9457). A name keeps its meaning;
a test holds this table against the sources, and ``docs/errors.md`` is made from it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of error."""

    statuses: tuple[int, ...]
    means: str
    do: str


PROBLEMS: dict[str, Meaning] = {
    "bad-request": Meaning((400,), "The request is no proper HTTP.", "Mend the client."),
    "malformed-json": Meaning((400,), "The body is not JSON, or nested too deeply.", "Mend it."),
    "key-missing": Meaning((401,), "There is no API key.", "Send it in the header `X-API-Key`."),
    "key-unknown": Meaning(
        (401,),
        "The key was never made, or was revoked.",
        "Use another one; see `humane keys list`.",
    ),
    "key-expired": Meaning((401,), "The key's time is over.", "Ask for a new one."),
    "bad-signature": Meaning(
        (401,),
        "A webhook is not signed by the channel's app secret.",
        "Compare the app secret at Meta with the channel's: `humane channels check`.",
    ),
    "service-token": Meaning(
        (401,), "An internal port was called without a service token.", "Set `INTERNAL_API_TOKEN`."
    ),
    "scope-missing": Meaning(
        (403,), "The key does not allow this; `detail` names the scope.", "Use a key that does."
    ),
    "operator-only": Meaning(
        (403,), "Only the operator's own tenant may do this.", "Ask the operator of the house."
    ),
    "wrong-caller": Meaning(
        (403,), "The service token is another service's.", "Give each service its own."
    ),
    "handshake-refused": Meaning(
        (403,),
        "Meta's question came with a wrong verify token or address.",
        "Compare both at Meta with the channel's: `humane channels check`.",
    ),
    "not-found": Meaning(
        (404,), "It is not there, or belongs to another tenant.", "Look the id up in a listing."
    ),
    "no-route": Meaning((404,), "There is no such address.", "See the routes in the README."),
    "media-gone": Meaning((404,), "Meta has the file no more.", "Ask the person for it again."),
    "method-not-allowed": Meaning((405,), "Not in this way.", "`Allow` names the methods."),
    "body-too-slow": Meaning((408,), "The body did not come to its end.", "Send it again."),
    "changed-meanwhile": Meaning(
        (409, 412), "Somebody else changed it since.", "Read it again, decide again, send again."
    ),
    "last-key": Meaning(
        (409,), "Without this key nobody could make keys.", "Make another `admin` key first."
    ),
    "not-repeatable": Meaning(
        (409,),
        "What this `Idempotency-Key` made is gone, or its token was replaced.",
        "Use a new key for a new channel.",
    ),
    "still-running": Meaning(
        (409,), "The first call with this `Idempotency-Key` has not ended.", "Ask again shortly."
    ),
    "window-closed": Meaning(
        (409,), "The person wrote more than 24 hours ago.", "Send a template."
    ),
    "no-conversation": Meaning(
        (409,), "The person never wrote on that channel.", "Wait until they write."
    ),
    "body-too-large": Meaning((413,), "The body is over the limit.", "Send less at once."),
    "media-too-large": Meaning(
        (413,), "The file is over the limit.", "Raise the cap, or let it be."
    ),
    "invalid-request": Meaning(
        (422,), "A value does not fit; `errors` names each field.", "Mend what it names."
    ),
    "idempotency-key-reused": Meaning(
        (422,), "The `Idempotency-Key` stands for another call.", "Use a new one."
    ),
    "rate-limited": Meaning(
        (429,), "More calls than the key may make.", "Wait `Retry-After` seconds."
    ),
    "too-many-checks": Meaning(
        (429,), "More checks of channels than Meta likes.", "Wait `Retry-After` seconds."
    ),
    "too-many-failures": Meaning(
        (429,),
        "This address was wrong too often.",
        "Mend the key, token or secret; a right one works at once.",
    ),
    "internal-error": Meaning(
        (500,),
        "Something failed on our side; nothing was lost.",
        "Try again; tell us `request_id`.",
    ),
    "media-refused": Meaning((502,), "Meta refuses the file.", "Check the access token."),
    "media-altered": Meaning((502,), "The file is not the one that was sent.", "Do not use it."),
    "media-elsewhere": Meaning(
        (502,), "The file lies at a host that may not have the token.", "`OUTBOUND_MEDIA_HOSTS`."
    ),
    "media-unavailable": Meaning((503,), "The file cannot be had now.", "Try again."),
    "unavailable": Meaning(
        (503,), "Database or broker are away; nothing was lost.", "Wait `Retry-After` seconds."
    ),
    "keys-unavailable": Meaning(
        (503,), "Keys cannot be checked now.", "Wait `Retry-After` seconds."
    ),
    "not-kept": Meaning(
        (503,), "A webhook could not be kept.", "Nothing: Meta repeats it for seven days."
    ),
}


INTRODUCTION = (
    "Every error is `application/problem+json` (RFC 9457): `type` is `urn:platform:problem:` and a "
    "name of this table, `detail` says what is wrong here and what to do, `request_id` finds it in "
    "our logs. Build on `type`; `detail` is for people."
)


def table() -> str:
    """``docs/errors.md``."""
    rows = [
        f"| {', '.join(map(str, meaning.statuses))} | `{slug}` | {meaning.means} | {meaning.do} |"
        for slug, meaning in sorted(PROBLEMS.items(), key=lambda item: (item[1].statuses, item[0]))
    ]
    head = ("# Errors", "", INTRODUCTION, "", "| status | name | means | what to do |")
    return "\n".join((*head, "|---|---|---|---|", *rows, ""))
