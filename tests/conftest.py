"""What several tests share, and in how many processes they run."""

import os
from datetime import timedelta
from pathlib import Path

import project as projects
import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).parent.parent
MAX_PROCESSES = 4  # the longest file takes more than a fourth of the time
MIRROR = ROOT.parent / "shared" / "mirror"

# No test is timed: the machine may be busy, and the first example often pays for an import. --hypothesis-profile wins.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Of tests/robustness/test_fuzz.py, to be ended by hand or by timeout -s INT. The first failure ends it at once, and is
# kept: the plain test tries it again, and makes it small.
settings.register_profile(
    "fuzz",
    max_examples=1_000_000,
    deadline=timedelta(minutes=1),
    phases=(Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run the plain tests in a process per core; the tests of robustness share and disturb what only one may use."""
    return 0 if config.option.markexpr == "robustness" else min(os.cpu_count() or 1, MAX_PROCESSES)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Reduced official files, laid out as ``<host>/<path>``; not part of the project."""
    if not MIRROR.is_dir():
        pytest.skip(f"needs the mirror of reduced official files, absent here: {MIRROR}")
    return MIRROR


@pytest.fixture(scope="session")
def quick_project(tmp_path_factory: pytest.TempPathFactory) -> projects.Project:
    """Every stage once, run from end to end."""
    return projects.finished(tmp_path_factory.mktemp("quick"), projects.read_settings("quick"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> projects.Project:
    """The tiny configuration, run from end to end."""
    return projects.finished(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def unused(tmp_path_factory: pytest.TempPathFactory) -> projects.Project:
    """A copy of the project in which nothing has run."""
    return projects.Project(tmp_path_factory.mktemp("unused"))
