"""A finished token store instead of one that is built from text."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from xlm_core import artifact
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import ArtifactError, StoreError
from xlm_core.io import atomic_many, write_json
from xlm_core.text.vocabulary import Vocabulary


def import_store(
    stores: Mapping[str, Path],
    sums: Mapping[Path, str],
    *,
    outputs: Mapping[str, Path],
    languages: Sequence[str],
    vocabulary: Path,
    statistics: Path,
) -> None:
    """Copy the stores of one shard of a corpus to where building would have written them.

    Args:
        stores: split -> finished store.
        sums: their SHA-256.
        outputs: split -> store.
        languages: of their columns.
        vocabulary: that they are read with.
        statistics: JSON: records, and where they are from.

    Raises:
        ArtifactError: a file is not the one that was named, is damaged, was built with another vocabulary, or holds
            something else than sentences of ``languages``.
    """
    artifact.check(sums)
    words = Vocabulary.read(vocabulary)
    n_records = sum(len(_opened(path, words.digest, languages)) for path in stores.values())
    with atomic_many(list(outputs.values())) as partials:
        for split, partial in zip(outputs, partials, strict=True):
            shutil.copyfile(stores[split], partial)
    origin = artifact.origin("store", sums) | {"vocabulary": words.digest}
    write_json(statistics, {"read": n_records, "kept": n_records, "dropped": {}, "origin": origin})


def _opened(path: Path, vocabulary: str, languages: Sequence[str]) -> TokenStore:
    """A store that fits what it is used with."""
    try:
        store = TokenStore.open(path, vocabulary)
    except StoreError as error:
        reason, _, _ = str(error).partition(";")
        raise ArtifactError(
            f"{reason}: this is no finished store for the vocabulary in use; give, as vocabulary.imported, the one "
            f"that it was built with, or fetch the store again"
        ) from error
    if store.languages != tuple(languages) or store.labels is not None:
        labelled = "labelled " if store.labels is not None else ""
        raise ArtifactError(
            f"{path}: found {labelled}text in {'-'.join(store.languages)}, expected plain text in "
            f"{'-'.join(languages)}; check the corpus's keys and path"
        )
    return store
