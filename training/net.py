"""A small net on the static sentence vector: what linear heads on it cannot say.

One hidden layer, all 31 English outputs at once, from the same targets as the linear heads.
"""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

HIDDEN = 384
EPOCHS, BATCH, RATE, DROPOUT, DECAY = 8, 256, 4e-3, 0.2, 0.02
GOLD_WEIGHT = 3.0
"""Of a row whose mood people rated, beside rows that only a teacher rated."""


def fit_net(
    vectors: np.ndarray, mood: np.ndarray, emotions: np.ndarray, rated: np.ndarray
) -> dict[str, np.ndarray]:
    """``hidden`` (inputs + 1, HIDDEN) and ``out`` (HIDDEN + 1, 31), a bias row below each.

    ``mood`` (rows, 3) on EmoBank's scale, ``emotions`` (rows, 28) from 0 to 1, ``rated`` (rows) says
    whose mood people rated. The first three outputs are mood on EmoBank's scale, the others logits.
    """
    torch.manual_seed(7)
    inputs = torch.from_numpy(vectors.astype(np.float32))
    centre, spread = inputs.mean(0), inputs.std(0) + 0.1 * inputs.std()
    middle, width = mood.mean(0), mood.std(0)
    wanted = torch.from_numpy(((mood - middle) / width).astype(np.float32))
    labels = torch.from_numpy(emotions.astype(np.float32))
    weight = 1.0 + (GOLD_WEIGHT - 1.0) * torch.from_numpy(rated.astype(np.float32))
    first, last = nn.Linear(inputs.shape[1], HIDDEN), nn.Linear(HIDDEN, 3 + labels.shape[1])
    net = nn.Sequential(first, nn.ReLU(), nn.Dropout(DROPOUT), last)
    adam = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * (len(inputs) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, RATE, total_steps=steps)
    for _ in tqdm(range(EPOCHS), desc="net"):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            found = net((inputs[rows] - centre) / spread)
            loss = _loss(found, wanted[rows], labels[rows], weight[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    scale = torch.ones(3 + labels.shape[1])
    shift = torch.zeros_like(scale)
    scale[:3], shift[:3] = torch.from_numpy(width).float(), torch.from_numpy(middle).float()
    with torch.no_grad():
        inner = (first.weight / spread).T
        hidden = torch.vstack([inner, first.bias - (centre / spread) @ first.weight.T])
        out = torch.vstack([last.weight.T * scale, last.bias * scale + shift])
    return {"hidden": hidden.numpy(), "out": out.numpy()}


def _loss(found: Tensor, wanted: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    mood = (weight[:, None] * (found[:, :3] - wanted) ** 2).mean()
    return mood + 10 * nn.functional.binary_cross_entropy_with_logits(found[:, 3:], labels)
