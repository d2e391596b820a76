import subprocess
import sys
import threading
import time
from importlib.metadata import PackageNotFoundError

import pytest

from intmod_site.api.errors import ServiceUnavailable, TooManyRequests
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.model_slot import ModelSlot


class Holder:
    """Uses a slot in a thread of its own until told to stop."""

    def __init__(self, slot):
        self.entered, self.release = threading.Event(), threading.Event()
        self._slot = slot
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with self._slot.use(Deadline(10)):
            self.entered.set()
            self.release.wait(10)

    @staticmethod
    def stop(*holders):
        # All are told before any is waited for: whose turn comes next is not for us to say.
        for holder in holders:
            holder.release.set()
        for holder in holders:
            holder._thread.join(10)


def wait_until(condition):
    ends_at = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.001)


def test_the_model_is_loaded_by_the_first_use_and_only_then():
    loads = []
    slot = ModelSlot("m", lambda: loads.append(1) or "model")
    assert not slot.is_loaded
    for _ in range(2):
        with slot.use(Deadline(1)) as model:
            assert model == "model"
    assert slot.is_loaded
    assert loads == [1]


def test_many_threads_load_once_and_never_meet():
    loads, inside, met = [], [], []
    slot = ModelSlot("m", lambda: loads.append(1) or object(), max_waiting=20)

    def work():
        with slot.use(Deadline(10)):
            inside.append(1)
            met.append(len(inside))
            time.sleep(0.001)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]
    assert set(met) == {1}


def test_a_full_queue_is_429_and_a_place_becomes_free_again():
    slot = ModelSlot("m", object, max_waiting=2)
    first = Holder(slot)
    first.entered.wait(5)
    waiting = [Holder(slot), Holder(slot)]
    wait_until(lambda: slot._callers == 3)

    with pytest.raises(TooManyRequests) as caught, slot.use(Deadline(5)):
        pass
    assert caught.value.status == 429
    assert caught.value.error_code == "local_model_queue_full"
    assert caught.value.retry_after_s > 0

    Holder.stop(first, *waiting)
    with slot.use(Deadline(1)):
        assert slot._callers == 1
    assert slot._callers == 0


def test_waiting_ends_with_the_deadline():
    slot = ModelSlot("m", object)
    holder = Holder(slot)
    holder.entered.wait(5)
    with pytest.raises(ServiceUnavailable) as caught, slot.use(Deadline(0.05)):
        pass
    Holder.stop(holder)
    assert caught.value.error_code == "local_model_busy"
    assert caught.value.retry_after_s > 0
    assert slot._callers == 0


def test_an_error_while_the_model_is_used_frees_it():
    slot = ModelSlot("m", object)
    with pytest.raises(ZeroDivisionError), slot.use(Deadline(1)):
        1 / 0  # noqa: B018
    with slot.use(Deadline(0.1)):
        pass


@pytest.mark.parametrize(
    "missing",
    [
        ModuleNotFoundError("No module named 'runtime'"),
        PackageNotFoundError("weights"),
        FileNotFoundError("x"),
    ],
    ids=["library", "package", "file"],
)
def test_a_model_that_is_not_installed_is_503_and_names_the_command(missing):
    def load():
        raise missing

    slot = ModelSlot("m", load)
    with pytest.raises(ServiceUnavailable) as caught, slot.use(Deadline(1)):
        pass
    assert caught.value.status == 503
    assert caught.value.error_code == "local_model_not_installed"
    assert "python manage.py install_local_models" in caught.value.message


def test_a_model_that_was_missing_is_looked_for_again():
    answers = iter([FileNotFoundError("not yet"), None])

    def load():
        if error := next(answers):
            raise error
        return "model"

    slot = ModelSlot("m", load)
    with pytest.raises(ServiceUnavailable), slot.use(Deadline(1)):
        pass
    with slot.use(Deadline(1)) as model:
        assert model == "model"


FORK = """
import os
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.model_slot import ModelSlot

slot = ModelSlot("m", os.getpid, max_waiting=0)
# The fork happens while the model is in use: in the child nobody would ever give it back.
with slot.use(Deadline(1)) as loaded_by:
    assert loaded_by == os.getpid()
    child = os.fork()
    if child == 0:
        assert not slot.is_loaded
        with slot.use(Deadline(1)) as loaded_by:
            os._exit(0 if loaded_by == os.getpid() else 1)
assert slot.is_loaded
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

FORK_OF_A_REAL_MODEL = """
import os
from registry.inference.calls import EmbedCall
from registry.inference.local_models.embedding import embed, minilm_slot

call = EmbedCall(("hello",))
before = embed(call, timeout_s=30)
child = os.fork()
if child == 0:
    loaded_anew = not minilm_slot.is_loaded
    same = embed(call, timeout_s=30) == before
    os._exit(0 if loaded_anew and same else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("program", [FORK, FORK_OF_A_REAL_MODEL], ids=["in use", "real model"])
def test_a_forked_child_loads_anew(program):
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
