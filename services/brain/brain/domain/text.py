"""One spelling for many disguises: what rules and search read instead of the raw text."""

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
_MARKS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u093c]")
"""Accents of Latin letters, Arabic vowel signs and tatweel, the Devanagari nukta."""

_VARIANTS = str.maketrans({
    "\u0649": "\u064a",  # alef maksura, often typed for yeh
    "\u0629": "\u0647",  # teh marbuta, often typed as heh
    "\u06cc": "\u064a",  # Farsi yeh from some keyboards
    "\u0901": "\u0902",  # chandrabindu, often typed as anusvara
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "`": "'", "\u00b4": "'",
    "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
})  # fmt: skip

_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u043a\u043c\u0442\u043d"
    "\u03b1\u03b5\u03bf\u03c1\u03c5\u03bd\u03b9\u03ba\u03c4\u0131",
    "aeopcyxijsdkmthaeopuvikti",
)
"""Cyrillic, Greek and Turkish letters that pass for Latin ones, lower case."""

_LEETS = tuple(str.maketrans("013457@$!", plain) for plain in ("oieastasi", "oleastasi"))
_LEET_SIGNS = frozenset("013457@$!")
_LEET_WORD = re.compile(r"(?<![\w@$!])(?=\S*[a-z])(?=\S*[013457@$!])[a-z013457@$!]+(?![\w@$])")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_*]{1,2}\w){2,}(?!\w)")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_JOINERS = re.compile(r"(?<=[^\W\d_])[-_]+(?=[^\W\d_])")
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_THRICE = re.compile(r"(.)\1\1")
"""Cheap to look for, and in every run."""
_DOTS = re.compile("[.*_-]{2}|\u2026")
_PAUSES = re.compile(r"(?<=\w)(?:[.*_-]{2,}|\u2026)\s*(?=\w)")


def fold_marks(text: str) -> str:
    """``text`` without accents and vowel signs, letter variants unified. Safe on regex source."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_VARIANTS)
    return unicodedata.normalize("NFC", bare)


def normalise(text: str) -> str:
    """The plain reading: NFKC, lower case, no invisible characters, accents or look-alikes.

    Apostrophes inside words vanish (``don't`` becomes ``dont``), hyphens inside words become
    spaces, runs of blanks one space; line breaks stay. Letters repeated three times or more are
    cut to two.
    """
    plain = _plain(text)
    return _RUN.sub(r"\1\1", plain) if has_run(plain) else plain


def has_run(text: str) -> bool:
    """Whether a letter stands there three times in a row or more."""
    return _THRICE.search(text) is not None and _RUN.search(text) is not None


def spellings(text: str) -> tuple[str, ...]:
    """``normalise(text)`` first, then what it may disguise.

    Undone are elongation, line breaks, dots between words, leet and spaced letters, also combined. Each reading
    occurs once; an ordinary line has exactly one. Elongation is undone in two ways
    because ``killll`` and ``diiie`` have different true spellings.
    """
    raw = _plain(text)
    readings = [raw]
    if has_run(raw):
        readings = [_RUN.sub(r"\1\1", raw), _RUN.sub(r"\1", raw)]
    readings.append(" ".join(readings[0].split()))
    if _DOTS.search(raw) and len(_PAUSES.findall(readings[0])) > 1:
        readings.append(_PAUSES.sub(" ", readings[0]))
    readings = list(dict.fromkeys(readings))
    if not _LEET_SIGNS.isdisjoint(raw):
        readings += [_unleet(reading, table) for reading in readings for table in _LEETS]
        readings = list(dict.fromkeys(readings))
    readings += [_SPACED.sub(_join, reading) for reading in readings]
    return tuple(dict.fromkeys(readings))


def _plain(text: str) -> str:
    if text.isascii():
        return _tidy(text.lower().replace("`", "'"))
    return _tidy(fold_marks(_INVISIBLE.sub("", text)).casefold().translate(_LOOKALIKES))


def _tidy(plain: str) -> str:
    """Without apostrophes and hyphens inside words, and with single blanks."""
    if "'" in plain:
        plain = _APOSTROPHE.sub("", plain)
    if "-" in plain or "_" in plain:
        plain = _JOINERS.sub(" ", plain)
    return _BLANKS.sub(" ", plain).strip()


def _unleet(plain: str, table: dict[int, int]) -> str:
    return _LEET_WORD.sub(lambda match: match[0].translate(table), plain)


def _join(match: re.Match[str]) -> str:
    return re.sub(r"[ .\-_*]", "", match[0])
