"""A finished vocabulary, ours or another program's, instead of one that is learned."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from xlm_core import artifact
from xlm_core.errors import ArtifactError
from xlm_core.io import write_json
from xlm_core.text.huggingface import MERGES, OURS, PIECES, read_tokenizer
from xlm_core.text.vocabulary import Vocabulary


def import_vocabulary(
    sums: Mapping[Path, str],
    *,
    format: str,  # noqa: A002
    codes: Path | None,
    vocab: Path | None,
    languages: Sequence[str],
    size: int,
    output: Path,
    origin: Path,
) -> None:
    """Turn a finished vocabulary into the file that learning would have made.

    Args:
        sums: the files and their SHA-256.
        format: ``xlm_core`` (a vocabulary.json), ``published`` (codes and vocabulary of fastBPE, of which the first
            ``size`` pieces are taken) or ``huggingface`` (a folder with a tokenizer).
        codes, vocab: which of the files are these, where the format is ``published``.
        languages: that it is to encode.
        size: pieces, special symbols included.
        output: the vocabulary.
        origin: JSON: where it is from.

    Raises:
        ArtifactError: a file is not the one that was named, or the vocabulary lacks a language or has another size.
        CorpusError: a file is damaged.
    """
    artifact.check(sums)
    place = next(iter(sums))
    if format == "published":
        assert codes is not None and vocab is not None
        vocabulary = Vocabulary.from_fastbpe(codes, vocab, sorted(languages), size)
    elif format == "huggingface":
        artifact.check_unnamed(place.parent, (OURS, PIECES, MERGES), sums)
        vocabulary = read_tokenizer(place.parent, sorted(languages))
    else:
        vocabulary = Vocabulary.read(place)
    if missing := set(languages) - vocabulary.model_of.keys():
        raise ArtifactError(
            f"{place} encodes {', '.join(vocabulary.model_of)}, but not {', '.join(sorted(missing))}; give a "
            f"vocabulary of all languages of the setup"
        )
    if len(vocabulary) != size:
        raise ArtifactError(
            f"{place} has {len(vocabulary)} pieces, special symbols included, expected {size}; write vocabulary.size: "
            f"{len(vocabulary)}, or give the right file"
        )
    vocabulary.write(output)
    write_json(origin, artifact.origin(format, sums) | {"vocabulary": vocabulary.digest})
