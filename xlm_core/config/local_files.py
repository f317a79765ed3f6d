"""Local files that a configuration names: whether they exist, and whether folders of transformers fit their setups."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlm_core.config.pretrained import SHAPE, TOKENIZERS, XLM_SHAPE, PretrainedFiles, saving_call
from xlm_core.config.setups import setup_path
from xlm_core.config.tables import SystemConfig, pretrained_systems
from xlm_core.errors import ConfigError
from xlm_core.io import read_json, read_problem

if TYPE_CHECKING:
    from xlm_core.config.configuration import Config

CONFIG, WEIGHTS = "config.json", "model.safetensors"
OPTIONS = {"norm_epsilon": "layer_norm_eps", "language_embeddings": "use_lang_emb"}  # key of ``model`` -> setting
LIMITS = ("model.max_positions", "vocabulary.size")


def check_local_files(config: "Config") -> None:
    """Check that every local file of the configuration exists, relative to the working directory.

    Of folders of transformers the ``config.json`` is compared with the setup, so that a wrong shape or vocabulary is
    known before any job. Whether there are weights that predict tokens, or a pooler, is known when they are read.

    Raises:
        ConfigError: one line per key whose files are missing or do not fit: the key, the first path, and what to do.
    """
    problems = _missing_files(config) | dict(_unfit_folders(config))
    if problems:
        raise ConfigError("\n".join(f"config.{key}: {problem}" for key, problem in problems.items()))


def check_container(container: str | None) -> None:
    """Check that there is an image, a file or an address, in which ``--sdm apptainer`` can run the jobs.

    Raises:
        ConfigError: none is named, or it is a file that does not exist.
    """
    if container is None or not ("://" in container or Path(container).exists()):
        problem = "no image is named" if container is None else f"{container} does not exist"
        raise ConfigError(
            f"config.compute.container: {problem}, and --sdm apptainer needs one; expected an existing file, relative "
            f"to {Path.cwd()}, or an address such as docker://host/name:tag: docs/cluster.md says how to build an image"
        )


def local_files(config: "Config") -> dict[str, list[str]]:
    """Return key of the configuration -> paths of the local files or folders that are read."""
    files = {"mirror": [config.mirror]} if config.mirror is not None else {}
    for key, source in config.sources.items():
        files[f"{key}.path"] = [path for name in source.keys for path in source.local_files(name, config.text.n_shards)]
    models = ((f"runs.{name}", run.pretrained) for name, run in config.runs.items())
    setups = config.all_setups.items()
    vocabularies = ((f"{setup_path(name)}vocabulary", setup.vocabulary.pretrained) for name, setup in setups)
    return files | {f"{key}.pretrained": given.local_files for key, given in (*models, *vocabularies) if given}


def _missing_files(config: "Config") -> dict[str, str]:
    """Return key -> the first of its files that does not exist."""
    problems = {}
    for key, paths in local_files(config).items():
        if missing := [path for path in paths if not Path(path).exists()]:
            others = f" ({len(missing)} files are missing)" if missing[1:] else ""
            problems[key] = (
                f"{missing[0]} does not exist{others}; expected an existing path, relative to {Path.cwd()}: correct "
                "the path or create the file"
            )
    return problems


def _unfit_folders(config: "Config") -> Iterator[tuple[str, str]]:
    """Yield key -> what an existing folder of transformers lacks, or has otherwise than the setup that uses it."""
    for name, setup in config.all_setups.items():
        folder = _existing_folder(setup.vocabulary.pretrained)
        if folder and (problem := _lack_of_tokenizer(folder)):
            yield f"{setup_path(name)}vocabulary.pretrained", problem
    for system in _all_systems(config):
        folder = _existing_folder(config.runs[system.run].pretrained)
        if folder and (problem := _lack_of_model(folder) or _misfit(config, system, folder / CONFIG)):
            yield f"runs.{system.run}.pretrained", problem


def _all_systems(config: "Config") -> Iterator[SystemConfig]:
    """Yield the models of all tables, and those that they begin with."""
    for system in chain(*pretrained_systems(config).values()):
        each: SystemConfig | None = system
        while each:
            yield each
            each = config.initial_system(each.setup, each.run)


def _existing_folder(given: PretrainedFiles | None) -> Path | None:
    """Return a local folder of transformers; None where it is none, or does not exist."""
    folder = Path(given.path) if given and given.path and given.is_folder else None
    return folder if folder and folder.is_dir() else None


def _lack_of_tokenizer(folder: Path) -> str | None:
    """Return that a folder has no tokenizer that can be read."""
    if any(all((folder / name).exists() for name in names) for names in TOKENIZERS):
        return None
    expected = ", or ".join(" with ".join(names) for names in TOKENIZERS)
    return (
        f"{folder}: found no tokenizer that can be read; expected {expected}. Where it has one in another form, this "
        f"writes {TOKENIZERS[0][0]}: {saving_call('AutoTokenizer', folder)}"
    )


def _lack_of_model(folder: Path) -> str | None:
    """Return that a folder has no weights that can be read, or no tokenizer."""
    if (folder / WEIGHTS).exists():
        return _lack_of_tokenizer(folder)
    return (
        f"{folder / WEIGHTS} does not exist; expected all weights in this one file. Where they are in another form, "
        f"this writes it: {saving_call('AutoModelForMaskedLM', folder)}"
    )


def _misfit(config: "Config", system: SystemConfig, path: Path) -> str | None:
    """Return how a ``config.json`` differs from the setup that uses its folder."""
    is_ours = not config.runs[system.run].is_of_transformers
    ours = {f"model.{key}": value for key, value in config.model_of(system.setup, system.run).shape.items()}
    ours["vocabulary.size"] = config.setup(system.setup).vocabulary.size
    try:
        theirs = _sizes(read_json(path), is_ours=is_ours)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        return f"{path} {read_problem(path, error)}; expected a whole folder of transformers"
    if not is_ours:  # it may read less than it could, and its table of pieces may be rounded up
        theirs |= {key: min(ours[key], theirs[key]) for key in LIMITS if key in theirs}
    if not (differing := [key for key, value in theirs.items() if value != ours[key]]):
        return None
    found, expected = (", ".join(f"{key}: {values[key]}" for key in differing) for values in (theirs, ours))
    return (
        f"{path}: found {found}; expected {expected}, as setup '{system.setup}' says; write there what was found, or "
        "give the run another setup"
    )


def _sizes(settings: Mapping[str, Any], *, is_ours: bool) -> dict[str, Any]:
    """Return key of a setup -> its value by a ``config.json``, of the keys that the file tells.

    Args:
        settings: the file.
        is_ours: the model becomes a Transformer of ours, and is not run by the library.
    """
    model_type = settings.get("model_type", "xlm")  # old folders of XLM do not name it
    names = SHAPE | (XLM_SHAPE if model_type == "xlm" else {}) | (OPTIONS if is_ours else {})
    sizes = {f"model.{key}": settings[name] for key, name in names.items() if name in settings}
    if "max_position_embeddings" in settings:
        unused = settings["pad_token_id"] + 1 if model_type in ("roberta", "xlm-roberta") else 0
        sizes["model.max_positions"] = settings["max_position_embeddings"] - unused
    return sizes | ({"vocabulary.size": settings["vocab_size"]} if "vocab_size" in settings else {})
