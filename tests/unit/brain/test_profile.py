"""What counts as a statement about oneself, and, longer, what does not."""

from datetime import UTC, date, datetime
from importlib import resources
from time import thread_time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.domain.language import LANGUAGES, detect
from brain.domain.profile import KINDS, MOST_CHARS, extract, forgetting

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DATA = yaml.safe_load(
    (resources.files("brain.domain") / "data" / "profile.yaml").read_text(encoding="utf-8")
)


def stated(text, language=None, at=MONDAY):
    """Facts in the notation of the data file's examples."""
    return sorted(map(shown, extract(text, source_id="m", at=at, language=language)))


def shown(fact):
    days = f"@{fact.on}" if fact.on else ""
    days += f"/{fact.until}" if fact.until != fact.on else ""
    return f"{'-' if fact.denied else ''}{fact.key}={fact.value}{days}"


EXAMPLES = [
    pytest.param(language, text, wanted, id=f"{language}: {text}")
    for language, part in DATA["languages"].items()
    for rule in part["facts"]
    for text, wanted in rule["examples"].items()
]
REQUESTS = [
    pytest.param(text, rule["scope"], id=text)
    for part in DATA["languages"].values()
    for rule in part["forget"]
    for text in rule["examples"]
]


@pytest.mark.parametrize(("language", "text", "wanted"), EXAMPLES)
def test_every_pattern_reads_its_own_examples(language, text, wanted):
    expected = sorted(part.strip() for part in wanted.split(";"))
    assert stated(text) == expected
    assert stated(text, language) == expected


@pytest.mark.parametrize(("text", "scope"), REQUESTS)
def test_every_request_to_forget_is_understood(text, scope):
    assert forgetting(text, None).scope == scope
    assert extract(text, source_id="m", at=MONDAY, language=None) == ()


def test_every_pattern_and_every_language_has_examples():
    assert set(DATA["languages"]) == set(LANGUAGES)
    for language, part in DATA["languages"].items():
        assert all(rule["examples"] for rule in (*part["facts"], *part["forget"]))
        kinds = {rule["kind"] for rule in part["facts"] if not rule.get("denies")}
        assert kinds == set(KINDS), language
        assert {rule["scope"] for rule in part["forget"]} == {"last", "topic", "everything"}


NOTHING = """
is your name Sarah?
What's your name?
her name is Sarah
his name is Tom and he works at Google
I'm tired
I'm at work
I'm so done
I'm Done
I'm done with this
Do I work at Google?
where do I work?
what if my name is Sarah
If I lived in Paris I would be happy
If I live in Paris next year I will be happy
I wish I lived in Spain
Imagine my name is Bob and I work at Google
My boss said "my name is Sarah"
He said my name is stupid
"I live in Leeds" is what he said
My name is Batman lol jk
I'm kidding, I work at NASA, just kidding
I'd like to work at Google
I want to live in Spain
I'm going to work for my dad
I work at night
I work from home
I live in fear
I live in constant pain
I live in the moment
I live in the area
I love you
I love it
I love the show
I like that
I like seeing this
something I love at restaurants
that's a band I like
the sub I enjoy will become divided
The dept I work in went there a few weeks ago
I hate myself
I hate my life
I hate everyone
I hate everything
I like your answer
I'd like to book a table
I would like some help
I like you more than u know
I'm 5 minutes away
I'm 34 weeks pregnant
I'm 100% sure
I'm 10 minutes late
I'm from work
my name is on the list
my name is misspelled on the form
My name is not important
my name is hard to pronounce
I'm a mess
I'm a bit tired
I'm a big fan
I'm not sure
I'm Irish
I'm Catholic
I'm OK
I'm ADHD
I'm free on Friday
I'm Team Edward
I have a cold
I have a question
I have no allergies
I have a friend with cancer
I got a bipolar vibe
I take care of my mother
I'm on my way
call me later
call me tomorrow
Call me ASAP
call me when you can
they call me crazy
he calls me names
my mom says hi
my sister is sick
my brother works at Google
My dad thinks I work at Google
I have an appointment
When is my surgery?
my surgery went well
My surgery was on Friday
Her surgery is on Friday
my favourite day is Friday?
Can you translate "I live in Paris"?
how do you say my name is Sarah in Spanish?
In the movie I work at a bank
In my dream I live in Paris
> My name is Sarah
do you speak Spanish?
Does he live in Leeds?
She said I work at the zoo
maybe I live in Leeds, who knows
I don't know if I like coffee
I feel like I live in hell
it's not like I work at Google
I work at Google, don't I?
My name is Sarah, right?
Do you like coffee?
who loves coffee
my email is [EMAIL]
my name is [NAME]
I work at [ADDRESS]
I'm alone
I'm dying
I want to die
My Daughter Is Sick
I AM SO TIRED
I AM TIRED OF THIS
my mom Monday said hi
I'm in love
thanks Sarah
Hi Tom, how are you?
Sarah works at Google
I moved to tears
my name is Sarah in the game
Should I take ibuprofen?
can I take metformin with alcohol?
is my daughter Emma's school open?
I need to reply in Spanish to my boss
¿Te llamas Ana?
¿Cómo te llamas?
Se llama Ana
Ella se llama Ana y vive en Madrid
Me llamó Samantha ayer
Mi jefe dice que trabajo en Google
Estoy cansada
Soy muy tímida
Soy la única que trabaja aquí
Si viviera en Madrid sería feliz
Si me llamo Ana qué pasa
Imagina que me llamo Pedro
En la película vivo en París
Me llamo Batman, es broma
¿Vivo en Madrid?
Me gustas
Me gusta que seas amable
Te amo mucho
Odio mi vida
Odio todo
El trabajo en Google es duro
Gracias por el trabajo de Melanie
Trabajo en casa
Vivo con miedo
Tengo hambre
Tengo una pregunta
Mi hermana está enferma
No sé si me gusta el café
Quiero vivir en España
dime la verdad
Mi cirugía fue el viernes
Su cirugía es el viernes
"Me llamo Ana"
Você se chama Ana?
Qual é o seu nome?
Ela se chama Ana
Ela mora em Lisboa
Meu chefe disse que trabalho no Google
Estou cansada
Sou muito tímida
Se eu morasse em Lisboa seria feliz
Imagine que me chamo Pedro
No filme moro em Paris
Meu nome é Batman, brincadeira
Gosto de você
Te amo muito
Odeio minha vida
Odeio todo mundo
Eu odeio essa parte
O trabalho na empresa é duro
Trabalho em casa
Vivo em paz
Tenho fome
Minha irmã está doente
Não sei se gosto de café
Quero morar em Portugal
Minha cirurgia foi na sexta
me chama mais tarde
tumhara naam kya hai
mera naam kya hai
uska naam Sara hai
kya mera naam Sara hai?
main thak gaya hoon
main theek hoon
main ghar mein rehta hoon
main kahan kaam karta hoon?
meri behen bimar hai
mujhe neend nahi aati
mujhe tum pasand ho
agar main Delhi mein rehta hoon to kya
wo Delhi mein rehta hai
usne kaha main Delhi mein rehta hoon
mujhe zindagi se nafrat hai
mujhe baad mein bulao
तुम्हारा नाम क्या है?
मेरा नाम क्या है?
उसका नाम सारा है
क्या मेरा नाम सारा है?
मैं थक गया हूँ
मैं ठीक हूँ
मैं घर में रहता हूँ
मैं कहाँ काम करता हूँ?
मेरी बहन बीमार है
मुझे नींद नहीं आती
अगर मैं दिल्ली में रहता हूँ तो क्या
वह दिल्ली में रहता है
उसने कहा मैं दिल्ली में रहता हूँ
मुझे ज़िंदगी से नफरत है
ما اسمك؟
ما اسمي؟
هل اسمي سارة؟
اسمها سارة
هو يعمل في شركة جوجل
أنا متعبة
أنا بخير
أنا في العمل
لو أعيش في دبي
قال إن اسمي سارة
أعمل في البيت
أعيش في خوف
أحبك
أحب أن أنام
أكره نفسي
أكره حياتي
أختي مريضة
أين أسكن؟
عندي سؤال
عندي صداع
تخيل أن اسمي علي
كان موعدي يوم الجمعة
أنا من قال ذلك
""".strip().splitlines()


@pytest.mark.parametrize("text", NOTHING)
def test_what_states_nothing_about_the_writer(text):
    assert stated(text) == []
    assert stated(text, detect(text)) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Hi! I'm Sarah, 34, a nurse from Leeds. My daughter Emma is 5. I love hiking!",
            ["family:daughter=Emma", "like=hiking", "name=Sarah"],
        ),
        (
            "my name is sarah i live in leeds and i work at tesco",
            ["employer=tesco", "home=leeds", "name=Sarah"],
        ),
        ("My name is [NAME] and I live in Leeds", ["home=Leeds"]),
        (
            "I work at Google. No wait, I don't work at Google any more.",
            ["-employer=Google", "employer=Google"],
        ),
        ("I don't work at Google any more, I work at Meta", ["-employer=Google", "employer=Meta"]),
        ("MY NAME IS SARAH", ["name=Sarah"]),
        ("my  name\tis   Sarah", ["name=Sarah"]),
        ("I\u2019m Sarah", ["name=Sarah"]),
        ("Je m'appelle Anne. My name is Anne-Marie O'Neil", ["name=Anne-Marie O'Neil"]),
        ("My name is Sarah\nI live in Leeds", ["home=Leeds", "name=Sarah"]),
        ("Me llamo Jose\u0301 y vivo en Me\u0301rida", ["home=M\u00e9rida", "name=Jos\u00e9"]),
        ("اسمي سَارَة وأعيش في دبي", ["home=دبي", "name=سَارَة"]),
    ],
)
def test_whole_messages(text, wanted):
    assert stated(text) == wanted


@pytest.mark.parametrize(
    ("text", "on", "until"),
    [
        ("My surgery is today", date(2026, 3, 2), date(2026, 3, 2)),
        ("My surgery is this Friday", date(2026, 3, 6), date(2026, 3, 6)),
        ("My surgery is on Monday", None, None),
        ("My surgery is next Friday", None, None),
        ("My surgery is next month", date(2026, 4, 1), date(2026, 4, 30)),
        ("My surgery is in two weeks", date(2026, 3, 16), date(2026, 3, 22)),
        ("My surgery is in 10 days", date(2026, 3, 12), date(2026, 3, 12)),
        ("My surgery is this weekend", date(2026, 3, 7), date(2026, 3, 8)),
        ("My surgery is on 1 March", date(2027, 3, 1), date(2027, 3, 1)),
        ("My surgery is on February 30", None, None),
        ("My surgery is on the 1st", date(2026, 4, 1), date(2026, 4, 1)),
        ("My surgery is on the 31st", date(2026, 3, 31), date(2026, 3, 31)),
        ("Mi cirugía es dentro de 3 días", date(2026, 3, 5), date(2026, 3, 5)),
        ("Minha cirurgia é depois de amanhã", date(2026, 3, 4), date(2026, 3, 4)),
        ("mera operation parso hai", date(2026, 3, 4), date(2026, 3, 4)),
        ("मेरा ऑपरेशन अगले हफ्ते है", date(2026, 3, 9), date(2026, 3, 15)),
        ("عمليتي بعد غد", date(2026, 3, 4), date(2026, 3, 4)),
    ],
)
def test_a_date_is_resolved_when_it_is_certain(text, on, until):
    (fact,) = extract(text, source_id="m", at=MONDAY, language=None)
    assert fact.kind == "event"
    assert (fact.on, fact.until) == (on, until)


def test_the_sentence_is_the_persons_own_and_holds_no_marker():
    text = "Hello. I'm Sarah, write me at [EMAIL]! I live in Leeds."
    name, home = extract(text, source_id="m7", at=MONDAY, language="en")
    assert name.sentence == "I'm Sarah, write me at …!"
    assert home.sentence == "I live in Leeds."
    assert (name.source_id, name.stated_at) == ("m7", MONDAY)


def test_a_long_sentence_is_cut_around_the_statement():
    text = "well " * 100 + "I live in Leeds " + "and so on " * 100
    (fact,) = extract(text, source_id="m", at=MONDAY, language="en")
    assert len(fact.sentence) <= MOST_CHARS
    assert "I live in Leeds" in fact.sentence


def test_a_known_language_keeps_its_neighbour_out():
    assert stated("Adoro os gatos", "pt") == ["like=gatos"]
    assert stated("Adoro los gatos", "es") == ["like=gatos"]


PIECES = st.sampled_from(
    [
        *NOTHING[:60],
        *(str(param.values[1]) for param in EXAMPLES[::7]),
        "[EMAIL]", "\u200d", "\n", "?", "'", '"', "मैं", "و", "I'm", "my", "i have", "🙂", "0" * 40,
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=12).map(" ".join)))
def test_any_text_is_read_and_what_comes_out_is_bounded(text):
    for fact in extract(text, source_id="m", at=MONDAY, language=None):
        assert fact.kind in KINDS
        assert fact.key.startswith(fact.kind)
        assert "[EMAIL]" not in fact.value + fact.sentence
        assert max(len(fact.key), len(fact.value), len(fact.sentence)) <= MOST_CHARS
        assert fact.value or fact.denied
    forgetting(text, None)


@pytest.mark.parametrize(
    "text",
    [
        "can you tell me what the weather is like today in the city ok",
        "I don't know what to do, everything feels so heavy right now.",
        "No sé qué hacer, todo me pesa mucho y estoy muy cansada hoy.",
        "لا أعرف ماذا أفعل، كل شيء ثقيل علي اليوم وأنا متعبة جدا جدا",
        "मुझे समझ नहीं आ रहा क्या करूँ, सब कुछ बहुत भारी लग रहा है आज",
    ],
)
def test_a_message_costs_little(text):
    # Measured 15 to 40 us on a busy two-core machine; the bound leaves room for a busier one.
    best = min(_seconds_for(text, 200) for _ in range(5)) / 200
    assert best < 120e-6


def test_the_longest_hostile_message_ends_soon():
    for piece in ("my my my ", "i have i have ", "mi mi ", "a ", "मैं में ", "انا انا "):
        assert _seconds_for(piece * 1_000, 1) < 1.0


def _seconds_for(text, times):
    extract("warm", source_id="m", at=MONDAY, language=None)
    begin = thread_time()
    for _ in range(times):
        extract(text, source_id="m", at=MONDAY, language=None)
        forgetting(text, None)
    return thread_time() - begin
