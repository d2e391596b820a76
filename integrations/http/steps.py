"""Work that is done step by step, so that whoever waits for it can look up in between."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")

Steps = Generator[None, None, Result]
"""Something that takes its time, and gives None now and then until it is done."""


def done(steps: Steps[Result]) -> Result:
    """Take all steps, and give what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
