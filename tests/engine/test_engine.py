"""An engine and a trainer as real processes, on a small text."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import time
from pathlib import Path

import pytest

from charrnn.config import Knobs
from charrnn.engine import wire
from charrnn.engine.client import EngineClient, attach, launch
from charrnn.engine.messages import (
    CorpusInfo,
    Ended,
    Hello,
    ModelInfo,
    Notice,
    Refused,
    RestartStream,
    RunRequest,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    StopRun,
    Welcome,
    WriteCheckpoint,
)
from charrnn.native.library import kernels
from charrnn.runs.directory import is_live, read_config, socket_path
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import Watcher, children, engine, launched

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")


async def socket_of(watcher: Watcher) -> str:
    """Where others attach to the watcher's run, once it is there."""
    path = socket_path(Path(watcher.told(Welcome)[0].folder))
    await watcher.until(path.exists)
    return str(path)


def test_a_run_from_its_first_word_to_its_last(corpus_file: Path, small_text: str, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, _):
            await watcher.until(lambda: watcher.text and watcher.status.step > 20)
            kinds = [type(message) for message in watcher.messages]
            assert kinds.index(Welcome) < kinds.index(CorpusInfo) < kinds.index(ModelInfo)
            assert watcher.told(ModelInfo)[0].config.versions["kernels"] == kernels()  # exact resumption needs it
            info = watcher.told(CorpusInfo)[0]
            assert info.characters == len(small_text)
            assert info.held_out_at == len(small_text) - int(len(small_text) * 0.1)
            assert info.head == small_text[: len(info.head)]
            assert info.alphabet == "".join(sorted(set(small_text)))
            assert watcher.text[0].prime
            watcher.client.send(StopRun())
            await watcher.until(lambda: watcher.told(Ended))
        place = Path(watcher.told(Welcome)[0].folder)
        assert place.parent == runs_folder
        assert place.name == "sentences-1"
        saved = list_checkpoints(place)
        lines = read_metrics(place)
        assert saved[-1].step == lines[-1]["step"] == watcher.status.step
        assert [line["step"] for line in lines] == [p.step for p in watcher.points]
        assert set(lines[0]) == {"step", "chars", "seconds", "train_loss", "learning_rate"}
        assert not is_live(place)
        assert not socket_path(place).exists()
        (logged,) = (place / "engine.log").read_text().splitlines()  # and nothing that went wrong
        assert logged.endswith(f"corpus sentences.txt: {len(small_text):,} characters, UTF-8")

    asyncio.run(go())


def test_the_next_character_obeys_a_knob_while_a_training_step_takes_over_a_second(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        slow = {"cell": "lstmcell", "hidden": 256, "batch": 48, "length": 120}
        async with engine(corpus_file, **slow) as (watcher, _):
            await watcher.until(lambda: len(watcher.text) > 1)
            watcher.client.send(SetPace(1.0))
            for temperature in (0.5, 1.0, 1.5):
                knobs = Knobs(temperature=temperature, top_k=5)
                asked = time.monotonic()
                watcher.client.send(SetKnobs(knobs))
                await watcher.until(lambda knobs=knobs: any(p.knobs == knobs for p in watcher.text))
                assert time.monotonic() - asked < 5
                assert watcher.status.knobs == knobs

    asyncio.run(go())


def test_pause_holds_the_steps_and_not_the_stream_and_a_rate_is_recorded_with_its_step(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        async with engine(corpus_file, warmup=0) as (watcher, _):
            await watcher.until(lambda: watcher.status.step > 5)
            watcher.client.send(SetPaused(True))
            await watcher.until(lambda: watcher.status.state == "paused")
            await asyncio.sleep(0.5)
            step, characters = watcher.status.step, sum(len(p.text) for p in watcher.text)
            await watcher.until(lambda: sum(len(p.text) for p in watcher.text) > characters + 20)
            assert watcher.status.step == step
            watcher.client.send(SetLearningRate(0.0125))
            watcher.client.send(SetPaused(False))
            await watcher.until(lambda: watcher.status.step > step + 5)
            assert watcher.status.learning_rate == 0.0125
        place = Path(watcher.told(Welcome)[0].folder)
        events = [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]
        told = [(e["event"], e["value"], e["step"]) for e in events]
        assert ("learning_rate", 0.0125, step) in told
        assert ("pause", True, step) in told
        rates = {line["step"]: line["learning_rate"] for line in read_metrics(place)}
        assert rates[step] != 0.0125
        assert rates[step + 1] == 0.0125

    asyncio.run(go())


def test_a_cool_down_is_told_shown_saved_and_waited_after(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, average=0.99) as (watcher, _):
            await watcher.until(lambda: watcher.status.step > 5)
            rate = watcher.status.learning_rate
            watcher.client.send(SetCooldown(True, steps=2500))
            await watcher.until(lambda: watcher.status.phase == "cool-down")
            await watcher.until(lambda: 0 < watcher.status.current_rate < rate)
            assert watcher.status.phase_text.startswith("cooling ")
            watcher.client.send(SetCooldown(False))
            await watcher.until(lambda: watcher.status.phase == "" and watcher.status.current_rate == rate)
            watcher.client.send(SetCooldown(True, steps=30))
            await watcher.until(lambda: any("Cooled down and saved" in n.text for n in watcher.told(Notice)))
            (said,) = [n.text for n in watcher.told(Notice) if "Cooled down and saved" in n.text]
            step = int(said.split("at step ")[1].split(";")[0].replace(",", ""))
            await watcher.until(lambda: watcher.status.state == "paused" and watcher.status.step == step)
            watcher.client.send(SetPaused(False))
            await watcher.until(lambda: watcher.status.step > step)
            watcher.client.send(SetCooldown(True, steps=0))
            await watcher.until(lambda: any("steps 0 is out of range" in n.text for n in watcher.told(Notice)))
        place = Path(watcher.told(Welcome)[0].folder)
        events = [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]
        told = [(e["event"], e["value"], e["step"]) for e in events if e["event"].startswith("cool")]
        assert [(name, value) for name, value, _ in told] == [
            ("cooldown", 2500),
            ("cooldown", 0),
            ("cooldown", 30),
            ("cooled", 30),
        ]
        assert told[3][2] == told[2][2] + 30 == step

    asyncio.run(go())


def test_a_prime_is_taken_without_the_characters_that_the_model_does_not_know(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, _):
            await watcher.until(lambda: watcher.text)
            watcher.client.send(RestartStream(prime="The §quick🦊 fox", seed=7))
            await watcher.until(lambda: watcher.text[-1].stream == 2 and not watcher.text[-1].prime)
            primes = [p for p in watcher.text if p.prime and p.stream == 2]
            assert [(p.text, p.seed) for p in primes] == [("The quick fox", 7)]
            assert watcher.status.prime == "The quick fox"
            warned = [n.text for n in watcher.told(Notice) if n.level == "warning"]
            assert any("§" in text and "🦊" in text for text in warned)

    asyncio.run(go())


def test_a_second_client_gets_the_whole_history_and_both_see_each_others_changes(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (first, _):
            await first.until(lambda: first.status.step > 30 and len(first.text) > 3)
            second = Watcher(await EngineClient.over(attach(await socket_of(first))))
            await second.until(lambda: second.points and second.text and second.told(ModelInfo))
            assert second.points[0].step == 1
            assert second.text[0].position == 0
            second.client.send(SetKnobs(Knobs(temperature=1.9)))
            await first.until(lambda: first.status.knobs.temperature == 1.9)
            await second.close()
            step = first.status.step
            await first.until(lambda: first.status.step > step)

    asyncio.run(go())


def test_two_runs_of_the_same_text_that_begin_at_once_get_a_folder_each(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (first, _), engine(corpus_file) as (second, _):
            for watcher in (first, second):
                await watcher.until(lambda watcher=watcher: watcher.status.step > 5)
            places = [Path(watcher.told(Welcome)[-1].folder) for watcher in (first, second)]
            assert sorted(place.name for place in places) == ["sentences-1", "sentences-2"]
            for place in places:
                connection = attach(str(socket_path(place)), Hello(stream=False))
                attached = Watcher(await EngineClient.over(connection))
                await attached.until(lambda attached=attached: attached.told(ModelInfo))
                assert attached.told(Welcome)[-1].folder == str(place)
                await attached.close()
        for place, watcher in zip(places, (first, second), strict=True):
            assert [line["step"] for line in read_metrics(place)] == [p.step for p in watcher.points]

    asyncio.run(go())


def test_a_client_that_never_reads_holds_up_nobody(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, pace=2000.0) as (watcher, _):
            await watcher.until(lambda: watcher.told(ModelInfo))
            deaf = attach(await socket_of(watcher))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            step = watcher.status.step
            characters = sum(len(p.text) for p in watcher.text)
            await watcher.until(lambda: sum(len(p.text) for p in watcher.text) > characters + 3000)
            await watcher.until(lambda: watcher.status.step > step + 50)
            deaf.close()

    asyncio.run(go())


def test_garbage_at_the_socket_closes_that_connection_alone(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, _):
            await watcher.until(lambda: watcher.told(ModelInfo))
            path = await socket_of(watcher)
            for garbage in (b"\xff" * 64, b"\0\0\0\x03abc", wire.frame(Hello(version=99)), wire.frame(Hello())[:3]):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(path)
                    connection.sendall(garbage)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(10)
                    while connection.recv(65536):
                        pass
            step = watcher.status.step
            await watcher.until(lambda: watcher.status.step > step)

    asyncio.run(go())


def test_a_value_that_cannot_be_is_told_and_changes_nothing(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, _):
            await watcher.until(lambda: watcher.status.step > 5 and watcher.text)
            before = watcher.status
            wrong = [SetPace(math.nan), SetLearningRate(-1.0), SetLearningRate(math.inf), SetKnobs(Knobs(top_p=7.0))]
            for message in wrong:
                watcher.client.send(message)
            await watcher.until(lambda: len([n for n in watcher.told(Notice) if n.level == "warning"]) == len(wrong))
            await watcher.until(lambda: watcher.status.step > before.step + 20)
            now = watcher.status
            assert (now.knobs, now.pace, now.learning_rate) == (before.knobs, before.pace, before.learning_rate)

    asyncio.run(go())


def test_a_checkpoint_is_written_when_it_is_asked_for(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, validation=0.0) as (watcher, _):
            await watcher.until(lambda: watcher.status.step > 5)
            watcher.client.send(WriteCheckpoint())
            notice = await watcher.until(lambda: [n for n in watcher.told(Notice) if n.level == "saved"])
            saved = list_checkpoints(Path(watcher.told(Welcome)[0].folder))
            assert f"step {saved[-1].step:,}" in notice[0].text

    asyncio.run(go())


def test_a_run_that_did_its_steps_says_so_and_its_stream_goes_on(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, steps=30) as (watcher, _):
            await watcher.until(lambda: watcher.status.state == "finished" and watcher.text)
            assert watcher.status.step == 30
            assert watcher.points[-1].val_loss is not None
            assert watcher.points[-1].train_loss is not None
            characters = sum(len(p.text) for p in watcher.text)
            await watcher.until(lambda: sum(len(p.text) for p in watcher.text) > characters + 20)
            watcher.client.send(SetPaused(False))
            await watcher.until(lambda: any("Nothing is training" in n.text for n in watcher.told(Notice)))

    asyncio.run(go())


def test_a_killed_engine_leaves_no_trainer_and_a_run_that_opens(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 5)
            assert started.process is not None
            (trainer,) = children(started.process.pid)
            started.process.kill()
        for _ in range(200):
            if not Path(f"/proc/{trainer}").exists():
                break
            await asyncio.sleep(0.1)
        assert not Path(f"/proc/{trainer}").exists()
        place = Path(watcher.told(Welcome)[0].folder)
        assert not is_live(place)
        async with launched(RunRequest(target=place.name)) as (again, _):
            await again.until(lambda: again.status.state == "training")
            assert again.status.step >= list_checkpoints(place)[0].step > 0

    asyncio.run(go())


def test_a_stopped_run_goes_on_where_it_was_when_it_is_asked_to(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, steps=40) as (watcher, _):
            await watcher.until(lambda: watcher.status.state == "finished")
        place = Path(watcher.told(Welcome)[0].folder)
        before = read_metrics(place)
        async with launched(RunRequest(target=place.name, options={"steps": 60})) as (again, _):
            await again.until(lambda: again.status.state == "finished")
            assert again.points[0].step == 1
        after = read_metrics(place)
        assert after[: len(before)] == before
        assert after[-1]["step"] == 60
        assert after[-1]["seconds"] > before[-1]["seconds"]
        assert read_config(place).training.steps == 60

    asyncio.run(go())


def test_an_opened_run_waits_paused_when_it_is_not_asked_to_train(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, validation=0.0) as (watcher, _):
            await watcher.until(lambda: watcher.status.step > 10)
        place = Path(watcher.told(Welcome)[0].folder)
        async with launched(RunRequest(target=str(place), train=False)) as (again, _):
            await again.until(lambda: again.status.state == "paused" and len(again.text) > 2)
            step = list_checkpoints(place)[-1].step
            assert again.status.step == step
            again.client.send(SetPaused(False))
            await again.until(lambda: again.status.step > step)

    asyncio.run(go())


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"aaaaaaaaaa", "distinct"), (b"a\0b" * 50, "binary"), (b"\x1f\x8b\x08 no more of it", "damaged")],
)
def test_a_text_that_is_none_is_refused_before_anything_is_written(
    content: bytes, words: str, tmp_path: Path, runs_folder: Path
) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)

    async def go() -> None:
        started = launch(RunRequest(target=str(path)))
        watcher = Watcher(await EngineClient.over(started.connection))
        refused: list[Refused] = await watcher.until(lambda: watcher.told(Refused))
        assert words in refused[0].text
        assert refused[0].status == 2
        await watcher.close()
        assert started.process is not None
        assert started.process.wait(10) == 2

    asyncio.run(go())
    assert not runs_folder.exists()
