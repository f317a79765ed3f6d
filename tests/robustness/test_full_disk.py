"""Every kind of file whose last byte has no room: one message, nothing left behind, and the same file the next time."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import full_disk
import pytest
import torch
from small_model import CONFIG, LANGUAGES, write_model, write_vocabulary

from xlm_core import cli
from xlm_core.config import Text
from xlm_core.data import token_store
from xlm_core.interop import convert
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text import bpe, duplicates, tokenize

SHARES = {"valid_fraction": 0.05, "test_fraction": 0.05}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pairs, their vocabulary and a model."""
    folder = tmp_path_factory.mktemp("world")
    words = write_vocabulary(folder)
    write_model(folder / "model.safetensors", words)
    (folder / "pairs.tsv").write_text("".join(f"the cat sees {n} dogs\tle chat voit {n} chiens\n" for n in range(600)))
    (folder / "numbers.tsv").write_text("".join(f"{n % 5900}\n" for n in range(6000)))
    (folder / "lines").write_text("the cat sees a dog .\n" * 100)
    return folder


def marks(world: Path, output: Path) -> Callable[[], object]:
    return partial(duplicates.find_duplicates, [world / "numbers.tsv"], [output / "0.repeated"])


def tokens(world: Path, output: Path) -> Callable[[], object]:
    return partial(
        tokenize.tokenize,
        world / "pairs.tsv",
        output / "0.tsv",
        languages=LANGUAGES,
        n_fields=2,
        text=Text(),
        already_tokenized=False,
        keep_all=False,
        statistics=output / "statistics.json",
    )


def sampled(world: Path, output: Path) -> Callable[[], object]:
    return partial(
        bpe.sample_for_bpe,
        {"en": [bpe.TokenFile(world / "pairs.tsv", LANGUAGES)]},
        output / "all.txt",
        n_lines=1000,
        alpha=0.5,
        **SHARES,
        statistics=output / "statistics.json",
    )


def learned(world: Path, output: Path) -> Callable[[], object]:
    return partial(bpe.learn, world / "pairs.tsv", output / "all.model", size=300, character_coverage=1.0)


def stored(world: Path, output: Path) -> Callable[[], object]:
    return partial(
        token_store.build,
        world / "pairs.tsv",
        {split: output / f"{split}.store" for split in ("train", "valid", "test")},
        languages=LANGUAGES,
        stored=LANGUAGES,
        vocabulary=world / "vocabulary.json",
        **SHARES,
        statistics=output / "statistics.json",
    )


def model(_: Path, output: Path) -> Callable[[], object]:
    torch.manual_seed(0)
    return partial(checkpoint.save, output / "model.safetensors", Transformer(CONFIG, 60, 2), {})


def exported(world: Path, output: Path) -> Callable[[], object]:
    return partial(convert.export_huggingface, world / "model.safetensors", world / "vocabulary.json", output / "model")


def vectors(world: Path, output: Path) -> Callable[[], object]:
    files = [str(world / "model.safetensors"), "--vocabulary", str(world / "vocabulary.json")]
    text = ["--language", "en", "--input", str(world / "lines"), "--output", str(output / "vectors.npy")]
    return partial(cli.main, ["embed", *files, *text])


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("make", [marks, tokens, sampled, learned, stored, model, exported, vectors])
def test_a_file_is_whole_or_not_there(world: Path, tmp_path: Path, make: Callable[[Path, Path], Callable[[], object]]):
    make(world, tmp_path / "undisturbed")()
    expected = content(tmp_path / "undisturbed")
    largest = max(expected, key=lambda name: len(expected[name]))
    call = make(world, tmp_path / "full")
    process = full_disk.run(call, len(expected[largest]) - 1, tmp_path / "process")
    assert process.returncode == 1
    (message,) = process.stderr.splitlines()
    assert message.startswith(f"StorageError: {tmp_path / 'full' / largest}") and message.endswith(full_disk.MESSAGE)
    assert content(tmp_path / "full") == {}
    call()
    assert content(tmp_path / "full") == expected
