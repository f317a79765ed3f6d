"""What several tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MIRROR = ROOT.parent / "shared" / "mirror"


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Reduced official files, laid out as ``<host>/<path>``; not part of the project."""
    if not MIRROR.is_dir():
        pytest.skip(f"needs the mirror of reduced official files, absent here: {MIRROR}")
    return MIRROR
