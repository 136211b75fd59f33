"""One run of the command: its client, its output, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType

from humane_ai._client import HumaneClient
from humane_ai._errors import HumaneError
from humane_ai.cli.exits import DECLINED, EPILOG, USAGE, exit_code, sentence
from humane_ai.cli.showing import console, plain, table, wire, write_json

ApiKey = Annotated[
    str,
    typer.Option(
        envvar="HUMANE_API_KEY",
        help="hx_...; better in the environment, where no list of processes shows it.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str, typer.Option(envvar="HUMANE_BASE_URL", help="Address of the API.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")]


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    client: HumaneClient
    as_json: bool
    out: Console
    err: Console

    def show(self, value: Any, shown: RenderableType) -> None:
        """``value`` as JSON, else what a person reads."""
        if self.as_json:
            write_json(wire(value))
        else:
            self.out.print(shown)

    def rows(
        self,
        values: Iterable[Any],
        columns: Sequence[str],
        row: Callable[[Any], Sequence[object]],
        *,
        empty: str,
    ) -> None:
        """A table, a JSON array, or for a person what to do when there is nothing."""
        found = list(values)
        if self.as_json:
            write_json([wire(value) for value in found])
        elif found:
            self.out.print(table(columns, map(row, found)))
        else:
            self.hint(empty)

    def say(self, text: str) -> None:
        """A sentence to the person; nothing where a program listens."""
        if not self.as_json:
            self.out.print(text)

    def hint(self, text: str) -> None:
        """Beside the result: what to do next, what to keep."""
        self.err.print(text, soft_wrap=True)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what cannot be undone. Exits when the answer is no."""
        if yes:
            return
        if not sys.stdin.isatty():
            self.fail(f"{question} Say --yes to do it without being asked.", USAGE)
        if not typer.confirm(question, err=True):
            self.fail("Nothing was done.", DECLINED)

    def fail(self, text: str, code: int = DECLINED) -> NoReturn:
        """One plain line, and out."""
        self.err.print(plain(text), soft_wrap=True)
        raise typer.Exit(code)


def secret(name: str, variable: str) -> str:
    """A secret from the environment, a hidden prompt, or a line of standard input; never of argv."""
    given = os.environ.get(variable)
    if given is None:
        if sys.stdin.isatty():
            given = str(typer.prompt(name, hide_input=True, err=True))
        else:
            given = sys.stdin.readline()
    if not given.strip():
        raise typer.BadParameter(
            f"{name} is missing: set {variable}, or give it as a line of input."
        )
    return given.strip()


def text_of(argument: str) -> str:
    """The argument; ``-`` reads standard input."""
    return sys.stdin.read() if argument == "-" else argument


def group(help_text: str) -> typer.Typer:
    """A set of commands."""
    return typer.Typer(help=help_text, no_args_is_help=True, pretty_exceptions_enable=False)


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command: it gets a Session, and the options that all commands have."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(signature(function, eval_str=True).parameters.values())[1:]

        def run(*, api_key: str, base_url: str, as_json: bool, **arguments: Any) -> None:
            _run(function, api_key, base_url, as_json=as_json, arguments=arguments)

        parameters = [
            *(item.replace(kind=Parameter.KEYWORD_ONLY) for item in own),
            *(
                Parameter(key, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
                for key, hint, default in (
                    ("api_key", ApiKey, ""),
                    ("base_url", BaseUrl, ""),
                    ("as_json", AsJson, False),
                )
            ),
        ]
        run.__doc__ = function.__doc__
        run.__annotations__ = {item.name: item.annotation for item in parameters}
        run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        app.command(name, epilog=EPILOG)(run)
        return function

    return register


def _run(
    function: Callable[..., None],
    api_key: str,
    base_url: str,
    *,
    as_json: bool,
    arguments: dict[str, Any],
) -> None:
    out, err = console(), console(stderr=True)
    if not api_key.strip():
        err.print("No API key: set HUMANE_API_KEY, or give --api-key.", soft_wrap=True)
        raise typer.Exit(USAGE)
    try:
        with HumaneClient(api_key, base_url or None) as client:
            function(Session(client, as_json, out, err), **arguments)
    except HumaneError as error:
        err.print(plain(sentence(error)), soft_wrap=True)
        raise typer.Exit(exit_code(error)) from None
