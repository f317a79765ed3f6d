"""Local files that a configuration names: those that do not exist are refused before anything runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from xlm_core.config.corpora import GLUE_FILES, Corpus, CorpusSource
from xlm_core.config.pretrained import PretrainedFiles
from xlm_core.config.setups import BASE
from xlm_core.errors import ConfigError

if TYPE_CHECKING:
    from xlm_core.config import Config


def check_local_files(config: "Config") -> None:
    """Check that every local file of the configuration exists, relative to the working directory.

    Raises:
        ConfigError: one line per missing file: its key, its path, and what to do.
    """
    keys: dict[str, list[str]] = {}
    for key, path in local_files(config):
        if not Path(path).exists():
            keys.setdefault(key, []).append(path)
    lines = [
        f"config.{key}: {paths[0]} does not exist{f' ({len(paths)} files are missing)' if paths[1:] else ''}; expected "
        f"an existing path, relative to {Path.cwd()}: correct the path or create the file"
        for key, paths in keys.items()
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def local_files(config: "Config") -> Iterator[tuple[str, str]]:
    """Key of the configuration and path, for each local file or folder that is read."""
    if config.mirror is not None:
        yield "mirror", config.mirror
    for name, corpus in config.corpora.items():
        yield from _corpus_files(f"corpora.{name}.path", corpus, config.text.n_shards)
    yield from _source_files("xnli.evaluation.path", config.xnli.evaluation, ["evaluation"])
    yield from _source_files("xnli.training.path", config.xnli.training, ["training"])
    for task, source in config.glue.tasks.items() if config.glue else ():
        yield from _source_files(f"glue.tasks.{task}.path", source, list(GLUE_FILES[task]), source.files)
    for name, pairs in config.embeddings.lists.items() if config.embeddings else ():
        yield from _source_files(f"embeddings.{name}.path", pairs, pairs.keys)
    for name, run in config.runs.items():
        yield from _pretrained_files(f"runs.{name}.pretrained", run.pretrained)
    for name in (BASE, *config.setups):
        key = "vocabulary.pretrained" if name == BASE else f"setups.{name}.vocabulary.pretrained"
        yield from _pretrained_files(key, config.setup(name).vocabulary.pretrained)


def _corpus_files(key: str, corpus: Corpus, n_shards: int) -> Iterator[tuple[str, str]]:
    if corpus.format != "store":
        yield from _source_files(key, corpus, corpus.keys)
        return
    for language in corpus.keys:
        for shard in range(n_shards):
            yield from ((key, path) for path in corpus.store_paths(language, shard).values())


def _source_files(
    key: str, source: CorpusSource, keys: list[str], files: list[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Local files of a source; ``files`` replace the official names ``keys`` where they are given."""
    if source.path is None:
        return
    for name, file in zip(keys, files or keys, strict=False):
        yield from ((key, path) for path in source.locations(name, file))


def _pretrained_files(key: str, pretrained: PretrainedFiles | None) -> Iterator[tuple[str, str]]:
    if pretrained is not None:
        yield from ((f"{key}.sha256", path) for path in pretrained.files)
