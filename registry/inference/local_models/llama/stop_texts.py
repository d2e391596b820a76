"""Ends a text where one of the caller's stop texts begins."""

from collections.abc import Sequence


class StopTexts:
    """Lets text pass as it comes, up to the first stop text.

    What could be the beginning of a stop text is held back until it is clear that it is not.

    Args:
        stops: The stop texts; empty ones do not count.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.matched = False

    def push(self, piece: str) -> str:
        """Take the next piece of text and give what may be shown of it so far.

        After a match (`matched`) there is nothing more to show.
        """
        if self.matched:
            return ""
        text = self._held + piece
        starts = [start for stop in self._stops if (start := text.find(stop)) >= 0]
        if starts:
            self.matched = True
            self._held = ""
            return text[: min(starts)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def finish(self) -> str:
        """Give what was held back, now that no more text comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Count the characters at the end of the text that a stop text begins with."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
