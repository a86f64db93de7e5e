"""What toys do to the world: an append-only file of effects, gates that a test opens, and an outside log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from apps.operations.run import Run, SourceLine


class World:
    """A folder that stands for the server on which the toys work."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.effects = self.folder / "effects"

    def note(self, *words: object) -> None:
        """Appends one effect; a single write with O_APPEND is never torn or lost."""
        descriptor = os.open(self.effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, (" ".join(map(str, words)) + "\n").encode())
        finally:
            os.close(descriptor)

    def notes(self) -> list[list[str]]:
        """All effects, oldest first, each as words."""
        return [line.split() for line in self.effects.read_text().splitlines()] if self.effects.exists() else []

    def count(self, *words: str) -> int:
        """How many effects begin with these words."""
        return sum(note[: len(words)] == list(words) for note in self.notes())

    def gate(self, name: str) -> Path:
        """A file: whoever waits for it waits until the test makes it."""
        return self.folder / f"gate-{name}"

    def wait_at(self, run: Run, name: str) -> None:
        """Waits as a step should: it can be stopped at any moment."""
        while not self.gate(name).exists():
            run.sleep(0.05)

    def follow(self, run: Run, name: str) -> None:
        """Takes over the outside log `name` up to its last line, `end`, like the log of a container."""
        while self._take_over(run, name) != "end":
            run.sleep(0.02)

    def _take_over(self, run: Run, name: str) -> str:
        position = run.log_position(name) or [0, ""]
        run.log_from(name, self._lines(name, position[0]))
        return (run.log_position(name) or [0, ""])[1]

    def _lines(self, name: str, offset: int) -> Iterator[SourceLine]:
        path = self.folder / name
        if not path.exists():
            return
        with path.open("rb") as log:
            log.seek(offset)
            for line in log:
                if line.endswith(b"\n"):
                    offset += len(line)
                    text = line.decode().rstrip("\n")
                    yield SourceLine([offset, text], text)
