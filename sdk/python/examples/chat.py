"""A chat in the terminal with a language model of your own that knows how you are.

``python chat.py YOUR_NAME``, with ``OPENAI_API_KEY`` and ``HUMANE_API_KEY`` set; needs ``openai``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

import humane_ai

MODEL = os.environ.get("MODEL", "gpt-4o-mini")


def talk(client: OpenAI, lines: Iterable[str]) -> None:
    """Answer each line, and say what was understood."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "You are a friend who listens. Answer in a sentence or two."}
    ]
    for line in lines:
        messages.append({"role": "user", "content": line.strip()})
        completion = client.chat.completions.create(model=MODEL, messages=messages)
        answer = completion.choices[0].message.content or ""
        messages.append({"role": "assistant", "content": answer})
        print(answer)
        if known := humane_ai.understanding(completion):
            print(f"  (mood {known.user.mood:.2f}, {known.safety.action})")


def main(arguments: Sequence[str]) -> None:
    """Chat until the end of the input."""
    (name,) = arguments
    with humane_ai.wrap(OpenAI(), user_id=name) as client:
        talk(client, sys.stdin)


if __name__ == "__main__":
    main(sys.argv[1:])
