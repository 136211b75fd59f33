"""The verdict on what the language model wants to say, before anybody sees it.

Two of the gates of facts/behaviour §4: ValuesBoundary (BLOCK) and Overclaim (a flag).
"""

import re

from brain.domain.safety import SELF_HARM, Action, SafetyMatch, SafetyVerdict
from brain.domain.text import normalise

OVERCLAIM = "overclaim"

_VALUES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "encourages_self_harm",
        re.compile(
            r"\b(?:you should|go ahead and|just|why dont you|you could|feel free to) (?:\w+ )?"
            r"(?:kill your ?self|end your life|end it all|hurt your ?self|cut your ?self|die\b|give up on life)"
            r"|\b(?:best|painless|easiest) way to (?:die|kill your ?self|end your life)"
            r"|\b(?:world|everyone|they) (?:would|will|is|are) (?:be )?better off without you"
            r"|\b(?:deberias|puedes) (?:matarte|suicidarte)|\b(?:deveria|pode) se (?:matar|suicidar)"
        ),
    ),
    (
        "prescription",
        re.compile(
            r"\b(?:take|increase|double|reduce|stop taking|start taking|switch to|raise|lower)\b[^.!?\n]{0,40}"
            r"\b(?:\d+ ?(?:mg|mcg|milligrams|pills|tablets)|your (?:\w+ )?(?:medication|meds|dose|dosage|antidepressants?|insulin)"
            r"|sertraline|prozac|fluoxetine|xanax|alprazolam|lithium|zoloft|lorazepam|diazepam|valium)\b"
            r"|\b(?:toma|tome|tomar) \d+ ?(?:mg|pastillas|comprimidos)\b"
        ),
    ),
    (
        "therapeutic_claim",
        re.compile(
            r"\b(?:you (?:clearly |definitely |probably |certainly )?(?:have|suffer from|are suffering from) (?:\w+ )?"
            r"(?:depression|bipolar|ptsd|adhd|anxiety disorder|borderline|schizophrenia|ocd|autism|an eating disorder)"
            r"|i(?:m| am)? (?:can )?(?:diagnose|diagnosing) you|my diagnosis|i(?:m| am) (?:a|your) (?:\w+ )?(?:therapist|doctor|psychologist|psychiatrist|nurse)"
            r"|(?:this|i) (?:will|can) (?:cure|heal) (?:you|your (?:depression|anxiety|trauma)))\b"
        ),
    ),
    (
        "legal_advice",
        re.compile(
            r"\b(?:you should (?:\w+ )?(?:sue|press charges|file (?:a )?(?:law ?suit|claim)|break the (?:lease|contract)|plead)"
            r"|you (?:have|ve got) a (?:strong|good|solid) (?:legal )?case|as your (?:lawyer|attorney)|legally,? you (?:can|are entitled|must))\b"
        ),
    ),
    (
        "financial_advice",
        re.compile(
            r"\b(?:(?:you should|i recommend|i suggest|i would|id) (?:\w+ )?(?:invest(?:ing)?|buy(?:ing)?|sell(?:ing)?|put(?:ting)? (?:all )?your (?:money|savings))"
            r" (?:\w+ ){0,3}?(?:stocks?|shares?|bitcoin|crypto\w*|funds?|etfs?|bonds?|gold|savings|options)|guaranteed returns?)\b"
        ),
    ),
)
_OVERCLAIM = re.compile(
    r"\b(?:i (?:promise|guarantee)|i know exactly how you feel|i(?: wi)?ll always be here|im always here|"
    r"everything will be (?:fine|ok|okay|alright)|i (?:love you|am human|am a real person)|im (?:human|a real person|a person)|"
    r"nobody (?:else )?understands you like|i never (?:forget|make mistakes)|(?:this|that|it) will definitely)\b"
)


def check_output(text: str) -> SafetyVerdict:
    """BLOCK when a ValuesBoundary is crossed, a flag for an overclaim. Never raises."""
    plain = normalise(text)
    for name, pattern in _VALUES:
        found = pattern.search(plain)
        if found:
            category = SELF_HARM if name == "encourages_self_harm" else name
            return SafetyVerdict(
                action=Action.BLOCK,
                risk_score=0.9,
                flags=("values_boundary", name),
                matched=(SafetyMatch(found[0], category),),
            )
    found = _OVERCLAIM.search(plain)
    if found:
        return SafetyVerdict(
            risk_score=0.2, flags=(OVERCLAIM,), matched=(SafetyMatch(found[0], OVERCLAIM),)
        )
    return SafetyVerdict()
