"""A guess at the language of a short message, from its script and its commonest words."""

import re

from brain.domain.text import normalise

LANGUAGES = ("en", "es", "pt", "hi", "hi-Latn", "ar")
"""What ``detect`` may answer; ``hi-Latn`` is Hindi in Latin letters."""

_DEVANAGARI = re.compile("[\u0904-\u0939]")
_ARABIC = re.compile("[\u0620-\u064a]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[a-z]+")

_MARKERS = {
    "en": "i im you the and is it a my me to of in that do not what was are have dont this for on with "
    "just your so cant want hello hi please thanks thank how why need help am will would about been "
    "feel today they he she we its be but",
    "es": "que el la los las un una es muy pero porque estoy soy mi mis yo quiero no me por para con "
    "hola gracias tengo puedo nada hoy como esta estas morir matarme vida siento ya mas hacer ayuda "
    "usted nadie vivir siempre suicidarme",
    "pt": "que o os as um uma e muito mas porque estou sou meu minha eu quero nao me por para com ola "
    "obrigado obrigada tenho posso nada hoje como esta voce morrer matar vida sinto ja mais fazer "
    "ajuda oi tudo bem isso ninguem viver sempre",
    "hi-Latn": "hai hain mujhe mera meri main mai nahi nahin kya kyu kyun bahut bohot hoon hun raha rahi "
    "kar karna chahta chahti jeena marna tha thi aur se ko ka ki ke koi kuch ab mar jaana yaar bhai "
    "apni apne khatam lena kaise accha theek tum aap",
}  # fmt: skip
_WORDS = {language: frozenset(words.split()) for language, words in _MARKERS.items()}
_LETTER_HINTS = (("es", re.compile("[ñ¿¡]")), ("pt", re.compile("[ãõç]")))
_HINT_WEIGHT = 2


def detect(text: str) -> str | None:
    """One of ``LANGUAGES``, or None when too little speaks for one of them. Never raises."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return None
    if len(_DEVANAGARI.findall(text)) * 3 >= letters:
        return "hi"
    if len(_ARABIC.findall(text)) * 2 >= letters:
        return "ar"
    words = _WORD.findall(normalise(text))
    scores = {name: sum(w in known for w in words) for name, known in _WORDS.items()}
    for language, hint in _LETTER_HINTS:
        if hint.search(text.casefold()):
            scores[language] += _HINT_WEIGHT
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    return first if scores[first] > scores[second] else None
