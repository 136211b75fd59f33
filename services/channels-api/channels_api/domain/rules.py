"""What Meta's credentials look like, in sentences that tell an operator what to do.

Each function takes what was pasted, drops white space around it, and returns it or raises
ValueError with one sentence. No sentence repeats the value.
"""

LONGEST_NUMBER_ID = 32
LONGEST_ACCESS_TOKEN = 1024
"""Several times what Meta gives out today; a longer one is something else."""
LONGEST_APP_SECRET = 128
"""Meta's have 32 hex characters; not insisted on, because Meta does not promise it."""


def phone_number_id(pasted: str) -> str:
    """The id of a number, 1 to 32 digits; not the number itself."""
    value = pasted.strip()
    if value.startswith("+") or any(mark in value for mark in " -()"):
        raise ValueError(
            "that looks like a phone number, not the id that Meta shows under WhatsApp > API Setup "
            "as Phone number ID"
        )
    if not _is_id(value):
        raise ValueError(
            "a phone number id has digits only; copy it from Meta, WhatsApp > API Setup"
        )
    return value


def waba_id(pasted: str) -> str:
    """The id of a WhatsApp Business Account, 1 to 32 digits."""
    value = pasted.strip()
    if not _is_id(value):
        raise ValueError(
            "a WhatsApp Business Account id has digits only; copy it from Meta, WhatsApp > API Setup"
        )
    return value


def access_token(pasted: str) -> str:
    """1 to 1024 visible ASCII characters."""
    value = pasted.strip()
    if not value:
        raise ValueError("it is empty; copy the access token from Meta, WhatsApp > API Setup")
    if len(value) > LONGEST_ACCESS_TOKEN:
        raise ValueError(
            f"it is longer than {LONGEST_ACCESS_TOKEN} characters; copy the access token alone"
        )
    return _unbroken(value)


def app_secret(pasted: str) -> str:
    """1 to 128 printable characters. It is a key for an HMAC, so any text will do."""
    value = pasted.strip()
    if not value or len(value) > LONGEST_APP_SECRET or not value.isprintable():
        raise ValueError(
            f"an app secret is one line of at most {LONGEST_APP_SECRET} characters, Meta's have "
            "32; copy it from App settings > Basic"
        )
    return value


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER_ID


def _unbroken(value: str) -> str:
    # Beyond taste: a token goes into an HTTP header, where neither blanks nor other scripts may be.
    if not all("!" <= character <= "~" for character in value):
        raise ValueError(
            "there is white space inside, or a character that no secret has; copy it again from Meta"
        )
    return value
