"""Slang, stretching, emoji and signs: the words for the models, the rest for arousal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.voice import spelled_out, voice_of


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("soooo tired \U0001f629", "so tired  weary face"),
        ("m fine", "i'm fine"),
        ("k.", "okay."),
        ("nope", "no"),
        ("gooood morning!!!", "good morning!!!"),
        ("Idk what 2 do rn", "i don't know what 2 do right now"),
        ("DON\u2019T", "don't"),
        ("reallllly?", "really?"),
        ("estou taaaao cansada", "estou tao cansada"),
        ("\uff28\uff45\uff4c\uff4c\uff4f", "hello"),
    ],
)
def test_spelled_out(text, spelled):
    assert spelled_out(text) == spelled


def test_slang_is_english_only():
    assert spelled_out("m u r", english=False) == "m u r"
    assert spelled_out("\u00bfy t\u00fa?", english=False) == "\u00bfy t\u00fa?"


@pytest.mark.parametrize(
    ("calm", "loud"),
    [
        ("i am so angry", "I AM SO ANGRY"),
        ("no way", "no way!!!"),
        ("i won", "i won \U0001f389\U0001f389"),
        ("so tired \U0001f634\U0001f634", "so tired"),
        ("fine.", "fine"),
        ("so happy", "sooooo happy"),
    ],
)
def test_signs_push_arousal(calm, loud):
    assert voice_of(calm).push < voice_of(loud).push


@pytest.mark.parametrize("text", ["OK", "I", "USA", "the NHS letter came", ""])
def test_a_short_name_in_capitals_is_no_shouting(text):
    assert not voice_of(text).shouting


@pytest.mark.parametrize(
    "text",
    ["oh great, another bill", "yeah right", "thanks for nothing", "nice \U0001f644", "love it /s"],
)
def test_sarcasm_is_marked(text):
    assert voice_of(text).ironic


@pytest.mark.parametrize("text", ["this is great", "you are right", "thanks for everything"])
def test_plain_praise_is_not(text):
    assert not voice_of(text).ironic


@given(st.text())
def test_any_text_is_read(text):
    voice = voice_of(text)
    assert -0.3 <= voice.push <= 0.3
    once = spelled_out(text, english=False)
    assert len(once) <= 60 * max(1, len(text))
    assert spelled_out(text) is not None
