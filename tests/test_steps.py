"""A step ends with one message where the user can mend it."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from xlm_core.errors import CorpusError
from xlm_core.steps import step
with step(sys.argv[1]):
    raise {error}
"""
TALK = """
import logging
from xlm_core.steps import step
with step("/dev/full"):
    logging.info("half of %s is read", "it")
"""


def run(tmp_path: Path, error: str) -> tuple[subprocess.CompletedProcess, str]:
    log = tmp_path / "step.log"
    command = [sys.executable, "-c", SCRIPT.format(error=error), str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False), log.read_text()


def test_a_named_error_is_one_message_and_its_traceback_is_in_the_log(tmp_path: Path):
    process, log = run(tmp_path, "CorpusError('fr.txt: no line; give some text')")
    assert process.returncode == 1
    assert process.stderr == "CorpusError: fr.txt: no line; give some text\n"
    assert "Traceback" in log


def test_an_error_of_the_program_keeps_its_traceback(tmp_path: Path):
    process, _ = run(tmp_path, "ZeroDivisionError('a mistake of ours')")
    assert process.returncode == 1 and "Traceback" in process.stderr


def test_a_full_disk_met_anywhere_is_one_message(tmp_path: Path):
    process, log = run(tmp_path, "OSError(28, 'of a library, about its temporary file')")
    assert process.returncode == 1
    assert process.stderr.startswith("StorageError: a file of this step (") and process.stderr.count("\n") == 1
    assert "about its temporary file" in log


def test_what_a_log_has_no_room_for_is_shown_instead():
    process = subprocess.run([sys.executable, "-c", TALK], capture_output=True, text=True, check=False)
    assert process.returncode == 0
    assert process.stderr == "half of it is read (not in /dev/full: [Errno 28] No space left on device)\n"
