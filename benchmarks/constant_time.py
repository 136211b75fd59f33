"""Whether time tells how much of a guess was right: `python -m benchmarks.constant_time`.

For Meta's signature and for a verify token two kinds of wrong guesses are measured in
random turns: one that differs from the right one in its first character, and one that differs in its
last. Welch's t-test on the lower four fifths of the times (the rest is the machine's noise) says
whether the means differ; |t| above 4.5, as in dudect (Reparaz, Balasch and Verbauwhede 2017), is a
leak. For the power of the measurement the same is done with a comparison that stops at the first
difference, which must be found out.
"""

import hmac
import random
from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from ingress.domain.handshake import judge
from ingress.domain.signature import refusal
from shared.ids import new_verify_token, secret_hash

SAMPLES = 40_000
REPEATS = 8
"""Calls in one sample: a clock's tick is longer than a comparison."""
KEPT = 0.8
LEAK = 4.5

BODY = b'{"object":"whatsapp_business_account"}'
SECRET = "benchmark-app-secret"
TOKEN = new_verify_token()
LONG = "a" * 64


def other(text: str, index: int) -> str:
    """``text`` with another character there."""
    there = "0" if text[index] != "0" else "1"
    return text[:index] + there + text[index + 1 :]


Check = Callable[[str], object]
Guess = Callable[[int], str]
"""A wrong guess that differs at this place, made anew: the same string twice may lie better."""


def signature_check() -> tuple[Check, Guess, int]:
    right = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    return (
        lambda guess: refusal(BODY, guess, (SECRET,)),
        lambda index: "sha256=" + other(right, index),
        63,
    )


def token_check() -> tuple[Check, Guess, int]:
    known = (secret_hash(TOKEN),)
    return (
        lambda guess: judge("subscribe", guess, known),
        lambda index: "vt_" + other(TOKEN[3:], index),
        42,
    )


def early_check() -> tuple[Check, Guess, int]:
    return lambda guess: all(map(str.__eq__, guess, LONG)), lambda index: other(LONG, index), 63


def welch(one: np.ndarray, two: np.ndarray) -> float:
    """Student's t for unequal variances."""
    spread = np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))
    return float((one.mean() - two.mean()) / spread)


def measured(check: Check, guess: Guess, last: int, samples: int) -> float:
    """t of guesses that differ at the beginning and at the end."""
    times: dict[int, list[int]] = {0: [], last: []}
    order = [0, last] * samples
    random.shuffle(order)
    for index in order:
        wrong = guess(index)
        began = perf_counter_ns()
        for _ in range(REPEATS):
            check(wrong)
        times[index].append(perf_counter_ns() - began)
    one, two = (np.array(found, dtype=float) for found in times.values())
    cut = np.quantile(np.concatenate((one, two)), KEPT)
    return welch(one[one <= cut], two[two <= cut])


def main() -> None:
    rows = (
        ("signature of a webhook", signature_check()),
        ("verify token", token_check()),
        ("a comparison that stops early", early_check()),
    )
    print(f"{'':32}{'t':>10}   verdict")
    for name, (check, guess, last) in rows:
        measured(check, guess, last, SAMPLES // 10)
        t = measured(check, guess, last, SAMPLES)
        print(f"{name:32}{t:10.2f}   {'LEAKS' if abs(t) > LEAK else 'tells nothing'}")


if __name__ == "__main__":
    main()
