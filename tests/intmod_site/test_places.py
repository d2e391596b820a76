"""Places: so many and no more."""

import pytest

from intmod_site.api.errors import ServiceUnavailable
from intmod_site.places import Places
from intmod_site.server import kept_back


def test_who_finds_no_place_is_told_to_come_again() -> None:
    places = Places(2)
    with places.taken(), places.taken(), pytest.raises(ServiceUnavailable) as refused:
        places.taken().__enter__()
    assert (refused.value.error_code, refused.value.retry_after_s) == ("overloaded", 1)
    with places.taken(), places.taken():
        pass


def test_without_a_number_there_is_no_bound() -> None:
    places = Places(0)
    with places.taken(), places.taken(), places.taken():
        pass


@pytest.mark.parametrize(
    ("threads", "kept"), [(1, 0), (2, 1), (3, 2), (8, 2), (64, 8), (288, 32), (1000, 32)]
)
def test_some_threads_are_kept_back(threads: int, kept: int) -> None:
    assert kept_back(threads) == kept
