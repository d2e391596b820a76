"""Histograms that merge: percentiles of a day from those of its minutes, never averaged. Pure.

Buckets grow by a constant factor, so a value is known to within 2 % wherever it lies; as in
DDSketch (Masson, Rim, Lee 2019, https://www.vldb.org/pvldb/vol12/p2195-masson.pdf).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

ACCURACY = 0.02
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GROWTH = math.log(GROWTH)
SMALLEST = 1e-9
"""What is nearer to zero counts as zero."""


@dataclass
class Summary:
    """Values in sum: how many, their total, their extremes, and how they are spread.

    `buckets` counts values by bucket: positive ones at an even key, negative ones at an odd, zero
    at None.
    """

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    buckets: Counter[int | None] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Take one value in."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        self.buckets[bucket_of(value)] += 1

    def merge(self, other: "Summary") -> None:
        """Take another summary's values in."""
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)
        self.buckets.update(other.buckets)

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Give the summary of values."""
        summary = cls()
        for value in values:
            summary.add(value)
        return summary

    def percentile(self, share: float) -> float | None:
        """Give the smallest value that at least `share` of all do not exceed (nearest rank).

        Args:
            share: From 0 to 1.
        """
        if not self.count:
            return None
        rank = max(1, math.ceil(share * self.count - 1e-9))
        seen = 0
        for bucket in sorted(self.buckets, key=middle_of):
            seen += self.buckets[bucket]
            if seen >= rank:
                return min(max(middle_of(bucket), self.least), self.most)
        return self.most

    def value(self, aggregation: str) -> float | None:
        """Give avg, min, max, sum, count, p50, p95 or p99; None where there are no values."""
        if aggregation == "count":
            return float(self.count)
        if not self.count:
            return None
        if aggregation.startswith("p"):
            return self.percentile(int(aggregation[1:]) / 100)
        return {
            "avg": self.total / self.count,
            "min": self.least,
            "max": self.most,
            "sum": self.total,
        }[aggregation]

    def as_json(self) -> dict[str, int]:
        """Give the buckets for a column of JSON."""
        return {"z" if key is None else str(key): count for key, count in self.buckets.items()}

    @staticmethod
    def buckets_from(stored: Mapping[str, Any]) -> Counter[int | None]:
        """Read what `as_json` gave."""
        return Counter({None if key == "z" else int(key): int(n) for key, n in stored.items()})


def bucket_of(value: float) -> int | None:
    """Give the bucket of a finite value."""
    size = abs(value)
    if size < SMALLEST:
        return None
    index = math.ceil(math.log(size) / _LOG_GROWTH)
    return index * 2 + (1 if value < 0 else 0)


def middle_of(bucket: int | None) -> float:
    """Give the value that stands for a bucket: within ACCURACY of all that are in it."""
    if bucket is None:
        return 0.0
    index, negative = divmod(bucket, 2)
    size = 2 * math.exp(index * _LOG_GROWTH) / (GROWTH + 1)
    return -size if negative else size
