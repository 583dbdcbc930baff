"""What is typed wrongly is said like every error: in one line, with what to type next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import typer

from segeval.cli.console import notify
from segeval.cli.help import names_of
from segeval.cli.hints import hints_of, refusal

USAGE: Final = 2
UsageError: Final[Any] = typer.BadParameter.__base__  # it has no public name


@contextmanager
def in_one_line(ctx: Any, arguments: Sequence[str]) -> Iterator[None]:
    """Say what Typer cannot parse as one line, and exit 2."""
    try:
        yield
    except UsageError as error:
        if said := _wording(error, ctx, arguments):  # else the help was asked for, and is written
            notify(f"segeval: {said} (see {ctx.command_path} --help)")
        raise typer.Exit(USAGE) from None


def _wording(error: Any, ctx: Any, arguments: Sequence[str]) -> str:
    """Say what is wrong, and what may be meant."""
    if hasattr(error, "possibilities"):
        return _unknown(error.option_name, ctx, arguments)
    if hasattr(error, "param_type"):
        return _missing(error.param)
    if isinstance(error, typer.BadParameter):
        typed, _, _ = ctx.command.make_parser(ctx).parse_args(args=[*arguments])
        parameter: Any = error.param
        hint = hints_of(ctx.command)[parameter.name]
        return f"{names_of(parameter)[-1]} {refusal(typed[parameter.name], hint)}"
    if "extra argument" in error.message:
        _, extra, _ = ctx.command.make_parser(ctx).parse_args(args=[*arguments])
        return f"too many arguments: {' '.join(map(repr, extra))}"
    said: str = error.format_message().rstrip(".").replace(". Did you", "; did you")
    return said[:1].lower() + said[1:]


def _unknown(name: str, ctx: Any, arguments: Sequence[str]) -> str:
    """Name the commands that have an option, or what of this one is spelled most alike."""
    commands = getattr(ctx.find_root().command, "commands", {})
    having = [each for each, command in commands.items() if name in _options(command)]
    said = f"no such option: {name}"
    if having:
        said += f"; segeval {', '.join(having)} {'have' if having[1:] else 'has'} it"
    own = [*_options(ctx.command), *ctx.help_option_names]
    written = [name, *(f"-{word}" for word in arguments if re.match(r"-\w\w", word))]
    near = [each for word in written for each in get_close_matches(word, own, 1, 0.7)]
    near += [each for each in own if len(name) > 3 and each.startswith(name)]
    return f"{said}; did you mean {near[0]}?" if near else said


def _options(command: Any) -> list[str]:
    options = (each for each in command.params if each.param_type_name == "option")
    return [name for each in options for name in each.opts]


def _missing(parameter: Any) -> str:
    """Say what is missing as it would be typed, and what it means."""
    name = names_of(parameter)[0]
    typed = name if name == parameter.metavar else f"{name} {parameter.metavar}"
    meaning = parameter.help.rstrip(".")
    return f"missing {parameter.param_type_name} {typed}: {meaning[:1].lower()}{meaning[1:]}"
