import pickle

import pytest

from integrations.http import errors
from integrations.http.errors import Deadline, DeadlineExceeded, OutboundError

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, OutboundError) and value is not OutboundError
]


def test_codes_are_distinct() -> None:
    assert len({each.code for each in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("which", Deadline)
def test_a_deadline_carries_its_code(which: Deadline) -> None:
    assert DeadlineExceeded(which).code == which.value == str(which)


@pytest.mark.parametrize(
    "error",
    [
        *(
            each("why", retryable=True, sent=True)
            for each in CLASSES
            if each is not DeadlineExceeded
        ),
        DeadlineExceeded(Deadline.IDLE, sent=True),
    ],
    ids=lambda error: error.code,
)
def test_errors_survive_pickling(error: OutboundError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert (copy.code, copy.retryable, copy.sent) == (error.code, error.retryable, error.sent)
