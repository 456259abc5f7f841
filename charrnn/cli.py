"""The `charrnn` command: parses, then hands over to `charrnn.commands`, which alone load what they need."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from charrnn.config import Knobs, UsageError
from charrnn.options import Parser, add_knobs, add_number, add_run, request_of
from charrnn.runs import directory, relaunch
from charrnn.text.visible import visible_line
from charrnn.torchrun import seat, wait_to_be_ended


def main(argv: list[str] | None = None) -> int:
    """Runs one command; the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated."""
    parser = _parser()
    arguments = _parsed(parser, argv)
    command = f"{parser.prog} {arguments.command}"
    try:
        return int(arguments.run_command(arguments))
    except UsageError as error:
        print(visible_line(f"{command}: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        return 0


def _parsed(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """What was typed. Of the processes that one torchrun started, rank 0 alone says what is wrong with it."""
    if seat().rank == 0:
        return parser.parse_args(argv)
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        try:
            return parser.parse_args(argv)
        except SystemExit as end:
            if end.code:
                wait_to_be_ended()
            raise


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="charrnn", description="Train character-level recurrent language models and write with them.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    several = "On several GPUs or machines: torchrun --standalone --nproc-per-node N -m charrnn train TARGET …"
    train = commands.add_parser(
        "train", help="train without a screen", description="Train a model on a text.", epilog=several
    )
    add_run(train)
    train.add_argument(
        "--replay",
        action="store_true",
        help="make the run TARGET again from its record, as a new run (default name: RUN-replay-N) up to its newest "
        "checkpoint or the one after --steps, and say whether the weights are the same: status 0 if they are, 1 if not",
    )
    train.set_defaults(run_command=_train)

    sample = commands.add_parser("sample", help="write text", description="Write text with a run's model.")
    _add_saved_run(sample)
    add_knobs(sample)
    sample.add_argument("--prime-file", metavar="FILE", help="a file whose text the text starts with")
    add_number(sample, "length", int, "N", "characters after the prime (default 500)", "sample_length")
    add_number(sample, "seed", int, "N", "the same seed, run and options give the same text")
    add_number(
        sample,
        "count",
        int,
        "N",
        "so many texts, made side by side: their seeds are --seed and the numbers after it, a line above each has "
        "its own, and each is what that seed writes alone, but for rounding",
    )
    sample.add_argument(
        "--json", action="store_true", help='a JSON object a line for each text: "seed", "step", "prime", "text"'
    )
    sample.set_defaults(run_command=_sample)

    travel = commands.add_parser(
        "travel",
        help="what a run wrote as it learnt",
        description="Write the same prime and seed with each state that a run has kept of itself, from gibberish to "
        "words.",
    )
    travel.add_argument("run", metavar="RUN", help="the run's name or folder")
    _add_runs_folder(travel)
    add_knobs(travel)
    add_number(travel, "length", int, "N", "characters after the prime (default 400)", "sample_length")
    add_number(travel, "seed", int, "N", "the draws of chance, the same at each state (default 1)")
    travel.add_argument(
        "--out", metavar="FILE", help="to a new file: .txt, .html (a page with a slider), .cast (a terminal recording)"
    )
    travel.set_defaults(run_command=_travel)

    evaluate = commands.add_parser("evaluate", help="measure a loss", description="Measure a run's loss on a text.")
    _add_saved_run(evaluate)
    evaluate.add_argument("file", nargs="?", metavar="FILE", help="a text file (default: the run's held-out part)")
    evaluate.add_argument(
        "--protocol",
        default="stream",
        metavar="NAME",
        help="stream: the whole text, state carried through (default); window:N: windows of N characters from a zero "
        "state (of N bytes or words where those are the run's tokens)",
    )
    evaluate.add_argument(
        "--per-char",
        dest="per_char",
        action="store_true",
        help="a line for each character but the first, which nothing predicts: its place from 0, the character, its "
        "loss in nats, the likeliest other character, that one's probability; tabs between, controls as glyphs (␊)",
    )
    evaluate.add_argument(
        "--html",
        metavar="FILE",
        help="the same as one page for a browser, each character coloured by its loss (--per-char may be left out)",
    )
    evaluate.add_argument(
        "--baselines",
        action="store_true",
        help="also what needs no training reaches on the held-out part: uniform, unigram, bigram, 5-gram, xz",
    )
    evaluate.add_argument("--json", action="store_true", help="one JSON object; with --per-char one a line")
    evaluate.set_defaults(run_command=_evaluate)

    runs = commands.add_parser("runs", help="list the runs", description="List the runs, the newest first.")
    _add_runs_folder(runs)
    runs.add_argument("--json", action="store_true", help="one JSON object a line")
    runs.set_defaults(run_command=_runs)

    saved = commands.add_parser(
        "checkpoints", help="list a run's checkpoints", description="List a run's checkpoints and verify each."
    )
    saved.add_argument("run", metavar="RUN", help="the run's name or folder")
    _add_runs_folder(saved)
    saved.add_argument("--json", action="store_true", help="one JSON object a line")
    saved.set_defaults(run_command=_checkpoints)

    keep = commands.add_parser(
        "keep", help="keep a checkpoint", description="Mark a checkpoint so that it is never removed to make room."
    )
    _add_saved_run(keep)
    keep.add_argument("--off", action="store_true", help="take the mark away")
    keep.set_defaults(run_command=_keep)

    stop = commands.add_parser("stop", help="end a live run", description="Checkpoint and stop a live run.")
    stop.add_argument("run", nargs="?", metavar="RUN", help="the run's name or folder")
    stop.add_argument("--all", action="store_true", help="every live run in the folder")
    _add_runs_folder(stop)
    stop.set_defaults(run_command=_stop)

    export = commands.add_parser("export", help="the loss plot, metrics or model", description="Write one file.")
    _add_saved_run(export)
    export.add_argument("-o", "--out", required=True, metavar="FILE", help=".png .svg .pdf .csv or .safetensors")
    export.set_defaults(run_command=_export)

    bench = commands.add_parser(
        "bench",
        help="what this machine does: characters a second trained and generated",
        description="Measure how many characters a second each preset's network learns from and writes here.",
    )
    bench.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to train")
    bench.add_argument("--seconds", type=_seconds, default=3.0, metavar="S", help="of each measurement (default 3)")
    bench.add_argument("--json", action="store_true", help="one JSON object a line")
    bench.set_defaults(run_command=_bench)

    doctor = commands.add_parser(
        "doctor", help="what works here", description="Check what works here, and say what to do about what does not."
    )
    _add_runs_folder(doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    doctor.set_defaults(run_command=_doctor)
    return parser


def _add_runs_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs-folder", metavar="FOLDER", help="where runs live (default: the user's data folder)")


def _add_saved_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's name or folder")
    parser.add_argument("--checkpoint", default="best", metavar="WHICH", help="best (default), last, or a step")
    _add_runs_folder(parser)


def _run_of(arguments: argparse.Namespace) -> Path:
    folder = directory.runs_folder(arguments.runs_folder)
    found = directory.find_run(arguments.run, folder)
    if found is None:
        raise UsageError(f"There is no run {arguments.run!r} in {folder}; `charrnn runs` lists what there is.")
    return found


def _train(arguments: argparse.Namespace) -> int:
    if seat().rank:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for the engine's own trainer (trainer_link.py)
        from charrnn.engine.rank_process import follow

        return follow(seat())
    if arguments.replay:
        from charrnn.commands.replay import replay

        return replay(request_of(arguments))
    from charrnn.commands.train import train

    begun = relaunch.recall()
    if begun is not None:  # torchrun started us again
        arguments.target, arguments.run = str(begun), None
    request = request_of(arguments)
    if begun is not None:
        request.options.pop("lr", None)  # the checkpoint's counts: it may have been changed since
    return train(request)


def _knobs_of(arguments: argparse.Namespace) -> Knobs:
    given = {name: getattr(arguments, name) for name in ("temperature", "top_k", "top_p", "min_p", "greedy")}
    return Knobs(**{name: value for name, value in given.items() if value is not None})


def _travel(arguments: argparse.Namespace) -> int:
    run, knobs, out = _run_of(arguments), _knobs_of(arguments), arguments.out
    place = None if out is None else Path(out).expanduser().absolute()
    seed = 1 if arguments.seed is None else arguments.seed
    length = 400 if arguments.length is None else arguments.length
    if place is None and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    from charrnn.commands.travel import travel

    travel(run, prime=arguments.prime, seed=seed, length=length, knobs=knobs, out=place)
    return 0


def _sample(arguments: argparse.Namespace) -> int:
    prime = arguments.prime
    if arguments.prime_file is not None:
        if prime is not None:
            raise UsageError("Both --prime and --prime-file were given; give one of them.")
        try:
            prime = Path(arguments.prime_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The prime file {arguments.prime_file} cannot be read: {error}.") from None
    run, knobs = _run_of(arguments), _knobs_of(arguments)
    length = 500 if arguments.length is None else arguments.length
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends us silently, as it does any filter
    which, seed, count = arguments.checkpoint, arguments.seed, arguments.count
    if count is None and not arguments.json:
        from charrnn.commands.measure import sample

        sample(run, which=which, prime=prime, length=length, knobs=knobs, seed=seed)
    else:
        from charrnn.commands.many import sample_many

        options = {"which": which, "prime": prime, "length": length, "knobs": knobs, "seed": seed}
        sample_many(run, **options, count=count or 1, as_json=arguments.json)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    run = _run_of(arguments)
    from charrnn.commands.measure import evaluate

    which, protocol = arguments.checkpoint, arguments.protocol
    evaluate(
        run,
        arguments.file,
        which=which,
        protocol=protocol,
        as_json=arguments.json,
        per_char=arguments.per_char,
        html=None if arguments.html is None else Path(arguments.html).expanduser().absolute(),
        baselines=arguments.baselines,
    )
    return 0


def _runs(arguments: argparse.Namespace) -> int:
    from charrnn.commands.listing import print_runs

    print_runs(directory.runs_folder(arguments.runs_folder), as_json=arguments.json)
    return 0


def _checkpoints(arguments: argparse.Namespace) -> int:
    from charrnn.commands.checkpoints import print_checkpoints

    print_checkpoints(_run_of(arguments), as_json=arguments.json)
    return 0


def _keep(arguments: argparse.Namespace) -> int:
    from charrnn.commands.checkpoints import keep_checkpoint

    print(keep_checkpoint(_run_of(arguments), arguments.checkpoint, off=arguments.off), file=sys.stderr)
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from charrnn.commands.listing import stop_runs
    from charrnn.runs.live import live_runs

    if bool(arguments.run) == arguments.all:
        raise UsageError("Give one RUN to stop, or --all; `charrnn runs` says which are live.")
    if arguments.all:
        folder = directory.runs_folder(arguments.runs_folder)
        live = live_runs(folder)
        if not live:
            print(visible_line(f"no run in {folder} is live"), file=sys.stderr)
    else:
        live = [_run_of(arguments)]
        if not directory.is_live(live[0]):
            raise UsageError(f"The run {live[0].name} is not live, so there is nothing to stop.")
    return stop_runs(live)


def _export(arguments: argparse.Namespace) -> int:
    from charrnn.commands.export import export

    print(export(_run_of(arguments), Path(arguments.out).expanduser().absolute(), arguments.checkpoint))
    return 0


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.05 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give seconds from 0.05 to 3600")
    return value


def _bench(arguments: argparse.Namespace) -> int:
    from charrnn.commands.bench import bench

    return bench(device=arguments.device, seconds=arguments.seconds, as_json=arguments.json)


def _doctor(arguments: argparse.Namespace) -> int:
    from charrnn.commands.doctor import doctor

    return doctor(arguments.runs_folder, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
