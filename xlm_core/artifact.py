"""Finished artifacts: files that somebody else made and that are used instead of being made, by their SHA-256."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlm_core.errors import ArtifactError


def check(sums: Mapping[Path, str]) -> None:
    """Refuse files that are not those that were named.

    Args:
        sums: file -> the SHA-256 that it shall have, in hexadecimal digits.

    Raises:
        ArtifactError: one is missing, or has another sum.
    """
    for path, expected in sums.items():
        try:
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read ({error}); expected a finished artifact there") from error
        if found != expected:
            raise ArtifactError(
                f"{path}: found SHA-256 {found}, expected {expected}; fetch the file again, or, where this one is "
                f"wanted, put its sum into the configuration"
            )


def origin(format: str, sums: Mapping[Path, str]) -> dict[str, Any]:  # noqa: A002
    """What is recorded of an artifact: its format, and the names and sums of its files."""
    return {"format": format, "sha256": {path.name: sum_ for path, sum_ in sums.items()}}


def check_unnamed(folder: Path, names: tuple[str, ...], sums: Mapping[Path, str]) -> None:
    """Refuse a folder with files that would be read, but that have no sum.

    Args:
        folder: where the artifact lies.
        names: of the files that would be read if they are there.
        sums: as of ``check``.

    Raises:
        ArtifactError: there is one.
    """
    for name in names:
        if (folder / name).exists() and folder / name not in sums:
            raise ArtifactError(
                f"{folder / name} would be read, but its SHA-256 is not in the configuration; expected all of "
                f"{', '.join(names)} that are there; add its sum, or move it away"
            )
