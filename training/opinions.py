"""What the fine-tuned encoders think of every English training text: the targets of distillation.

Mood is the mean of both encoders, which agree with readers better together than either alone;
emotions are the English one's.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from training import datasets, polyglot
from training.encoder import (
    EMOBANK_MEAN,
    EMOBANK_STD,
    Reader,
    encode,
    load_tokenizer,
    predict,
    teacher_folder,
)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of training.encoder")
    parser.add_argument(
        "--second", type=Path, help="folder of training.polyglot, once there is one"
    )
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    options = parser.parse_args()
    torch.set_num_threads(2)
    folder = teacher_folder()
    tokenizer = load_tokenizer(folder)
    model = Reader(folder)
    model.load_state_dict(torch.load(options.encoder / "encoder.pt", weights_only=True))
    second = polyglot.load(options.second) if options.second else None
    sets = {
        "emobank": datasets.emobank(options.data, "train"),
        "goemotions": datasets.go_emotions(options.data, "train"),
        "xed": datasets.xed(options.data, "en"),
        "brighter": datasets.brighter(options.data, "en", "train"),
        "emobank_dev": datasets.emobank(options.data, "dev"),
        "goemotions_dev": datasets.go_emotions(options.data, "dev"),
    }
    found = {}
    for name, rows in sets.items():
        ids = encode(tokenizer, rows.texts)
        mood = predict(model, ids, "emobank")
        if second is not None:
            other = polyglot.predict(*second, rows.texts, english=True)[:, polyglot.columns("vad")]
            mood = 0.5 * (mood + other * mood.std(0) / other.std(0))
        found[f"{name}_emobank"] = mood * EMOBANK_STD + EMOBANK_MEAN
        found[f"{name}_goemotions"] = predict(model, ids, "goemotions")
    np.savez(options.out, **{name: values.astype(np.float32) for name, values in found.items()})


if __name__ == "__main__":
    main()
