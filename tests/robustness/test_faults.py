"""Faults of machines, disks, clocks and people: a run that meets one ends in the same table, once it is typed again."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import disturbances
import pytest
from disturbances import OWN, RESULTS, SmallDisk
from project import Project

N_KILLS = 10  # of Snakemake, and as many of its jobs
MOST_JOBS = 8  # that begin between two kills
VOCABULARY = str(RESULTS / "bpe/base/vocabulary.json")
PAGE = 4096  # bytes
FUTURE, PAST = 4_000_000_000, 500_000_000  # seconds: in the years 2096 and 1985
NO_ROOM = re.compile(
    r"^StorageError: (?P<path>\S+)( \(.+?\))? could not be written: No space left on device; expected room for all "
    r"of it\. Free space there \(df -h and df -i show what is left\), or choose a folder on another disk, "
    r"then run again: what is finished stays$",
    re.MULTILINE,
)


def said(run: subprocess.CompletedProcess) -> str:
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that nothing disturbs."""
    project = disturbances.new_project(tmp_path_factory.mktemp("undisturbed"))
    run = project.snakemake("xnli_table")
    assert run.returncode == 0, said(run)[-5000:]
    return project


@pytest.fixture(scope="module")
def pace(undisturbed: Project) -> float:
    """The seconds of a job, on average: how fast this machine is, so that kills are spread over the whole of a run."""
    times = [path.stat().st_mtime for path in (undisturbed.folder / RESULTS).rglob("*.*")]
    return (max(times) - min(times)) / len(set(disturbances.recorded(undisturbed.folder).values()))


@pytest.fixture(scope="module")
def expected(undisturbed: Project) -> dict[str, bytes]:
    """What every run must have made at last."""
    return disturbances.made(undisturbed.folder)


class Watched:
    """A project that is killed again and again, and what it had finished by each kill."""

    def __init__(self, folder: Path, undisturbed: Project, expected: dict[str, bytes]) -> None:
        self.folder = disturbances.new_project(folder, retries=N_KILLS).folder
        self._outputs = disturbances.recorded(undisturbed.folder)
        self._expected = expected
        self._finished: dict[str, tuple[int, int]] = {}
        self._runs: list[subprocess.Popen] = []

    def start(self, *arguments: str) -> subprocess.Popen:
        self._runs.append(disturbances.start(self.folder, "xnli_table", *arguments))
        return self._runs[-1]

    def stop(self) -> None:
        """End what a failed test has left running."""
        for run in self._runs:
            run.kill()
            run.wait()

    def look(self) -> None:
        """What was finished once is the same file as then."""
        now = disturbances.finished(self.folder, self._outputs)
        assert {output: now.get(output) for output in self._finished} == self._finished
        self._finished = now

    def ends(self, run: subprocess.Popen) -> None:
        """All is there at its end, and as it must be; another run would begin from nothing."""
        assert run.wait() == 0, (self.folder / "run.log").read_text()[-5000:]
        self.look()
        assert self._finished.keys() == self._outputs.keys()
        assert disturbances.made(self.folder) == self._expected
        assert not list((self.folder / RESULTS).rglob("*.partial"))
        shutil.rmtree(self.folder / "results")
        shutil.rmtree(self.folder / ".snakemake")
        self._finished = {}


@pytest.fixture
def watched(tmp_path: Path, undisturbed: Project, expected: dict[str, bytes]) -> Iterator[Watched]:
    watched = Watched(tmp_path, undisturbed, expected)
    yield watched
    watched.stop()


def test_kills_of_snakemake_change_nothing(watched: Watched, pace: float):
    """Whenever all is made before so many kills, it begins anew. The first lock is removed, the others are passed."""
    rng, hit, told, slowest, lock = random.Random(0), Counter[str](), 0, 0.0, []
    for _ in range(N_KILLS):
        while True:
            run = watched.start(*lock)
            disturbances.wait_for_jobs(run, rng.randint(1, MOST_JOBS))
            time.sleep(rng.uniform(0, pace))
            if run.poll() is None:
                break
            watched.ends(run)
        before = disturbances.farewells(watched.folder)
        scripts, seconds = disturbances.kill_snakemake(run)
        hit.update(scripts[:1])
        told += disturbances.farewells(watched.folder) > before
        slowest = max(slowest, seconds)
        watched.look()
        if not lock:
            refuse_and_unlock(watched.folder)
            lock = ["--nolock"]
    assert hit.total() >= N_KILLS * 2 // 3 and len(hit) >= 4, hit
    assert told >= N_KILLS // 3, "jobs ended when they were done, not when Snakemake died"
    assert slowest < 30, "a step, or the saving of a small training, takes a moment"
    watched.ends(watched.start(*lock))


def refuse_and_unlock(folder: Path) -> None:
    """The lock that a killed run leaves is a message, which says how it goes away."""
    refused = disturbances.start(folder, "xnli_table")
    assert refused.wait() == 1
    log = (folder / "run.log").read_text()
    assert "LockException" in log and "--unlock" in log
    assert disturbances.start(folder, "xnli_table", "--unlock").wait() == 0


def test_kills_of_jobs_change_nothing(watched: Watched, pace: float):
    """The first ends its run, which is typed again; from then on Snakemake tries again by itself."""
    rng, hit, retries = random.Random(1), Counter[str](), []
    run = watched.start()
    while hit.total() < N_KILLS:
        disturbances.wait_for_jobs(run, rng.randint(1, MOST_JOBS))
        time.sleep(rng.uniform(0, pace))
        watched.look()
        if script := disturbances.kill_a_job(run, rng):
            hit[script] += 1
            if retries:
                continue
            assert run.wait() == 1
            assert re.search(r"^FAILED .+ \(rule \w+\)$", (watched.folder / "run.log").read_text(), re.MULTILINE)
            retries = [f"--retries={N_KILLS}"]
        else:
            watched.ends(run)
        run = watched.start(*retries)
    assert len(hit) >= 4, hit
    watched.ends(run)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, SmallDisk]]:
    """A project whose results are on a disk of their own."""
    project = disturbances.new_project(tmp_path_factory.mktemp("disk"))
    try:
        with disturbances.small_disk(project.folder / RESULTS) as disk:
            yield project, disk
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")


@pytest.mark.parametrize(
    ("rule", "n_pages"),
    [
        ("download", 2), ("tokenize", 0), ("learn_bpe", 2), ("build_store", 2), ("pretrain", 8), ("finetune_xnli", 0),
        ("score_xnli", 2), ("make_xnli_table", 3),
    ],
)  # fmt: skip
def test_a_full_disk_is_a_message_and_half_of_nothing(disk: tuple[Project, SmallDisk], rule: str, n_pages: int):
    """With no page left not even a log can be written; with a few more the data themselves are cut off."""
    project, small = disk
    run = small.run(*disturbances.command("xnli_table", "--omit-from", rule), cwd=project.folder)
    assert run.returncode == 0, said(run)[-5000:]
    before = disturbances.results(small.content)
    small.leave(n_pages * PAGE)
    run = small.run(*disturbances.command("xnli_table", "--until", rule, "--retries=0"), cwd=project.folder)
    small.leave(1 << 29)
    assert run.returncode == 1 and f"(rule {rule})" in said(run), said(run)[-5000:]
    message = NO_ROOM.search(said(run))
    assert message and message["path"].startswith(str(RESULTS)), said(run)[-5000:]
    assert "Traceback" not in said(run)
    assert disturbances.results(small.content) == before


def test_with_room_again_the_table_is_made(disk: tuple[Project, SmallDisk], expected: dict[str, bytes], tmp_path: Path):
    project, small = disk
    run = small.run(*disturbances.command("xnli_table"), cwd=project.folder)
    assert run.returncode == 0, said(run)[-5000:]
    shutil.copytree(small.content, tmp_path / RESULTS)
    assert disturbances.made(tmp_path) == expected


def test_a_disk_without_room_for_snakemake_itself(undisturbed: Project, tmp_path: Path):
    """Its locks, its records and the scripts of jobs lie beside the results; a lock may stay."""
    project = disturbances.new_project(tmp_path / "project")
    try:
        with disturbances.small_disk(tmp_path / "work") as small:
            disturbances.write_corpora(small.content)
            line = disturbances.command(VOCABULARY, "--directory", str(small.folder))
            for n_pages in (0, 12):
                small.leave(n_pages * PAGE)
                run = small.run(*line, "--nolock", cwd=project.folder)
                assert run.returncode == 1 and "No space left on device" in said(run), said(run)[-5000:]
            small.leave(1 << 29)
            run = small.run(*line, "--nolock", cwd=project.folder)
            assert run.returncode == 0, said(run)[-5000:]
            assert (small.content / VOCABULARY).read_bytes() == (undisturbed.folder / VOCABULARY).read_bytes()
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")


def test_read_only_sources_no_home_and_odd_names(tmp_path: Path, expected: dict[str, bytes]):
    """The project and the texts may not be written, there is no home directory, and no path is of plain letters."""
    try:
        unprivileged = disturbances.without_privileges()
    except OSError as error:
        pytest.skip(str(error))
    folder = tmp_path / "ein Projekt (für 語言)"
    project = disturbances.new_project(folder / "mit Code")
    out, scratch = folder / "die Ausgabe é", folder / "für Kurzes"
    disturbances.write_corpora(out)
    scratch.mkdir()
    shutil.rmtree(project.folder / "mirror")
    own = out / OWN.format(key="fr")
    environment = {**os.environ, "HOME": str(project.folder / "nonexistent"), "TMPDIR": str(scratch)}
    environment.pop("XDG_CACHE_HOME", None)
    line = [*unprivileged, *disturbances.command("xnli_table", "--directory", str(out))]

    def run(*arguments: str) -> subprocess.CompletedProcess:
        # the name of the configuration is relative to the project's folder
        return subprocess.run(
            [*line, *arguments], cwd=project.folder, env=environment, capture_output=True, text=True, check=False
        )

    with disturbances.read_only(project.folder), disturbances.read_only(own.parent):
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run([*unprivileged, "sh", "-c", ': >> "$0"', str(own)], check=True, capture_output=True)
        first, second = run(), run("-n")
    assert first.returncode == 0, said(first)[-5000:]
    assert disturbances.made(out) == expected
    assert "Nothing to be done" in said(second), said(second)[-3000:]
    left = [path.name for path in scratch.iterdir() if not path.name.startswith("torchinductor_")]  # a cache
    assert left == []


def test_a_text_from_the_future_is_refused_until_it_is_touched(tmp_path: Path):
    """By Snakemake, with both times: all that is made of it would look older than it."""
    project = disturbances.new_project(tmp_path)
    text, made_of_it = tmp_path / OWN.format(key="fr"), str(RESULTS / "text/own/fr/statistics.json")
    os.utime(text, (FUTURE, FUTURE))
    run = project.snakemake(made_of_it)
    assert run.returncode == 1 and re.search(r"has older modification time .+ than input mein Text/", said(run))
    assert not list((tmp_path / RESULTS / "text").rglob("*.*"))
    text.touch()
    run = project.snakemake(made_of_it)
    assert run.returncode == 0, said(run)[-5000:]


def test_clocks_that_jump_start_nothing_again(undisturbed: Project, tmp_path: Path):
    """Files are told apart by what is in them: results from the past, and inputs from the future, are as good."""
    folder = tmp_path / "copy"
    shutil.copytree(undisturbed.folder, folder)  # whose files are all of today, in any order
    files = [path for path in (folder / RESULTS).rglob("*") if path.is_file()]
    assert len(files) > 100
    rng = random.Random(2)
    for path in [*files, folder / OWN.format(key="fr")]:
        moment = rng.choice([PAST, FUTURE]) + rng.uniform(0, 1e6)
        os.utime(path, (moment, moment))
    run = subprocess.run(
        disturbances.command("xnli_table", "-n"), cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0 and "Nothing to be done" in said(run), said(run)[-5000:]


def test_a_second_run_is_told_and_harms_nothing(tmp_path: Path, undisturbed: Project):
    """With --nolock both do the same; whatever becomes of them, the next run ends with the right files."""
    project = disturbances.new_project(tmp_path)
    first = disturbances.start(tmp_path, VOCABULARY)
    assert disturbances.wait_for_jobs(first)
    first.send_signal(signal.SIGSTOP)  # so that it does not end before the second is there
    second = project.snakemake(VOCABULARY)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 1 and "LockException" in said(second) and "--unlock" in said(second)
    assert first.wait() == 0
    assert (tmp_path / VOCABULARY).read_bytes() == (undisturbed.folder / VOCABULARY).read_bytes()

    shutil.rmtree(tmp_path / "results")
    both = [disturbances.start(tmp_path, VOCABULARY, "--nolock") for _ in range(2)]
    for run in both:
        assert disturbances.wait_for_jobs(run)
    for run in both:
        run.wait()
    last = project.snakemake(VOCABULARY, "--nolock")
    assert last.returncode == 0, said(last)[-5000:]
    for path in (tmp_path / RESULTS / "tokens").rglob("*.tsv"):
        assert path.read_bytes() == (undisturbed.folder / path.relative_to(tmp_path)).read_bytes()
    assert (tmp_path / VOCABULARY).read_bytes() == (undisturbed.folder / VOCABULARY).read_bytes()
