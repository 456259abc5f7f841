"""The command line's options, shared by `charrnn train` and the workbench. No torch here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, get_args

from charrnn.config import Cell, Device, Optimiser, Precision, SamplingOfText, Tokens, UsageError
from charrnn.engine.messages import RunRequest
from charrnn.presets import MAX_VOCABULARY, PRESETS, range_problem, read_settings

TARGET_HELP = (
    "a text file, a folder or 'glob' of them (.gz .bz2 .xz .zst are unpacked), an http(s) address, - for standard "
    "input, a built-in corpus (python-docs, python-source), or a run's name or folder; nothing: python-docs"
)


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help lists what there is\n")


class _ListPresets(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        for name, words in PRESETS.items():
            print(f"{name:10} {words}")
        parser.exit(0)


def _number(name: str, kind: Callable[[str], int | float]) -> Callable[[str], int | float]:
    def convert(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            word = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {word}") from None
        problem = range_problem(name, value)
        if problem:
            raise argparse.ArgumentTypeError(problem)
        return value

    return convert


def add_number(
    group: Any, name: str, kind: Callable[[str], int | float], metavar: str, words: str, ranged: str | None = None
) -> None:
    """An option `--name` that takes a number, in the range of the setting `ranged` (default: `name`)."""
    convert = _number(ranged or name, kind)
    group.add_argument(f"--{name.replace('_', '-')}", dest=name, type=convert, metavar=metavar, help=words)


def add_knobs(parser: argparse.ArgumentParser) -> None:
    """The options that choose the next character; `sample` and the live stream share them."""
    group = parser.add_argument_group("how the next character is chosen")
    group.add_argument("--prime", metavar="TEXT", help="what the text starts with")
    add_number(group, "temperature", float, "T", "divides the logits: below 1 is safer, above 1 wilder (default 0.8)")
    add_number(group, "top_k", int, "K", "only the K likeliest; 0 for all (default)")
    add_number(group, "top_p", float, "P", "only the likeliest that make up P; 1 for all (default)")
    add_number(group, "min_p", float, "P", "only those P times as likely as the likeliest; 0 for all (default)")
    group.add_argument("--greedy", action="store_const", const=True, help="always the likeliest")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Everything a run can be told, for `charrnn train` and the workbench."""
    parser.add_argument("target", nargs="?", default="", metavar="TARGET", help=TARGET_HELP)
    parser.add_argument("--preset", choices=list(PRESETS), help="what the rest defaults to (default auto)")
    parser.add_argument("--list-presets", action=_ListPresets, nargs=0, help="explain each preset")

    text = parser.add_argument_group("the text")
    text.add_argument(
        "--tokens",
        choices=get_args(Tokens),
        help="the corpus's own characters (default), string.printable, the bytes of UTF-8, or words",
    )
    words = f"the most words and characters that --tokens word knows (default {MAX_VOCABULARY}); the rest is spelled"
    add_number(text, "max_vocabulary", int, "N", words)
    text.add_argument(
        "--encoding", metavar="NAME", help="what the text is encoded in, such as utf-16 or cp1251 (default auto)"
    )
    text.add_argument("--ascii", action="store_const", const=True, help="fold to ASCII, squeeze runs of spaces")
    add_number(text, "validation", float, "F", "the last F of the corpus is held out (default 0.1)")
    text.add_argument(
        "--sampling-of-text",
        dest="sampling_of_text",
        choices=get_args(SamplingOfText),
        help="stateful streams; random portions; or portions that begin at a random line, or at a random sentence: "
        "after . ! or ? and a space, or after an empty line",
    )

    model = parser.add_argument_group("the model")
    model.add_argument("--cell", choices=get_args(Cell), help="the recurrent cell")
    add_number(model, "hidden", int, "N", "units in a layer")
    add_number(model, "layers", int, "N", "recurrent layers")
    add_number(model, "embedding", int, "N", "size of a token's vector; 0 feeds one-hot vectors")
    add_number(model, "dropout", float, "P", "share of every layer's output that is dropped while it learns")
    model.add_argument(
        "--residual", action="store_const", const=True, help="add each layer to what it read; mingru always does"
    )
    model.add_argument("--tie", action="store_const", const=True, help="the embedding is the output's weights too")

    training = parser.add_argument_group("training")
    add_number(training, "batch", int, "N", "streams or portions in a step, of all processes together")
    add_number(training, "length", int, "N", "characters (or other tokens) of each in a step")
    add_number(training, "noise", float, "P", "share of what is read that is replaced by other characters; 0 for none")
    training.add_argument("--optimiser", choices=get_args(Optimiser), help="Adam, or Muon for the matrices inside")
    add_number(training, "lr", float, "RATE", "the learning rate")
    add_number(training, "warmup", int, "STEPS", "over which the learning rate rises to its stable value; 0 for none")
    add_number(
        training, "cooldown", float, "F", "share of --steps or --minutes in which it falls to its end; 0 for none"
    )
    add_number(training, "average", float, "DECAY", "evaluate, sample and save averaged weights; 0 for none, or 0.999")
    add_number(training, "patience", int, "N", "stop after N evaluations without a better one; 0 for never")
    training.add_argument(
        "--precision", choices=get_args(Precision), help="auto: bfloat16 where GPU and cell bear it, else float32"
    )
    add_number(training, "clip", float, "NORM", "largest gradient norm; 0 clips nothing")
    add_number(training, "weight_decay", float, "W", "decoupled weight decay")
    add_number(training, "seed", int, "N", "of weights, batches and the stream (default 1)")
    add_number(training, "steps", int, "N", "stop after so many")
    add_number(training, "minutes", float, "M", "stop after so much training")
    add_number(training, "evaluate_every", int, "N", "steps between held-out losses; 0 for never")
    add_number(training, "sample_every", int, "N", "steps between samples of `charrnn train`; 0 for never")
    training.add_argument("--device", choices=get_args(Device), help="where to train (default auto)")
    add_number(training, "threads", int, "N", "torch threads of the trainer (default all cores)")

    add_knobs(parser)
    place = parser.add_argument_group("the run")
    words = "seconds between checkpoints (default 60); 0 for only the best, on request and at the end"
    add_number(place, "save_every", float, "SECONDS", words)
    words = "earlier weights kept for looking back (charrnn travel), in 200 MB at most (default 50); 0 for none"
    add_number(place, "milestones", int, "N", words)
    add_number(place, "pace", float, "N", "characters a second of the live stream (default 30)")
    place.add_argument("--run", metavar="NAME-OR-FOLDER", help="where the run lives (default: a new name)")
    place.add_argument("--runs-folder", metavar="FOLDER", help="where runs live (default: the user's data folder)")
    words = "end so long after the last step, if nobody is attached; 0 at once (default: charrnn-tui 10, train 0)"
    add_number(place, "linger", float, "MINUTES", words)
    place.add_argument("--config", metavar="FILE.toml", help="the same settings; the command line wins")
    place.add_argument(
        "--accept-new-corpus",
        action="store_true",
        help="a run whose text has changed goes on with the text as it is now, if its model knows all the characters",
    )


_NOT_SETTINGS = {"target", "run", "runs_folder", "config", "command", "run_command", "list_presets"} | {
    "linger",
    "attach",
    "accept_new_corpus",
    "replay",
}


def request_of(arguments: argparse.Namespace, *, train: bool = True) -> RunRequest:
    """What was typed, as a request to an engine; reads standard input if TARGET is `-`. Raises UsageError.

    `train` False: a run that exists waits until it is asked to train on.
    """
    options = read_settings(Path(arguments.config)) if arguments.config else {}
    for name, value in vars(arguments).items():
        if value is not None and name not in _NOT_SETTINGS:
            options[name] = value
    stdin_file = None
    if arguments.target == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "- reads the corpus from standard input, but nothing is piped in; try cat FILE | charrnn train -"
            )
        from charrnn.text.cache import keep_piped  # every other start need not wait for what it needs

        stdin_file = keep_piped(sys.stdin.buffer)
    return RunRequest(
        target=arguments.target,
        stdin_file=stdin_file,
        run=arguments.run,
        runs_folder=str(Path(arguments.runs_folder).expanduser().absolute()) if arguments.runs_folder else None,
        options=options,
        train=train,
        linger=arguments.linger,
        accept_new_corpus=arguments.accept_new_corpus,
        replay=getattr(arguments, "replay", False),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the workbench was asked for.

    `attach_only`: a live run, and nothing is to be begun. `own` is what concerns the workbench alone and no engine, by
    the options' names. `serve`: in browsers, at that `port` of loopback. `named`: the command line
    names what to open, or how a run is to be.
    """

    request: RunRequest
    attach_only: bool
    own: Mapping[str, Any] = field(default_factory=dict)
    serve: bool = False
    port: int = 8000
    named: bool = False


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


OWN = "own_"
"""Begins the destination of each option that concerns the workbench alone."""


def parse_workbench(argv: list[str], add_own: Callable[[argparse.ArgumentParser], None] | None = None) -> Wanted:
    """The workbench's command line. Exits by itself: 0 for --help, 2 with a sentence for what cannot be.

    `add_own` adds the workbench's own options, whose destinations begin with OWN.
    """
    parser = Parser(
        prog="charrnn-tui", description="Watch a recurrent network learn to write, and play with it while it does."
    )
    parser.add_argument(
        "--attach", action="store_true", help="attach to a live run; without TARGET to the only one that there is"
    )
    parser.add_argument(
        "--serve", action="store_true", help="in a browser, for you alone (needs charrnn[serve]); prints the address"
    )
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="for --serve; 0 takes any (default 8000)")
    if add_own is not None:
        add_own(parser)
    add_run(parser)
    arguments = parser.parse_args(argv)
    serve, port = arguments.serve, arguments.port
    del arguments.serve, arguments.port
    own = {name: value for name, value in vars(arguments).items() if name.startswith(OWN)}
    for name in own:
        delattr(arguments, name)
    set_here = {name.removeprefix(OWN): value for name, value in own.items() if value is not None}
    try:
        request = request_of(arguments, train=serve)
        named = bool(request.target or request.options or request.run or arguments.attach or request.linger is not None)
        return Wanted(request, arguments.attach, set_here, serve, port, named)
    except UsageError as error:
        parser.exit(2, f"charrnn-tui: {error}\n")
