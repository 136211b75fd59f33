"""Hindi in Latin letters, as people type it: a transliteration for making training data.

No public set rates mood in Hinglish, which most Hindi speakers write on a phone. BRIGHTER's Hindi
rows, transliterated with the spelling habits of chat, teach the encoder what it would never see.
"""

import random
import re

_CONSONANTS = dict(zip(
    "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ",
    ["k", "kh", "g", "gh", "n", "ch", "chh", "j", "jh", "n", "t", "th", "d", "dh", "n", "t", "th", "d", "dh", "n", "p", "ph", "b", "bh", "m", "y", "r", "l", "v", "sh", "sh", "s", "h", "l"], strict=True,
))  # fmt: skip
_NUKTA = {"क": "q", "ख": "kh", "ग": "g", "ज": "z", "ड": "d", "ढ": "dh", "फ": "f"}
_VOWELS = dict(
    zip("अआइईउऊऋएऐओऔ", ["a", "aa", "i", "ee", "u", "oo", "ri", "e", "ai", "o", "au"], strict=True)
)
_SIGNS = dict(
    zip("ािीुूृेैोौॅॉ", ["a", "i", "i", "u", "u", "ri", "e", "ai", "o", "au", "e", "o"], strict=True)
)
_NASAL, _HALF, _DOT = "ंँ", "\u094d", "\u093c"
_HABITS = (
    ("main", "mai"),
    ("nahin", "nahi"),
    ("hain", "hai"),
    ("kyaa", "kya"),
    ("aap", "ap"),
    ("hoon", "hu"),
    ("men", "me"),
)


def latin(text: str, rng: random.Random) -> str:
    """``text`` in Latin letters; words of other scripts stay. The last silent a of a word is left out."""
    return re.sub("[\u0900-\u0963]+", lambda match: _word(match[0], rng), text)


def _word(word: str, rng: random.Random) -> str:
    found: list[str] = []
    i = 0
    while i < len(word):
        letter = word[i]
        following = word[i + 1] if i + 1 < len(word) else ""
        if letter in _CONSONANTS:
            sound = _CONSONANTS[letter]
            if following == _DOT:
                sound = _NUKTA.get(letter, sound)
                i += 1
                following = word[i + 1] if i + 1 < len(word) else ""
            found.append(sound)
            if following in _SIGNS:
                found.append(_SIGNS[following])
                i += 1
            elif following == _HALF:
                i += 1
            elif following:
                found.append("a")
        elif letter in _VOWELS:
            found.append(_VOWELS[letter])
        elif letter in _NASAL:
            found.append("n")
        elif letter in _SIGNS:
            found.append(_SIGNS[letter])
        i += 1
    plain = "".join(found)
    # The a between two syllables is usually silent too: "karana" is said and typed "karna".
    plain = re.sub(
        r"(?<=[aeiou][bcdfghjklmnpqrstvwyz])a(?=[bcdfghjklmnpqrstvwyz][aeiou])", "", plain
    )
    for long, short in _HABITS:
        if plain == long and rng.random() < 0.5:
            return short
    return plain
