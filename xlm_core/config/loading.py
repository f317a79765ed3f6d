"""Reading a configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xlm_core.config.embeddings import BASELINES
from xlm_core.config.schema import Config
from xlm_core.config.setups import BASE, expand_setups
from xlm_core.config.strict_model import read
from xlm_core.errors import ConfigError

# What text that is no YAML leads to: beside the library's own errors those of bytes and numbers that are none.
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
    names["setups"] = [BASE, *names.get("setups", [])]
    if "runs" in names:
        names["vectors"] = [*BASELINES, *names["runs"]]
    return names
