"""The words of a text as search compares them, in the languages we serve."""

import re
import unicodedata
from collections.abc import Iterable

import Stemmer

_SAYS_NOTHING = """
a an the and or but if of to in on at for from by with as is am are was were be been being do
does did done has have had i im ive id you your yours he she it its they them we us our my me
mine this that these those there here what which who whom whose when where why how can could
will would shall should may might must not no so too very just about again also then than any
some all please tell say said remember recall remind know knew told forget forgot mentioned dont
doesnt didnt cant isnt up out let el la los las un una de del que y o en por para con mi mis tu
tus su te se es soy eres estoy donde cual como cuando recuerdas acuerdas sabes dije um uma os da
dos das e na em meu minha eu voce lembra sabe onde qual quando quem hai hain ho hu hoon ka ki ke
ko mein main mera meri mujhe kya kahan kab kaun yaad tumhe aapko maine
"""
STOP_WORDS = frozenset(_SAYS_NOTHING.split())
"""They say nothing about what a memory is about."""

_ALIKE = """
work job employ employer company office career boss profession trabajo trabajas trabaja empresa trabalho trabalha emprego kaam naukri
name call llamo llama nombre chamo nome naam
live home house city town address country move vivo vives vive casa ciudad moro mora cidade rehta rehti ghar
surgery operation appointment doctor hospital clinic scan cirugia operacion cita medico cirurgia operacao consulta
child kid son daughter baby hijo hija hijos filho filha filhos beta beti bacche
wife husband partner spouse married boyfriend girlfriend esposa esposo marido novia novio namorada namorado pati patni
sister brother sibling hermana hermano irma irmao behen bhai
mother mom mum father dad parent madre padre mama papa mae pai
dog cat pet perro gato mascota cachorro kutta billi
birthday born birth cumpleanos nacimiento aniversario nasci
old age year edad anos idade umar
like love enjoy favorite favourite hobby prefer gusta encanta favorito gosto adoro pasand
study school university college course degree estudio escuela universidad estudo escola faculdade padhai
sick ill disease diagnos condition medication allergic allergy enfermo enfermedad alergia doente doenca bimar dawai
"""


_TOKEN = re.compile("[^\\W_](?:[^\\W_]|[\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963'])*")
_ASCII_TOKEN = re.compile("[a-z0-9][a-z0-9']*")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u0640]")
_SNOWBALL = Stemmer.Stemmer("english", 50_000)


def tokenise(text: str) -> tuple[str, ...]:
    """Content words, lower case, stemmed; safe for scripts with vowel signs or no spaces.

    Latin words all pass the English Snowball stemmer, whatever their language: it also takes the
    Iberian plural off, and a message's language is often a guess that must not change its words.
    """
    plain = text.casefold()
    if plain.isascii():
        return _plain_words(plain)
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    plain = unicodedata.normalize("NFC", plain).replace("\u2019", "'")
    words: list[str] = []
    for match in _TOKEN.finditer(plain):
        word = match[0].removesuffix("'s").replace("'", "")
        if not word.isascii() and _CJK.search(word):
            words += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        elif word not in STOP_WORDS:
            words.append(_stem(word))
    return tuple(words)


def _plain_words(plain: str) -> tuple[str, ...]:
    """The words of an ASCII text, by the short way that most messages can go."""
    words: list[str] = _ASCII_TOKEN.findall(plain)
    if "'" in plain:
        words = [word.removesuffix("'s").replace("'", "") for word in words]
    return tuple(_SNOWBALL.stemWords([word for word in words if word not in STOP_WORDS]))


def wanted(tokens: Iterable[str]) -> dict[str, frozenset[str]]:
    """Each thing a query asks for, with the words that satisfy it."""
    found: dict[str, frozenset[str]] = {}
    for token in tokens:
        concept = _CONCEPT_OF.get(token)
        if concept is None:
            found[token] = frozenset((token,))
        else:
            found[f"#{concept}"] = _CONCEPTS[concept]
    return found


def _stem(word: str) -> str:
    return str(_SNOWBALL.stemWord(word)) if word.isascii() else word


_CONCEPTS = tuple(
    frozenset(_stem(word) for word in line.split()) for line in _ALIKE.strip().splitlines()
)
"""One line, one thing: "where do I work?" finds "my job is..."."""
_CONCEPT_OF = {word: index for index, words in enumerate(_CONCEPTS) for word in words}
