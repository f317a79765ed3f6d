"""The files of the tiny configuration have the content that they had: whoever changes the generator changes results."""

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import yaml

import microworld
from xlm_core import config

FOLDER = Path(__file__).parent
TINY = FOLDER.parent / "tiny" / "config.yaml"


def content(path: Path) -> bytes:
    """What a file holds, without the bytes of its compression, which depend on the library."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_the_files_of_the_tiny_configuration_are_those_recorded(tmp_path: Path):
    settings = yaml.safe_load(TINY.read_text())
    world = config.read(config.Microworld, settings["microworld"])
    outputs = {file: tmp_path / ".".join(file) for file in world.files}
    microworld.write(world, settings["languages"], outputs)
    digests = {"/".join(file): hashlib.sha256(content(path)).hexdigest() for file, path in outputs.items()}
    assert digests == json.loads((FOLDER / "digests.json").read_text())
