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
    "feel today they he she we its be but no as at or if by an all one out up from has had were who "
    "her his him them there like get got go know can could should did does more than then any our us "
    "time good new now see over after into only some people think really never right day work still "
    "back even too much because love hate sorry yes where when which off again here those these",
    "es": "que el la los las un una es muy pero porque estoy soy mi mis yo quiero no me por para con "
    "hola gracias tengo puedo nada hoy como esta estas morir matarme vida siento ya mas hacer ayuda "
    "usted nadie vivir siempre suicidarme de en y lo se le su sus del al te tu si ella ellos nos eso "
    "esto ese esa este fue era ser son estan hay habia ha he hemos han sin sobre entre cuando donde "
    "quien tambien solo todo todos toda todas otra otro mucho mucha muchos muchas bien mal mejor dia "
    "vez ahora aqui alli despues antes desde hasta cada mismo tan asi tanto creo quiere puede hace "
    "dice ver va voy vamos casa gente manana noche feliz triste amor jaja jajaja pues algo aunque",
    "pt": "que o os as um uma e muito mas porque estou sou meu minha eu quero nao me por para com ola "
    "obrigado obrigada tenho posso nada hoje como esta voce morrer matar vida sinto ja mais fazer "
    "ajuda oi tudo bem isso ninguem viver sempre de em se lhe seu sua seus suas do da dos das no na "
    "nos nas ao aos pelo pela te ele ela eles elas esse essa este foi era ser sao estao tem sem sobre "
    "entre quando onde quem tambem so todo todos toda todas outra outro muita muitos muitas mal "
    "melhor dia vez agora aqui ali depois antes desde ate cada mesmo tao assim tanto acho quer pode "
    "faz diz ver vai vou vamos casa gente amanha noite feliz triste amor pra pro ta to vc vcs pq ne "
    "cara mano kkk kkkk meus minhas nem cade",
    "hi-Latn": "hai hain mujhe mera meri main mai nahi nahin kya kyu kyun bahut bohot hoon hun raha rahi "
    "kar karna chahta chahti jeena marna tha thi aur se ko ka ki ke koi kuch ab mar jaana yaar bhai "
    "apni apne khatam lena kaise accha theek tum aap bhi toh ne pe mein tu tere tera teri hum hume "
    "unka uska uski iska wo woh ye yeh jo jab tab phir fir abhi aaj kal raat ghar sab sabko bas nhi "
    "hu ho gaya gayi gaye diya liya kiya karta karti karte rahe rha rhi sakta sakti baat dil dost "
    "zindagi wala wali wale yaha aisa itna kitna kyuki lekin agar chahiye",
}  # fmt: skip
_WORDS = {language: frozenset(words.split()) for language, words in _MARKERS.items()}
_LETTER_HINTS = (("es", re.compile("[ñ¿¡]")), ("pt", re.compile("[ãõç]")))
_HINT_WEIGHT = 2


def detect(text: str, plain: str | None = None) -> str | None:
    """One of ``LANGUAGES``, or None when too little speaks for one of them. Never raises.

    ``plain``: ``normalise(text)``, where it is known already.
    """
    if not text.isascii():
        letters = len(_LETTER.findall(text))
        if not letters:
            return None
        if len(_DEVANAGARI.findall(text)) * 3 >= letters:
            return "hi"
        if len(_ARABIC.findall(text)) * 2 >= letters:
            return "ar"
    words = _WORD.findall(normalise(text) if plain is None else plain)
    scores = {name: sum(map(known.__contains__, words)) for name, known in _WORDS.items()}
    if not text.isascii():
        for language, hint in _LETTER_HINTS:
            if hint.search(text.casefold()):
                scores[language] += _HINT_WEIGHT
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    return first if scores[first] > scores[second] else None
