"""Safety rules that carry their own examples, read from ``data/safety/*.yaml``.

A *risk* rule finds a phrase. A *mask* finds a context: an idiom, a negation or a quotation that
neutralises risk found inside it, or a third person or a distant past that lowers BLOCK to HOLD.
A *means* rule finds a plan, a tool or a time: it switches masks off and turns HOLD into BLOCK.
Patterns are matched against the readings of ``brain.domain.text.spellings``; write them in lower
case without apostrophes. ``%name%`` inserts a macro of the same file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from brain.domain.safety import (
    COMBINED,
    REFERRALS,
    THIRD_PERSON,
    Action,
    SafetyMatch,
    SafetyVerdict,
)
from brain.domain.sieve import Sieve
from brain.domain.text import fold_marks, spellings

_RISK = {Action.PROCEED: 0.2, Action.HOLD: 0.55, Action.BLOCK: 0.9}
_COMBINED_RISK = 0.95
_MASKED_RISK = 0.1


@dataclass(frozen=True, slots=True)
class RiskRule:
    """A phrase that speaks for ``category``. ``about``: modifier flag such as ``third_person``."""

    name: str
    language: str
    category: str
    action: Action
    pattern: re.Pattern[str]
    examples: tuple[str, ...]
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Mask:
    """A context. ``effect`` PROCEED neutralises what lies inside, HOLD only lowers it to HOLD.

    ``announced``: the text itself sounds like risk, so the override is reported even when no rule
    matched. ``flag`` is added to the verdict when the mask changed something.
    """

    name: str
    language: str
    categories: frozenset[str]
    effect: Action
    pattern: re.Pattern[str]
    examples: tuple[str, ...]
    announced: bool
    flag: str | None


@dataclass(frozen=True, slots=True)
class MeansRule:
    """A plan, tool or time that makes a concern of one of ``categories`` acute."""

    name: str
    categories: frozenset[str]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of all languages."""

    risks: tuple[RiskRule, ...]
    masks: tuple[Mask, ...]
    means: tuple[MeansRule, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: RiskRule
    phrase: str
    action: Action
    flags: tuple[str, ...]


class Rules:
    """All rules, ready to judge. Same text, same verdict; about 0.1 ms for a chat line."""

    def __init__(self, book: RuleBook) -> None:
        marks: tuple[RiskRule | Mask, ...] = (*book.risks, *book.masks)
        self._marks = Sieve((mark.pattern, mark) for mark in marks)
        self._means = Sieve((rule.pattern, rule) for rule in book.means)

    def check(self, text: str) -> SafetyVerdict:
        """Every reading of ``text`` is judged; the strictest hit decides."""
        hits: list[_Hit] = []
        overrides: list[str] = []
        for reading in spellings(text):
            found, masked = self._judge(reading)
            hits += found
            overrides += masked
        return _verdict(hits, overrides)

    def _judge(self, text: str) -> tuple[list[_Hit], list[str]]:
        risks: list[tuple[RiskRule, re.Match[str]]] = []
        masks: list[tuple[Mask, re.Match[str]]] = []
        for pattern, mark in self._marks.candidates(text):  # the risks come first
            if isinstance(mark, RiskRule):
                risks += [(mark, match) for match in pattern.finditer(text)]
            elif risks or mark.announced:
                masks += [(mark, match) for match in pattern.finditer(text)]
        if not risks and not masks:
            return [], []
        acute = {
            name
            for pattern, rule in self._means.candidates(text)
            if pattern.search(text)
            for name in rule.categories
        }
        hits: list[_Hit] = []
        overrides = [m.name for m, _ in masks if m.announced and not (m.categories & acute)]
        for rule, match in risks:
            contexts = [m for m, span in masks if _applies(m, rule, span, match, acute)]
            if any(m.effect is Action.PROCEED for m in contexts):
                overrides += [m.name for m in contexts if m.effect is Action.PROCEED]
                continue
            hits.append(_hit(rule, match[0], contexts, acute))
        return hits, overrides


def _applies(
    mask: Mask, rule: RiskRule, span: re.Match[str], match: re.Match[str], acute: set[str]
) -> bool:
    """Whether the mask and the risk share enough text, and no means stand beside an idiom.

    An idiom must cover at least half of the risk. A third person or the past is a fact about the
    sentence: it must reach to the end of the risk, means do not undo it, and it speaks for its
    own language only (the Spanish "he" is no English "he").
    """
    overlap = min(span.end(), match.end()) - max(span.start(), match.start())
    if rule.category not in mask.categories or overlap <= 0:
        return False
    if mask.effect is Action.HOLD:
        return rule.language == mask.language and match.end() <= span.end()
    return rule.category not in acute and overlap * 2 >= match.end() - match.start()


def _hit(rule: RiskRule, phrase: str, contexts: list[Mask], acute: set[str]) -> _Hit:
    action = rule.action
    lowered = [mask for mask in contexts if mask.effect.severity < action.severity]
    flags = [mask.flag for mask in contexts if mask.flag]
    if lowered:
        action = Action.HOLD
    if rule.about:
        flags.append(rule.about)
    if action is Action.HOLD and rule.category in acute and not flags:
        action = Action.BLOCK
        flags.append(COMBINED)
    return _Hit(rule, phrase.strip(), action, tuple(flags))


def _verdict(hits: list[_Hit], overrides: list[str]) -> SafetyVerdict:
    override = overrides[0] if overrides else None
    if not hits:
        return SafetyVerdict(risk_score=_MASKED_RISK if override else 0.0, override=override)
    hits = sorted(hits, key=lambda hit: (-hit.action.severity, COMBINED not in hit.flags))
    top = hits[0]
    flags = [hit.rule.category for hit in hits]
    flags += _modifiers([h for h in hits if h.action is top.action])
    flags += [REFERRALS[flag] for flag in flags if flag in REFERRALS]
    matches = (SafetyMatch(hit.phrase, hit.rule.category) for hit in hits)
    return SafetyVerdict(
        action=top.action,
        risk_score=_COMBINED_RISK if COMBINED in top.flags else _RISK[top.action],
        flags=tuple(dict.fromkeys(flags)),
        matched=tuple(dict.fromkeys(matches)),
        override=override,
        language=top.rule.language if top.rule.language != "any" else None,
    )


def _modifiers(hits: list[_Hit]) -> list[str]:
    """Flags such as ``combined``; ``third_person`` only when nothing speaks of the writer."""
    flags = [flag for hit in hits for flag in hit.flags]
    if all(THIRD_PERSON in hit.flags for hit in hits):
        return flags
    return [flag for flag in flags if flag != THIRD_PERSON]


def load_rules() -> RuleBook:
    """All rule files of this package. Raises ValueError naming the file and rule at fault.

    Call it once, where the service is wired.
    """
    folder = resources.files("brain.domain") / "data" / "safety"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return _merge(parse_rules(f.name, f.read_text(encoding="utf-8")) for f in files)


def parse_rules(file: str, source: str) -> RuleBook:
    """The rules of one file. Raises ValueError naming ``file`` and the rule at fault."""
    try:
        data: dict[str, Any] = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: {error}") from error
    language = data.get("language", "any")
    macros = data.get("macros", {})

    def compiled(entry: Mapping[str, Any]) -> re.Pattern[str]:
        return _compile(f"{file}: {entry.get('name')}", entry["pattern"], macros)

    return RuleBook(
        risks=tuple(
            RiskRule(
                name=entry["name"],
                language=language,
                category=entry["category"],
                action=Action(entry["action"]),
                pattern=compiled(entry),
                examples=tuple(entry["examples"]),
                about=entry.get("about"),
            )
            for entry in data.get("risk", ())
        ),
        masks=tuple(
            Mask(
                name=entry["name"],
                language=language,
                categories=frozenset(entry["categories"]),
                effect=Action(entry.get("effect", "PROCEED")),
                pattern=compiled(entry),
                examples=tuple(entry["examples"]),
                announced=entry.get("announced", False),
                flag=entry.get("flag"),
            )
            for entry in data.get("mask", ())
        ),
        means=tuple(
            MeansRule(entry["name"], frozenset(entry["categories"]), compiled(entry))
            for entry in data.get("means", ())
        ),
    )


def _compile(place: str, pattern: str, macros: Mapping[str, str]) -> re.Pattern[str]:
    for _ in range(3):  # macros may use macros, three deep at most
        for name, value in macros.items():
            pattern = pattern.replace(f"%{name}%", f"(?:{value})")
    try:
        return re.compile(fold_marks(pattern))
    except re.error as error:
        raise ValueError(f"{place}: {error}") from error


def _merge(books: Iterable[RuleBook]) -> RuleBook:
    parts = list(books)
    return RuleBook(
        risks=tuple(rule for book in parts for rule in book.risks),
        masks=tuple(mask for book in parts for mask in book.masks),
        means=tuple(rule for book in parts for rule in book.means),
    )
