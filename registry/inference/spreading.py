"""In which order a route's targets are asked. Pure: the dice and the load are handed in.

Everybody who may answer is in the order: those behind the first stand in when it fails.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Who = TypeVar("Who")


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a route says of one target.

    Args:
        weight: Its share of the calls; 0 only stands in for others.
        order: Its place, smallest first; several may share one.
    """

    weight: float = 1.0
    order: int = 0


Target = tuple[Who, Weighed]


def by_weight(
    targets: Sequence[Target[Who]], dice: Callable[[], float] = random.random
) -> list[Who]:
    """Draw the targets one after the other, each with the chance that its weight gives it.

    The first of exponential waiting times with these rates is such a draw (Efraimidis and
    Spirakis, 2006).
    """

    def wait(target: Target[Who]) -> tuple[bool, float]:
        weight = target[1].weight
        return (weight <= 0, -math.log(1 - dice()) / (weight or 1))

    return [who for who, _ in sorted(targets, key=wait)]


def in_order(
    targets: Sequence[Target[Who]], dice: Callable[[], float] = random.random
) -> list[Who]:
    """Go by place, and by weight where several share one."""
    places = sorted({said.order for _, said in targets})
    return [
        who
        for place in places
        for who in by_weight([target for target in targets if target[1].order == place], dice)
    ]


def least_busy(
    targets: Sequence[Target[Who]],
    busy: Callable[[Who], int],
    dice: Callable[[], float] = random.random,
) -> list[Who]:
    """Go by running calls for each unit of weight, the least first; ties are drawn by weight."""
    drawn = by_weight(targets, dice)
    weights = {id(who): said.weight for who, said in targets}

    def load(who: Who) -> tuple[bool, float]:
        weight = weights[id(who)]
        return (weight <= 0, busy(who) / weight if weight > 0 else busy(who))

    return sorted(drawn, key=load)
