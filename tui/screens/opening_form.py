"""The form of a new run: which text, which preset, its name, when to stop, where to train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from charrnn.picks import Value
from charrnn.presets import PRESETS, range_problem
from tui.completion import Candidate, common_beginning
from tui.panes.status import compact
from tui.screens.opening_choices import Begin, Chooser, Devices, Presets
from tui.screens.opening_fields import LABEL, Field, FieldRow, Words
from tui.screens.opening_look import CandidateList
from tui.terminal import safe_line

if TYPE_CHECKING:
    from charrnn.engine.estimates import Estimate
    from charrnn.text.preview import Look

ROOMY, BRIEF = 15, 9
"""Rows of the form from which on there is air between its parts; below which the presets have one row."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form, kept from one opening of it to the next.

    `problem` says why what was chosen last could not be; `of_text`: that was a new run's text.
    """

    target: str = ""
    preset: str = "auto"
    name: str = ""
    minutes: str = ""
    steps: str = ""
    device: str = "auto"
    problem: str = field(default="", compare=False)
    of_text: bool = field(default=False, compare=False)


class PathField(Field):
    """The text's path, with the candidates that it may become."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "move(5)", show=False),
        Binding("pageup", "move(-5)", show=False),
    ]

    def __init__(self, found: CandidateList) -> None:
        super().__init__(id="path", placeholder="a file, folder, glob or address")
        self.found = found

    def action_move(self, rows: int) -> None:
        if not self.found.display or not self.found.move(rows):
            self.post_message(self.Moved(1 if rows > 0 else -1))
        else:
            self.post_message(NewRunForm.Considered(self.found.highlighted))

    def complete(self) -> bool:
        """Takes the highlighted candidate, or what all of them begin with; whether there was something to take."""
        if not self.found.display:
            return False
        one = self.found.highlighted
        if one is None and len(self.found.found) == 1:
            one = self.found.found[0]
        text = one.text if one is not None else common_beginning(self.text, self.found.found)
        if not text or text == self.text:
            return False
        self.put(text)
        return True


class NewRunForm(Vertical):
    """Says what is typed, considered, accepted and wanted; the screen looks, estimates and begins."""

    DEFAULT_CSS = """
    NewRunForm { height: 1fr; width: 1fr; padding: 0 1; overflow-y: auto; scrollbar-size: 0 0; }
    NewRunForm #settings { height: auto; width: 1fr; }
    NewRunForm CandidateList { display: none; }
    NewRunForm.-listing #settings { display: none; }
    NewRunForm.-listing CandidateList { display: block; }
    NewRunForm.-roomy .air { margin-top: 1; }
    """

    class TextChanged(Message):
        pass

    class OptionsChanged(Message):
        pass

    class Considered(Message):
        """A candidate is highlighted, None for none."""

        def __init__(self, candidate: Candidate | None) -> None:
            super().__init__()
            self.candidate = candidate

    class Accepted(Message):
        """The path is to be the text: enter on it."""

    class Wanted(Message):
        """The run is to begin."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(id="new-run")
        self.found = CandidateList()
        self.path = PathField(self.found)
        self.note = Words(most=4, indent=LABEL)
        self.presets = Presets()
        self.meaning = Words(most=2)
        self.name_field = Field(id="run-name")
        self.minutes = Field(id="minutes", placeholder="–")
        self.steps = Field(id="steps", placeholder="–")
        self.devices = Devices()
        self.begin = Begin()
        self.problem = Words(most=4)
        self._draft = draft
        self._measuring = False

    def compose(self) -> ComposeResult:
        yield FieldRow("Text", self.path)
        yield self.note
        yield self.found
        self.minutes.add_class("number")
        self.steps.add_class("number")
        with Vertical(id="settings"):
            self.presets.add_class("air")
            yield self.presets
            yield self.meaning
            name = FieldRow("Name", self.name_field)
            name.add_class("air")
            yield name
            yield FieldRow("Stop", "after ", self.minutes, "min or ", self.steps, "steps")
            yield self.devices
            self.begin.add_class("air")
            yield self.begin
            yield self.problem

    def on_mount(self) -> None:
        draft = self._draft
        self.presets.choose(draft.preset)
        for place, text in ((self.path, draft.target), (self.name_field, draft.name)):
            place.put(text)
        self.minutes.put(draft.minutes)
        self.steps.put(draft.steps)

    def put(self, rows: int) -> None:
        """Fits into so many rows, before they are laid out: every change of layout draws the whole screen."""
        self.set_class(rows >= ROOMY, "-roomy")
        self.presets.styles.height = 5 if rows >= BRIEF else 1

    # ---- what stands in it -----------------------------------------------------------------------------------

    def fields(self) -> list[Widget]:
        """What can have the focus, in order."""
        every: list[Widget] = [self.path]
        if not self.has_class("-listing"):
            every += [self.presets, self.name_field, self.minutes, self.steps]
            every += [self.devices] if self.devices.display else []
            every.append(self.begin)
        return every

    @property
    def draft(self) -> Draft:
        return Draft(
            target=self.path.text,
            preset=self.presets.chosen,
            name=self.name_field.text,
            minutes=self.minutes.text,
            steps=self.steps.text,
            device=self.devices.chosen,
        )

    def options(self) -> dict[str, Value]:
        """What the fields say, as a run's options. Raises ValueError with a sentence."""
        options: dict[str, Value] = {}
        if self.presets.chosen != "auto":
            options["preset"] = self.presets.chosen
        if self.devices.chosen != "auto":
            options["device"] = self.devices.chosen
        for name, place, whole in (("minutes", self.minutes, False), ("steps", self.steps, True)):
            text = place.text.replace(",", "").replace("_", "")
            if not text:
                continue
            try:
                value: int | float = int(text) if whole else float(text)
            except ValueError:
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{text!r} {name} is not {kind}; leave it empty to stop when you say so.") from None
            problem = range_problem(name, value)
            if problem:
                raise ValueError(f"{name.capitalize()}: {problem}.")
            options[name] = value
        return options

    # ---- what it shows ---------------------------------------------------------------------------------------

    def list_candidates(self, found: list[Candidate]) -> None:
        """Shows what the path may become in place of the settings, nothing for none."""
        self.found.show(found)
        self.set_class(bool(found), "-listing")

    def show_look(self, look: Look | None, problem: str) -> None:
        """What was found of the text, or why it cannot be one."""
        if problem:
            self.note.say(safe_line(problem), "error")
        elif look is None:
            self.note.say("")
        else:
            about = "" if look.exact else "about "
            count = f"{about}{compact(look.characters)} characters" if look.characters is not None else ""
            symbols = f"{look.symbols:,}{'' if look.exact else '+'} symbols" if look.symbols else ""
            self.note.say(" · ".join(part for part in (count, symbols, safe_line(look.note)) if part))

    def show_estimates(self, found: list[Estimate], *, measuring: bool) -> None:
        self.presets.show(found, measuring=measuring)
        self._measuring = measuring
        self.tell_meaning()

    def tell_meaning(self) -> None:
        """What the chosen preset is, and what the figures go by."""
        one = self.presets.estimate
        words = (one.config.reason if one else "") or PRESETS[self.presets.chosen]
        known = ""
        if one is not None:
            known = f"Estimates, the speed {one.source}. " if one.speed else ""
            known = "Measuring this machine's speed… " if not one.speed and self._measuring else known
        self.meaning.say(safe_line(known + words))

    def tell_plan(self, name: str) -> None:
        """What `begin` would do."""
        stops = [f"{self.minutes.text} min"] if self.minutes.text else []
        stops += [f"{self.steps.text} steps"] if self.steps.text else []
        until = f"for {' or '.join(stops)}" if stops else "until you stop it"
        self.begin.show(safe_line(f"{name}, {until}") if name else "")

    # ---- keys ------------------------------------------------------------------------------------------------

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.TextChanged() if event.input is self.path else self.OptionsChanged())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is not self.path:
            self.post_message(self.Wanted())
        else:
            one = self.found.highlighted if self.found.display else None
            if one is not None:
                self.path.put(one.text)
            if one is None or not one.folder:
                self.post_message(self.Accepted())

    def on_chooser_changed(self, event: Chooser.Changed) -> None:
        event.stop()
        self.tell_meaning()
        self.post_message(self.OptionsChanged())

    def on_chooser_submitted(self, event: Chooser.Submitted) -> None:
        event.stop()
        self.post_message(self.Wanted())

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        fields = self.fields()
        focused = self.screen.focused
        if focused in fields:
            at = fields.index(focused) + event.rows
            if 0 <= at < len(fields):
                fields[at].focus()

    def on_candidate_list_taken(self, event: CandidateList.Taken) -> None:
        event.stop()
        self.path.put(event.candidate.text)
        self.path.focus()
