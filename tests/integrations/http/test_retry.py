from datetime import UTC, datetime

import pytest

from integrations.http.retry import RetryPolicy, retry_after_s

NOW = datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("Mon, 23 Nov 2026 06:01:30 GMT", 90.0),
        ("Monday, 23-Nov-26 06:00:10 GMT", 10.0),
        ("Mon Nov 23 06:00:05 2026", 5.0),
        ("Mon, 23 Nov 2026 07:00:30 +0100", 30.0),
        ("Sun, 22 Nov 2026 06:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("315360000", 86400.0),
        ("9" * 60, 86400.0),
        ("Mon, 23 Nov 2036 06:00:00 GMT", 86400.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Mon, 99 Nov 2026 06:00:00 GMT", None),
        ("Mon, 23 Nov 99999 06:00:00 GMT", None),
        ("Mon, 23 Nov 2026 06:00:00 +99999999", None),
    ],
)
def test_retry_after(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, NOW) == wait_s


def test_retry_after_is_cut_where_the_caller_says() -> None:
    assert retry_after_s("500", NOW, most_s=60) == 60


@pytest.mark.parametrize(
    ("retry", "dice", "wait_s"),
    [
        (1, 1.0, 0.5),
        (1, 0.5, 0.25),
        (1, 0.0, 0.0),
        (2, 1.0, 1.0),
        (3, 1.0, 2.0),
        (4, 1.0, 3.0),
        (5, 1.0, 3.0),
        (5000, 1.0, 3.0),
    ],
)
def test_waits_grow_up_to_the_cap(retry: int, dice: float, wait_s: float) -> None:
    policy = RetryPolicy(max_retries=9999, retry_delay_s=0.5, max_delay_s=3.0)
    assert policy.wait_s(retry, left_s=100, dice=lambda: dice) == wait_s


def test_the_jitter_is_full() -> None:
    policy = RetryPolicy(retry_delay_s=8)
    waits = [policy.wait_s(1, left_s=100) for _ in range(300)]
    assert all(wait is not None and 0 <= wait <= 8 for wait in waits)
    assert min(waits) < 2
    assert max(waits) > 6


@pytest.mark.parametrize(
    ("retry", "left_s", "retry_after", "wait_s"),
    [
        (3, 100.0, None, None),
        (1, 0.5, None, None),
        (1, 0.51, None, 0.5),
        (1, 0.0, None, None),
        (1, -1.0, 0.0, None),
        (1, 100.0, 20.0, 20.0),
        (1, 100.0, 0.1, 0.5),
        (1, 20.0, 20.0, None),
        (3, 100.0, 1.0, None),
    ],
)
def test_when_to_stop(
    retry: int, left_s: float, retry_after: float | None, wait_s: float | None
) -> None:
    policy = RetryPolicy(max_retries=2, retry_delay_s=0.5)
    waited = policy.wait_s(retry, left_s=left_s, retry_after_s=retry_after, dice=lambda: 1.0)
    assert waited == wait_s


def test_no_retries() -> None:
    assert RetryPolicy(max_retries=0).wait_s(1, left_s=100) is None


@pytest.mark.parametrize("field", ["max_retries", "retry_delay_s", "max_delay_s"])
def test_nothing_is_below_zero(field: str) -> None:
    with pytest.raises(ValueError, match="below zero"):
        RetryPolicy(**{field: -1})
