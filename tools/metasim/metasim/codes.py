"""Meta's error codes, and the error body of the Graph API."""

import secrets
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Code:
    """HTTP status as documented (a client must not build on it) and title."""

    status: int
    title: str


CODES: dict[int, Code] = {
    0: Code(401, "AuthException"),
    1: Code(400, "An unknown error has occurred."),
    2: Code(503, "Service temporarily unavailable"),
    3: Code(500, "Capability or permissions issue"),
    4: Code(400, "Application request limit reached"),
    10: Code(403, "Application does not have permission for this action"),
    33: Code(400, "Parameter value is not valid"),
    100: Code(400, "Invalid parameter"),
    190: Code(401, "Invalid OAuth access token - Cannot parse access token"),
    200: Code(403, "Permissions error"),
    368: Code(403, "Temporarily blocked for policies violations"),
    2200: Code(400, "Callback verification failed"),
    2500: Code(400, "Unknown path components"),
    80007: Code(400, "Rate limit issues"),
    80008: Code(400, "There have been too many calls to this WhatsApp Business account"),
    130403: Code(400, "Business has blocked the user"),
    130429: Code(400, "Rate limit hit"),
    130472: Code(400, "User's number is part of an experiment"),
    130497: Code(403, "Business account is restricted from messaging users in this country"),
    131000: Code(500, "Something went wrong"),
    131005: Code(403, "Access denied"),
    131008: Code(400, "Required parameter is missing"),
    131009: Code(400, "Parameter value is not valid"),
    131016: Code(500, "Service unavailable"),
    131020: Code(400, "Group is not available"),
    131021: Code(400, "Recipient cannot be sender"),
    131026: Code(400, "Message undeliverable"),
    131030: Code(400, "Recipient phone number not in allowed list"),
    131031: Code(403, "Business Account locked"),
    131037: Code(
        400, "WhatsApp provided number needs display name approval before message can be sent"
    ),
    131041: Code(400, "Group message not allowed"),
    131042: Code(400, "Business eligibility payment issue"),
    131044: Code(400, "Business eligibility payment issue"),
    131045: Code(500, "Incorrect certificate"),
    131047: Code(400, "Re-engagement message"),
    131048: Code(400, "Spam rate limit hit"),
    131049: Code(400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: Code(400, "User has stopped receiving marketing messages from this business"),
    131051: Code(400, "Unsupported message type"),
    131052: Code(400, "Media download error"),
    131053: Code(400, "Media upload error"),
    131055: Code(400, "Method not allowed"),
    131056: Code(400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: Code(500, "Account in maintenance mode"),
    131062: Code(400, "Recipient identifier is not supported for this message"),
    131063: Code(400, "Marketing templates are disabled on Cloud API"),
    131064: Code(400, "Template classification violation limit reached"),
    132000: Code(400, "Template Param Count Mismatch"),
    132001: Code(404, "Template does not exist"),
    132005: Code(400, "Template Hydrated Text Too Long"),
    132007: Code(400, "Template Format Character Policy Violated"),
    132012: Code(400, "Template Parameter Format Mismatch"),
    132015: Code(400, "Template is Paused"),
    132016: Code(400, "Template is Disabled"),
    132018: Code(400, "Template parameters are not valid"),
    132068: Code(400, "Flow is blocked"),
    132069: Code(400, "Flow is throttled"),
    133004: Code(503, "Server Temporarily Unavailable"),
    133005: Code(400, "Two step verification PIN Mismatch"),
    133006: Code(400, "Phone number re-verification needed"),
    133008: Code(400, "Too Many two step verification PIN Guesses"),
    133009: Code(400, "Two step verification PIN Guessed Too Fast"),
    133010: Code(400, "Phone number Not Registered"),
    133015: Code(400, "Please wait a few minutes before attempting to register this phone number"),
    133016: Code(400, "Account register deregister rate limit exceeded"),
    134011: Code(400, "Payment terms not accepted"),
    134100: Code(400, "Only marketing messages supported"),
    134101: Code(400, "Template is still syncing"),
    134102: Code(400, "Template is not available for use"),
    135000: Code(400, "Generic user error"),
    137000: Code(400, "Identity key hash mismatch"),
    2494100: Code(500, "Account in maintenance mode"),
}
"""Codes a client must be ready for. Statuses: Meta's error page before it dropped the column."""

UNLISTED = Code(400, "Unknown error")

ERRORS_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class GraphError(Exception):
    """A refusal as Graph words it. ``status`` and ``message`` default to the table's."""

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        status: int | None = None,
        subcode: int | None = None,
        message: str | None = None,
        error_type: str = "OAuthException",
    ) -> None:
        known = CODES.get(code, UNLISTED)
        super().__init__(f"Graph error {code}")
        self.code = code
        self.status = known.status if status is None else status
        self._details = details
        self._subcode = subcode
        self._message = message or (known.title if code == 190 else f"(#{code}) {known.title}")
        self._type = error_type

    def body(self) -> dict[str, Any]:
        """The JSON of the answer, with a fresh ``fbtrace_id``."""
        error: dict[str, Any] = {
            "message": self._message,
            "type": self._type,
            "code": self.code,
        }
        if self._details is not None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self._details}
        if self._subcode is not None:
            error["error_subcode"] = self._subcode
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}


def webhook_error(
    code: int, *, title: str | None = None, details: str | None = None
) -> dict[str, Any]:
    """The form that errors have inside webhooks: a title, no type, a link."""
    title = title or CODES.get(code, UNLISTED).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": ERRORS_PAGE,
    }
