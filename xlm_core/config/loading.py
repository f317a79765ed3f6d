"""Read a configuration, and refuse local files that do not exist before anything runs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from xlm_core import published
from xlm_core.config.schema import Config
from xlm_core.config.setups import BASE, expand_setups, setup_path
from xlm_core.config.sources import PretrainedFiles
from xlm_core.config.strict_model import read
from xlm_core.config.tables import BASELINES
from xlm_core.errors import ConfigError

# Errors of text that is no YAML: the library's own, and Python's of wrong bytes and numbers.
BROKEN = (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError, RecursionError)


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: one line that names the key, what was found and what is allowed.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except BROKEN as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    return parse(data)


def parse(data: Any) -> Config:
    """Check a configuration that was read as plain dictionaries and lists."""
    if not isinstance(data, Mapping):
        return read(Config, data)
    names = defined_names(data)
    return read(Config, expand_setups(data, names), names=names)


def defined_names(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return kind -> the names that a configuration defines; a section that is no mapping is left out."""
    names = {kind: list(data[kind]) for kind in ("runs", "corpora", "setups") if isinstance(data.get(kind), Mapping)}
    names |= {"setups": [BASE, *names.get("setups", [])], "published": published.keys()}
    if "runs" in names:
        names["vectors"] = [*BASELINES, *names["runs"]]
    return names


def check_local_files(config: Config) -> None:
    """Check that every local file of the configuration exists, relative to the working directory.

    Raises:
        ConfigError: one line per key whose files are missing: the key, the first path, and what to do.
    """
    missing: dict[str, list[str]] = {}
    for key, path in local_files(config):
        if not Path(path).exists():
            missing.setdefault(key, []).append(path)
    lines = [
        f"config.{key}: {paths[0]} does not exist{f' ({len(paths)} files are missing)' if paths[1:] else ''}; expected "
        f"an existing path, relative to {Path.cwd()}: correct the path or create the file"
        for key, paths in missing.items()
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def local_files(config: Config) -> Iterator[tuple[str, str]]:
    """Yield key of the configuration and path of each local file or folder that is read."""
    if config.mirror is not None:
        yield "mirror", config.mirror
    for key, source in config.sources.items():
        for name in source.keys:
            yield from ((f"{key}.path", path) for path in source.local_files(name, config.text.n_shards))
    pretrained: dict[str, PretrainedFiles | None] = {
        f"runs.{name}": run.pretrained for name, run in config.runs.items()
    }
    for name, setup in config.all_setups.items():
        pretrained[f"{setup_path(name)}vocabulary"] = setup.vocabulary.pretrained
    for key, files in pretrained.items():
        yield from ((f"{key}.pretrained.sha256", path) for path in (files.files if files else ()))
