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
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
