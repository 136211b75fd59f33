"""What every training run shares: the rate's schedule, resuming, and a log beside the weights."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

LEAST_RATE = 0.02
"""The rate falls linearly to this share of its top."""


def warmed_up(
    adam: torch.optim.Optimizer, steps: int, warm_share: float
) -> torch.optim.lr_scheduler.LambdaLR:
    """Rises over the first ``warm_share`` of ``steps``, then falls linearly."""
    warm = max(1, int(warm_share * steps))
    return torch.optim.lr_scheduler.LambdaLR(
        adam,
        lambda step: min((step + 1) / warm, max(LEAST_RATE, (steps - step) / (steps - warm))),
    )


@dataclass
class Run:
    """One model in training; ``folder`` keeps ``checkpoint.pt`` and ``log.jsonl``."""

    folder: Path
    model: nn.Module
    adam: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR

    def step(self, loss: torch.Tensor) -> None:
        """Learn from one batch."""
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.schedule.step()
        self.adam.zero_grad(set_to_none=True)

    def resume(self) -> int:
        """How many epochs an earlier run finished, with its state restored; 0 without one."""
        checkpoint = self.folder / "checkpoint.pt"
        if not checkpoint.exists():
            return 0
        state = torch.load(checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.adam.load_state_dict(state["adam"])
        self.schedule.load_state_dict(state["schedule"])
        finished: int = state["epoch"]
        return finished

    def finish_epoch(self, epoch: int, scores: dict[str, float]) -> None:
        """Say and log the scores of ``epoch`` (from 1) and keep the state after it."""
        line = json.dumps({"epoch": epoch, **scores})
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        state = {
            "model": self.model.state_dict(),
            "adam": self.adam.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": epoch,
        }
        torch.save(state, self.folder / "checkpoint.pt")
