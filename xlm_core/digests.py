"""Short digests of values and files."""

import hashlib
import json
from pathlib import Path
from typing import Any


def of_value(value: Any) -> str:
    """Digest plain data: dictionaries, lists, numbers, text."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def of_file(path: Path) -> str:
    """Digest the content of a file."""
    return sha256(path)[:12]


def sha256(path: Path) -> str:
    """Return the SHA-256 of the content of a file, in hexadecimal digits."""
    return _file_digest(path, "sha256")


def sha1(path: Path) -> str:
    """Return the SHA-1 of the content of a file, which publishers of dumps give, in hexadecimal digits."""
    return _file_digest(path, "sha1")


def _file_digest(path: Path, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
