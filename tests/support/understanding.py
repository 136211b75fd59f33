"""The shipped pipeline, loaded once per test run, and readings made by hand."""

from dataclasses import replace
from functools import cache

from brain.domain.analysis import Analysis, Risk
from brain.domain.turn import Pipeline
from brain.lab.analyse import load_pipeline

CALM = Risk(hold=0.01, block=0.0)


@cache
def shipped(*, fast: bool = False) -> Pipeline:
    """What the service runs, accurate tier or fast tier only."""
    return load_pipeline(fast=fast)


class Unable:
    """Raises whatever it is asked, with the text in the error."""

    def analyse(self, text, *, hurried=False):
        raise RuntimeError(text)

    def check(self, text):
        raise RuntimeError(text)


class Reads:
    """An analyser that always reads the same, whatever the text."""

    def __init__(self, **values):
        self._reading = replace(
            Analysis(0.0, 0.5, 0.2, ("neutral",), "statement", "model", language="en", risk=CALM),
            **values,
        )

    def analyse(self, text, *, hurried=False):
        return self._reading
