"""The retry schedule."""

import pytest

from integrations.webhooks.schedule import DELAYS_S, delay_s

DAY_S = 86400.0


def test_the_schedule_is_the_recommended_one() -> None:
    assert DELAYS_S == (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert sum(DELAYS_S) == 75 * 3600 + 35 * 60 + 5


@pytest.mark.parametrize("step", range(10))
def test_a_fifth_sooner_or_later(step: int) -> None:
    assert delay_s(step, dice=lambda: 0.0) == pytest.approx(DELAYS_S[step] * 0.8)
    assert delay_s(step, dice=lambda: 0.5) == pytest.approx(DELAYS_S[step])
    assert delay_s(step, dice=lambda: 1.0) == pytest.approx(DELAYS_S[step] * 1.2)


def test_it_ends() -> None:
    assert delay_s(10) is None
    assert delay_s(10, retry_after_s=5) is None


def test_what_the_receiver_asks_for_is_never_undercut_and_cut_to_a_day() -> None:
    assert delay_s(1, retry_after_s=60.0) == 60.0
    assert delay_s(3, retry_after_s=60.0, dice=lambda: 0.5) == 1800.0
    assert delay_s(1, retry_after_s=10 * 365 * DAY_S) == DAY_S
