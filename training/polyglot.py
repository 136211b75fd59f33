"""Fine-tune one small multilingual encoder for everything: mood, emotions and safety.

The lower layers of multilingual-e5-small over the word pieces that six languages use. Targets are
one row of ``OUTPUTS`` columns with NaN where a data set says nothing; English texts also learn from
the opinions of the fine-tuned MiniLM (``training.encoder``). Authored safety messages come with
fresh rough copies in every epoch. Resumable after every epoch.
"""

import argparse
import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm
from transformers import BertConfig, BertModel

from brain.adapters.models.outputs import CATEGORIES, GO_EMOTIONS
from brain.domain.voice import spelled_out
from training import checkpoints, datasets, e5, hinglish, seeds
from training.encoder import EMOBANK_MEAN, EMOBANK_STD, cross_fitted_f1, pearson_loss

PIECES = 24_000
LAYERS = (0, 1, 2, 3, 4, 5)
MAX_TOKENS = 96
GROUPS = {
    "vad": 3, "goemotions": len(GO_EMOTIONS), "xed": len(datasets.PLUTCHIK),
    "brighter": len(datasets.BRIGHTER), "polarity": 1, "safety": len(seeds.SAFETY),
}  # fmt: skip
OUTPUTS = sum(GROUPS.values())
STARTS = dict(zip(GROUPS, np.cumsum([0, *GROUPS.values()])[:-1].tolist(), strict=True))
WEIGHTS = {"goemotions": 10.0, "xed": 2.0, "brighter": 3.0, "safety": 8.0}
JOINED = 0.2
LANGUAGES = ("es", "pt", "hi", "ar")
_RISKY = re.compile(
    r"kill|suicid|murder|shoot|stab|rape|die\b|dead|death|hang|bomb|gun|knife|hurt|beat|gas the|lynch|"
    r"muer|mat[aeo]|suicíd|morr|मर|मार|हत्या|موت|قتل|انتحار|اقتل",
    re.IGNORECASE,
)


def columns(group: str) -> slice:
    """Where a group of outputs stands."""
    return slice(STARTS[group], STARTS[group] + GROUPS[group])


class Polyglot(nn.Module):
    """Encoder, mean pooling, one shared layer, one linear layer to all outputs."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.shared = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(width, width), nn.GELU(), nn.Dropout(0.1)
        )
        self.head = nn.Linear(width, OUTPUTS)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(batch, OUTPUTS): z-scores for vad, -1..1 for polarity, logits elsewhere."""
        states = self.encoder(ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        return self.head(self.shared(pooled))


@dataclass
class Part:
    """Texts of one language and their (n, OUTPUTS) targets; ``repeats`` per epoch."""

    texts: list[str]
    targets: np.ndarray
    repeats: float
    english: bool
    rough: bool = False


def _blank(count: int) -> np.ndarray:
    return np.full((count, OUTPUTS), np.nan, dtype=np.float32)


def is_alarming(text: str) -> bool:
    """Whether a text holds a word that speaks of danger, rightly or not."""
    return _RISKY.search(text) is not None


def _harmless(targets: np.ndarray, texts: list[str]) -> None:
    """Public texts without an alarming word are examples of PROCEED."""
    quiet = np.array([not is_alarming(text) for text in texts])
    targets[quiet, columns("safety")] = 0.0


def english_parts(data: Path, opinions: dict[str, np.ndarray]) -> list[Part]:
    """The four English sets with gold labels and the teacher's opinions."""
    mean, std = np.array(EMOBANK_MEAN), np.array(EMOBANK_STD)
    sets = {
        "emobank": (datasets.emobank(data, "train"), 2.0),
        "goemotions": (datasets.go_emotions(data, "train"), 1.0),
        "xed": (datasets.xed(data, "en"), 0.5),
        "brighter": (datasets.brighter(data, "en", "train"), 1.0),
    }
    parts = []
    for name, (rows, repeats) in sets.items():
        targets = _blank(len(rows))
        vad = (opinions[f"{name}_emobank"] - mean) / std
        emotions = 1 / (1 + np.exp(-opinions[f"{name}_goemotions"]))
        if name == "emobank":
            vad = 0.3 * vad + 0.7 * (rows.targets - mean) / std
        if name == "goemotions":
            emotions = 0.3 * emotions + 0.7 * rows.targets
            _harmless(targets, rows.texts)
        targets[:, columns("vad")] = vad
        targets[:, columns("goemotions")] = emotions
        if name in {"xed", "brighter"}:
            targets[:, columns(name)] = rows.targets
            polarity = datasets.polarity_of_xed if name == "xed" else datasets.polarity_of_brighter
            targets[:, STARTS["polarity"]] = polarity(rows.targets)
        parts.append(Part(rows.texts, targets, repeats, english=True))
    return parts


def other_parts(data: Path) -> list[Part]:
    """BRIGHTER and XED in the other languages."""
    parts = []
    for language in LANGUAGES:
        rows = datasets.brighter(data, language, "train")
        targets = _blank(len(rows))
        targets[:, columns("brighter")] = rows.targets
        targets[:, STARTS["polarity"]] = datasets.polarity_of_brighter(rows.targets)
        _harmless(targets, rows.texts)
        parts.append(Part(rows.texts, targets, 1.5, english=False))
        if language == "hi":
            rng = random.Random(7)
            parts.append(
                Part(
                    [hinglish.latin(text, rng) for text in rows.texts], targets, 1.0, english=False
                )
            )
        if language not in datasets.XED_FILES:
            continue
        rows = datasets.xed(data, language)
        targets = _blank(len(rows))
        targets[:, columns("xed")] = rows.targets
        targets[:, STARTS["polarity"]] = datasets.polarity_of_xed(rows.targets)
        _harmless(targets, rows.texts)
        parts.append(Part(rows.texts, targets, 0.4, english=False))
    return parts


def safety_parts(data: Path, repeats: float) -> list[Part]:
    """What the authors to learn from wrote, and HateCheck's cases."""
    parts = []
    rows = [seed for seed in seeds.load(seeds.TAUGHT) if not seed.tunes]
    for english in (True, False):
        some = [seed for seed in rows if (seed.language == "en") == english]
        targets = _blank(len(some))
        for place, seed in enumerate(some):
            targets[place, columns("safety")] = seeds.target(seed)
        parts.append(Part([seed.whole for seed in some], targets, repeats, english, rough=True))
    for path in sorted((data / "safety").glob("hatecheck-*.csv")):
        cases = datasets.hate_cases(path)
        targets = _blank(len(cases))
        for place, (_, hateful, threat) in enumerate(cases):
            row = np.zeros(GROUPS["safety"], dtype=np.float32)
            row[[0, 3 + CATEGORIES.index("hate")]] = hateful
            row[1] = threat
            targets[place, columns("safety")] = row
        parts.append(Part([case[0] for case in cases], targets, 0.5, path.stem.endswith("-en")))
    return parts


def loss_of(found: Tensor, wanted: Tensor) -> Tensor:
    """Sum over the groups that this batch knows."""
    known = ~torch.isnan(wanted)
    filled = torch.nan_to_num(wanted)
    total = found.sum() * 0.0
    for group in GROUPS:
        part = columns(group)
        mask = known[:, part]
        count = mask.sum()
        if not count:
            continue
        if group in WEIGHTS:
            cells = nn.functional.binary_cross_entropy_with_logits(
                found[:, part], filled[:, part], reduction="none"
            )
            share = count / mask.numel()
            total = total + WEIGHTS[group] * share * (cells * mask).sum() / count
            continue
        rows = mask.all(dim=1)
        share = rows.float().mean()
        one, other = found[rows][:, part], filled[rows][:, part]
        scale = 4.0 if group == "polarity" else 2.0
        total = total + share * scale * nn.functional.mse_loss(one, other)
        if int(rows.sum()) >= 8:
            total = total + share * 2.0 * pearson_loss(one, other)
    return total


def spelled(part: Part) -> list[str]:
    """The texts as the model reads them."""
    return [spelled_out(text, english=part.english) for text in part.texts]


def rough_copies(part: Part, rng: random.Random) -> tuple[list[str], np.ndarray]:
    """Each text as somebody else might type it, one in five together with another of the part.

    Two messages in one are as dangerous as the worse of them.
    """
    texts, targets = [], part.targets.copy()
    for place, text in enumerate(part.texts):
        copy = seeds.rough(text, rng)
        if rng.random() < JOINED:
            other = rng.randrange(len(part.texts))
            pair = [copy, seeds.rough(part.texts[other], rng)]
            rng.shuffle(pair)
            copy = rng.choice((". ", " ", "\n", ", ")).join(pair)
            targets[place] = np.maximum(targets[place], part.targets[other])
        texts.append(spelled_out(copy, english=part.english))
    return texts, targets


def epoch_of(
    parts: list[Part], tokenizer: Tokenizer, cache: dict[int, list[list[int]]], rng: random.Random
) -> list[tuple[list[int], np.ndarray]]:
    """(token ids, targets) of every row of an epoch."""
    rows: list[tuple[list[int], np.ndarray]] = []
    for number, part in enumerate(parts):
        whole, rest = int(part.repeats), part.repeats - int(part.repeats)
        for turn in range(whole + (rest > 0)):
            targets = part.targets
            if part.rough:
                copies, targets = rough_copies(part, rng)
                ids = [item.ids for item in tokenizer.encode_batch(copies)]
            else:
                if number not in cache:
                    cache[number] = [item.ids for item in tokenizer.encode_batch(spelled(part))]
                ids = cache[number]
            chosen = (
                range(len(ids))
                if turn < whole
                else rng.sample(range(len(ids)), int(rest * len(ids)))
            )
            rows += [(ids[i], targets[i]) for i in chosen]
    return rows


def batches_of(
    rows: list[tuple[list[int], np.ndarray]], size: int, rng: random.Random
) -> list[list[int]]:
    """Row numbers; rows of like length together."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    found = []
    for start in range(0, len(order), size * 40):
        window = sorted(order[start : start + size * 40], key=lambda i: len(rows[i][0]))
        found += [window[i : i + size] for i in range(0, len(window), size)]
    rng.shuffle(found)
    return found


def padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """(ids, mask), padded with piece 1."""
    longest = max(map(len, rows))
    ids = torch.ones(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return ids, mask


@torch.inference_mode()
def predict(
    model: Polyglot, tokenizer: Tokenizer, texts: list[str], *, english: bool, size: int = 64
) -> np.ndarray:
    """(texts, OUTPUTS)."""
    model.eval()
    rows = [
        item.ids
        for item in tokenizer.encode_batch([spelled_out(t, english=english) for t in texts])
    ]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    result = np.zeros((len(rows), OUTPUTS), dtype=np.float32)
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        with torch.autocast("cpu", torch.bfloat16):
            result[batch] = model(*padded([rows[i] for i in batch])).float().numpy()
    return result


def measure(
    model: Polyglot, data: Path, tokenizer: Tokenizer, *, english: bool, others: bool
) -> dict[str, float]:
    """Dev figures. Safety: recall of HOLD and BLOCK at 5 % false alarms, on templates left out."""
    scores: dict[str, float] = {}
    if english:
        bank, go = datasets.emobank(data, "dev"), datasets.go_emotions(data, "dev")
        found = predict(model, tokenizer, bank.texts, english=True)[:, columns("vad")]
        for i, name in enumerate("VAD"):
            scores[f"r_{name}"] = float(np.corrcoef(found[:, i], bank.targets[:, i])[0, 1])
        logits = predict(model, tokenizer, go.texts, english=True)[:, columns("goemotions")]
        scores["macro_f1"] = cross_fitted_f1(logits, go.targets)
    for language in LANGUAGES if others else ():
        rows = datasets.brighter(data, language, "dev")
        polarity = predict(model, tokenizer, rows.texts, english=False)[:, STARTS["polarity"]]
        wanted = datasets.polarity_of_brighter(rows.targets)
        scores[f"r_V_{language}"] = float(np.corrcoef(polarity, wanted)[0, 1])
    tuning = [
        s
        for s in seeds.load(seeds.TAUGHT)
        if s.tunes and (english if s.language == "en" else others)
    ]
    logits = [
        predict(model, tokenizer, [s.whole], english=s.language == "en")[0, STARTS["safety"]]
        for s in tuning
    ]
    risk, bad = np.array(logits), np.array([s.action != "PROCEED" for s in tuning])
    scores["safety_recall"] = float((risk[bad] > np.quantile(risk[~bad], 0.95)).mean())
    return scores | {"safety_rows": len(tuning)}


def load(folder: Path, checkpoint: str = "polyglot.pt") -> tuple[Polyglot, Tokenizer]:
    """A fine-tuned encoder and its tokeniser."""
    state = torch.load(folder / checkpoint, weights_only=True)
    state = state.get("model", state)
    words = state["encoder.embeddings.word_embeddings.weight"]
    layers = 1 + max(
        int(name.split(".")[3]) for name in state if name.startswith("encoder.encoder.layer.")
    )
    inner = state["encoder.encoder.layer.0.intermediate.dense.weight"].shape[0]
    config = BertConfig(
        vocab_size=words.shape[0], hidden_size=words.shape[1], num_hidden_layers=layers,
        num_attention_heads=words.shape[1] // 32, intermediate_size=inner, layer_norm_eps=1e-12,
        max_position_embeddings=MAX_TOKENS, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    model = Polyglot(BertModel(config, add_pooling_layer=False))
    model.load_state_dict(state)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    return model, tokenizer


def prepare(out: Path, parts: list[Part]) -> tuple[Polyglot, Tokenizer]:
    """The untrained model and its tokeniser, which is written to ``out``."""
    base = e5.load()
    texts = [text for part in parts for text in spelled(part)]
    kept = e5.used_pieces(base, texts, PIECES)
    tokenizer = e5.tokenizer_of([base.pieces[i] for i in kept], [base.scores[i] for i in kept])
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.save(str(out / "tokenizer.json"))
    return Polyglot(e5.small_model(base, kept, LAYERS, MAX_TOKENS)), tokenizer


def parts_of(options: argparse.Namespace) -> list[Part]:
    """All public data, each set as often in an epoch as the options say."""
    mood, *english = english_parts(options.data, dict(np.load(options.teacher)))
    others = other_parts(options.data)
    scaled = [
        replace(mood, repeats=options.mood_repeats),
        *(replace(part, repeats=part.repeats * options.english_share) for part in english),
        *(replace(part, repeats=part.repeats * options.other_share) for part in others),
    ]
    return [part for part in scaled if part.repeats]


def spoken_here(part: Part, options: argparse.Namespace) -> bool:
    """Whether the model that is being trained reads the language of ``part`` at all."""
    return bool(options.english_share if part.english else options.other_share)


def optimiser(model: Polyglot, rate: float) -> torch.optim.AdamW:
    """Lower layers learn more slowly."""
    groups = [
        {"params": [*model.shared.parameters(), *model.head.parameters()], "lr": rate * 5},
        {"params": [*model.encoder.embeddings.parameters()], "lr": rate * 0.5},
    ]
    groups += [
        {"params": [*layer.parameters()], "lr": rate * 0.9**depth}
        for depth, layer in enumerate(reversed(model.encoder.encoder.layer))
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def train(options: argparse.Namespace) -> None:
    """Train, checkpoint after each epoch, keep the log beside the weights."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    fixed = parts_of(options)
    authored = [
        part
        for part in safety_parts(options.data, options.safety_repeats)
        if spoken_here(part, options)
    ]
    if options.start:
        model, tokenizer = load(options.start)
        tokenizer.save(str(out / "tokenizer.json"))
    else:
        model, tokenizer = prepare(out, [*fixed, *authored])
    adam = optimiser(model, options.rate)
    cache: dict[int, list[list[int]]] = {}
    first_rows = epoch_of([*fixed, *authored], tokenizer, cache, random.Random(0))
    total = int(len(first_rows) // options.batch * options.epochs * 1.03)
    run = checkpoints.Run(out, model, adam, checkpoints.warmed_up(adam, total, 0.05))
    first = 0 if options.fresh else run.resume()
    for epoch in range(first, options.epochs):
        rng = random.Random(options.seed * 1000 + epoch)
        torch.manual_seed(options.seed * 1000 + epoch)
        rows = epoch_of([*fixed, *authored], tokenizer, cache, rng)
        one_epoch(run, model, rows, options, f"epoch {epoch + 1}/{options.epochs}", rng)
        measured = measure(
            model,
            options.data,
            tokenizer,
            english=bool(options.english_share),
            others=bool(options.other_share),
        )
        run.finish_epoch(epoch + 1, measured)
    torch.save(model.state_dict(), out / "polyglot.pt")


def one_epoch(
    run: checkpoints.Run,
    model: Polyglot,
    rows: list[tuple[list[int], np.ndarray]],
    options: argparse.Namespace,
    name: str,
    rng: random.Random,
) -> None:
    """Show the model every row once."""
    model.train()
    bar = tqdm(batches_of(rows, options.batch, rng), desc=name, mininterval=20)
    running = None
    for batch in bar:
        ids, mask = padded([rows[i][0] for i in batch])
        with torch.autocast("cpu", torch.bfloat16):
            found = model(ids, mask)
        loss = loss_of(found.float(), torch.from_numpy(np.stack([rows[i][1] for i in batch])))
        run.step(loss)
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        bar.set_postfix(loss=f"{running:.3f}", refresh=False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, required=True, help="opinions.npz of training.opinions"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="go on from the encoder of this folder")
    parser.add_argument(
        "--english-share", type=float, default=1.0, help="of the English data, EmoBank apart"
    )
    parser.add_argument(
        "--other-share", type=float, default=1.0, help="of the other languages' data; 0: left out"
    )
    parser.add_argument(
        "--mood-repeats", type=float, default=2.0, help="how often an epoch shows EmoBank"
    )
    parser.add_argument(
        "--safety-repeats",
        type=float,
        default=8.0,
        help="how often an epoch shows authored messages",
    )
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=2e-4, help="of the top layer")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
