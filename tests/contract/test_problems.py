"""Every error that the sources can answer is in the table, and the table holds no other."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from outbound.domain import media
from outbound.http.media import _STATUS
from shared.contracts.problems import PROBLEMS

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
MAKERS = {"Problem": 0, "MediaUnavailableError": 0, "refused": None}
"""What makes one, and where its status stands; that of ``refused`` in ``shared/http/keys.py`` is 401."""


def made() -> Iterator[tuple[str, int]]:
    """Names and statuses that are written down in the sources."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if len(node.args) < 2:
                continue
            if node.func.id not in MAKERS or (node.func.id == "refused") > (path.name == "keys.py"):
                continue
            place = MAKERS[node.func.id]
            values = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
            slug, status = values[1], 401 if place is None else values[place]
            if isinstance(slug, str) and isinstance(status, int):
                yield slug, status


def test_the_table_is_what_the_sources_answer() -> None:
    found: dict[str, set[int]] = defaultdict(set)
    for slug, status in made():
        found[slug].add(status)
    # Their names and statuses are worked out: aiohttp's own refusals, and Meta's files.
    found["bad-request"].add(400)
    for reason in (media.GONE, media.TOO_LARGE, media.ALTERED, media.ELSEWHERE, media.REFUSED):
        found[reason.replace("_", "-")].add(_STATUS.get(reason, 502))
    assert {slug: set(meaning.statuses) for slug, meaning in PROBLEMS.items()} == dict(found)


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_error_says_what_it_means_and_what_to_do(slug: str) -> None:
    meaning = PROBLEMS[slug]
    assert meaning.means.endswith(".")
    assert meaning.do.endswith(".")
