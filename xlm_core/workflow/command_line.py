"""Refuse a target behind ``--configfile`` in one line: Snakemake takes every further word there for a file.

Snakemake reads these files before the Snakefile. The profiles, which it reads still earlier, call this.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

OPTIONS = ("--configfile", "--configfiles")
ENDINGS = (".yaml", ".yml", ".json")  # of configurations


def check_configuration_files(arguments: Sequence[str]) -> None:
    """Check that the files of ``--configfile`` exist.

    Args:
        arguments: of Snakemake's command line, without its name.

    Raises:
        SystemExit: one does not; the message has the command as it works where the word is rather a target.
    """
    missing = [name for name in _configuration_files(arguments) if not Path(name).exists()]
    targets = [name for name in missing if Path(name).suffix not in ENDINGS]
    if targets:
        others = [word for word in arguments if word not in targets]
        raise SystemExit(
            f"{targets[0]}: there is no such file, and behind --configfile Snakemake takes every word for one. "
            f"Name what you want first:\n    {shlex.join(['snakemake', *targets, *others])}"
        )
    if missing:
        raise SystemExit(f"{missing[0]}: there is no such configuration file; correct the name behind --configfile")


def _configuration_files(arguments: Sequence[str]) -> list[str]:
    """Return the words that Snakemake takes for configuration files."""
    files, is_behind_option = [], False
    for word in arguments:
        if word.startswith("-"):
            is_behind_option = word in OPTIONS
        elif is_behind_option:
            files.append(word)
    return files
