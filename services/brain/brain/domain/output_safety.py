"""The verdict on what the language model wants to say, before anybody sees it.

Six gates in the order of facts/behaviour §4: ValuesBoundary, SocialRisk, InactionGuard, Overclaim,
EmotionalDependence, Dissent. The first that does not let the reply through decides; flags add up.
"""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, Self

import yaml

from brain.domain.safety import SELF_HARM, Action, SafetyMatch, SafetyVerdict
from brain.domain.sieve import Sieve
from brain.domain.text import fold_marks, normalise

INACTION = "inaction_guard"
EMOTIONAL_DEPENDENCE = "emotional_dependence"
_URGENT = frozenset({"self_harm", "violence", "abuse", "medical"})
"""Categories whose HOLD or BLOCK needs a reply that names help."""
_CATEGORY = {"encourages_self_harm": SELF_HARM}


@dataclass(frozen=True, slots=True)
class GateRule:
    """One rule of one gate."""

    gate: str
    action: Literal["BLOCK", "FLAG"]
    name: str
    examples: tuple[str, ...]


class OutputGates:
    """All gates, compiled. ``fine``: replies that none of them may touch, for tests."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._sieve: Sieve[GateRule] = Sieve(
            (
                re.compile(fold_marks(rule["pattern"])),
                GateRule(gate["gate"], gate["action"], rule["name"], tuple(rule["examples"])),
            )
            for gate in data["gates"]
            for rule in gate["rules"]
        )
        self._order = [gate["gate"] for gate in data["gates"]]
        self._order.insert(self._order.index("overclaim"), INACTION)
        self._helps = re.compile(fold_marks(data["helps"]["pattern"]))
        self.rules = self._sieve.items
        self.fine: tuple[str, ...] = tuple(data["fine"])

    @classmethod
    def load(cls) -> Self:
        """From this package."""
        source = resources.files("brain.domain") / "data" / "output_gates.yaml"
        return cls(yaml.safe_load(source.read_text(encoding="utf-8")))

    def check(self, text: str, said: SafetyVerdict) -> SafetyVerdict:
        """The verdict on the reply ``text`` to a message judged ``said``. Never raises."""
        plain = normalise(text)
        flags: list[str] = []
        for gate in self._order:
            if gate == INACTION:
                verdict = self._inaction(plain, said)
                if verdict is not None:
                    return verdict
                continue
            for rule, phrase in self._found(gate, plain):
                if rule.action == "BLOCK":
                    category = _CATEGORY.get(rule.name, rule.name)
                    return SafetyVerdict(
                        action=Action.BLOCK,
                        risk_score=0.9,
                        flags=(gate, rule.name, *flags),
                        matched=(SafetyMatch(phrase, category),),
                    )
                flags.append(rule.name)
        return SafetyVerdict(risk_score=0.2 if flags else 0.0, flags=tuple(flags))

    def _found(self, gate: str, plain: str) -> list[tuple[GateRule, str]]:
        return [
            (rule, match[0])
            for pattern, rule in self._sieve.candidates(plain)
            if rule.gate == gate
            for match in [pattern.search(plain)]
            if match
        ]

    def _inaction(self, plain: str, said: SafetyVerdict) -> SafetyVerdict | None:
        danger = next((name for name in said.flags if name in _URGENT), None)
        if said.action is Action.PROCEED or danger is None or self._helps.search(plain):
            return None
        return SafetyVerdict(
            action=Action.BLOCK,
            risk_score=0.6,
            flags=(INACTION,),
            matched=(SafetyMatch("", danger),),
        )
