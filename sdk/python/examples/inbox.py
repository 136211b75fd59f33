"""Who needs a human, and an answer to one of them.

``python inbox.py`` lists the people whose last messages call for a human;
``python inbox.py USER_ID TEXT`` takes the conversation over and writes to that person.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice

from humane_ai import ConflictError, HumaneClient, Interaction, User

MOST = 200
"""Messages that are looked at: the newest ones."""


def waiting(client: HumaneClient) -> dict[str, Interaction]:
    """The newest message of everybody who needs a human, by person."""
    found: dict[str, Interaction] = {}
    for interaction in islice(client.interactions.list(action="HOLD"), MOST):
        found.setdefault(interaction.user_id, interaction)
    return found


def line(user: User, interaction: Interaction) -> str:
    """One person of the list."""
    since = interaction.at.isoformat(" ", "minutes") if interaction.at else "?"
    return (
        f"{user.id}  {user.name or '?'}  mood {user.mood:.2f}  {since}  {interaction.message.text}"
    )


def show(client: HumaneClient) -> None:
    """Print everybody who needs a human."""
    for user_id, interaction in waiting(client).items():
        print(line(client.users.get(user_id), interaction))


def answer(client: HumaneClient, user_id: str, text: str) -> None:
    """Write to the person, and keep the machine silent until somebody calls ``resume``."""
    try:
        message = client.users.send(user_id, text=text)
    except ConflictError as error:
        raise SystemExit(error.detail) from error
    client.users.pause(user_id)
    for delivery in client.deliveries.of(message.id):
        print(f"{message.id}: {delivery.id} {delivery.state}")


def main(arguments: Sequence[str]) -> None:
    """List, or answer."""
    with HumaneClient() as client:
        if arguments:
            user_id, *words = arguments
            answer(client, user_id, " ".join(words))
        else:
            show(client)


if __name__ == "__main__":
    main(sys.argv[1:])
