"""Each run has a scratch folder of its own, and takes away what broken-off runs have left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal import stage

HOLD = "from rehearsal import stage; import pathlib, sys; stage.RUNS = pathlib.Path(sys.argv[1]); \
print(stage.scratch_folder(), flush=True); sys.stdin.read()"


def test_left_over_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose run still lives stays; when the run was killed, the next one removes it."""
    monkeypatch.setattr(stage, "RUNS", tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    theirs = Path(other.stdout.readline().strip())
    (theirs / "file").touch()
    first = stage.scratch_folder()
    assert first != theirs
    assert (theirs / "file").exists()
    other.kill()
    other.wait()
    other.stdout.close()
    other.stdin.close()
    second = stage.scratch_folder()
    assert not theirs.exists()
    assert {path.name for path in tmp_path.iterdir()} == {first.name, second.name}


FORK = """
import time
from rehearsal.stage import Stage

def sleep():
    while True:
        time.sleep(60)

stage = Stage(print)
try:
    first, second = stage.fork(sleep), stage.fork(sleep)
    first.end()
    print(first.code, second.poll(), flush=True)
    second.end()
    print(second.code, flush=True)
finally:
    stage.close()
"""


def test_forked_processes_end_one_by_one() -> None:
    """One that was forked later does not keep an earlier one from ending."""
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.split() == ["130", "None", "130"]


def test_a_folder_just_made_is_somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the making of a folder and of its lock no other run takes it for a left-over."""
    monkeypatch.setattr(stage, "RUNS", tmp_path)
    (tmp_path / "young").mkdir()
    (tmp_path / "old").mkdir()
    os.utime(tmp_path / "old", (0, 0))
    stage.scratch_folder()
    assert (tmp_path / "young").exists()
    assert not (tmp_path / "old").exists()
