"""A step ends with one message where the user can mend it, and with its workflow."""

import os
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from xlm_core.errors import CorpusError
from xlm_core.workflow.step import report_errors
with report_errors(sys.argv[1]):
    raise {error}
"""
TALK = """
import logging
from xlm_core.workflow.step import report_errors
with report_errors("/dev/full"):
    logging.info("half of %s is read", "it")
"""
SLEEP = """
import sys, time
from types import SimpleNamespace
from xlm_core.workflow.step import workflow_step
with workflow_step(SimpleNamespace(log=[sys.argv[1]], output={})):
    print("asleep", flush=True)
    time.sleep(60)
"""
STUBBORN = f"""
import signal
from xlm_core.workflow import step as steps
steps.GRACE_SECONDS = 0.5
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{SLEEP}"""


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


def started_by(number: int, log: Path, script: str = SLEEP) -> subprocess.Popen:
    """A step that sleeps, started by a workflow whose process is ``number``."""
    command = [sys.executable, "-c", script, str(log)]
    return subprocess.Popen(
        command, env={**os.environ, "XLM_WORKFLOW": str(number)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_step_ends_with_its_workflow(tmp_path: Path):
    workflow = subprocess.Popen(["sleep", "60"])
    step = started_by(workflow.pid, tmp_path / "log")
    assert step.stdout.readline() == b"asleep\n" and step.poll() is None
    workflow.kill()
    assert step.wait(timeout=10) == -signal.SIGTERM
    assert "the process that started this one has died" in (tmp_path / "log").read_text()
    workflow.wait()


def test_a_step_does_not_begin_after_the_end_of_its_workflow(tmp_path: Path):
    workflow = subprocess.Popen(["true"])
    workflow.wait()
    output, errors = started_by(workflow.pid, tmp_path / "log").communicate(timeout=10)
    assert output == b"" and b"has died; run the workflow again" in errors


def test_a_step_that_does_not_end_is_killed(tmp_path: Path):
    workflow = subprocess.Popen(["sleep", "60"])
    step = started_by(workflow.pid, tmp_path / "log", STUBBORN)
    assert step.stdout.readline() == b"asleep\n"
    workflow.kill()
    assert step.wait(timeout=10) == -signal.SIGKILL
    workflow.wait()
