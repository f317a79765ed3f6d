"""Sentence retrieval: how well a pretrained encoder aligns languages, measured without any fine-tuning.

A sentence's vector is the mean of the last layer's states over its tokens. Among the same sentences in another
language, its nearest neighbor by cosine should be its translation. Each language may sit at an offset of its own:
"centered" takes the mean vector of its language from each vector, "raw" does not.

Letters: N sentences, D dimensions.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from xlm_core import results
from xlm_core.data.labelled import sentence_batch
from xlm_core.data.store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.languages import language_ids
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.results import Result

HYPOTHESIS = 1  # column of the labelled stores; premises repeat, hypotheses seldom do
BATCH_SIZE = 128
SIGNATURE = "pool:mean|layer:last|similarity:cosine|candidates:{n}"


def score(
    *,
    model: Path,
    test: Mapping[str, Path],
    pivot: str,
    n_sentences: int,
    system: str,
    seeds: str,
    code: str,
    n_threads: int,
    output: Path,
) -> None:
    """Write the accuracy of retrieval between ``pivot`` and every other language, in both directions.

    Args:
        model: a pretrained encoder.
        test: language -> store of XNLI's test pairs, aligned by record.
        n_sentences: candidates; fewer where fewer sentences are unique in every language.
        system, seeds, code: go into the results as they are.
        output: JSON lines.
    """
    torch.set_num_threads(n_threads)
    encoder, about = weights.load(model)
    stores = {language: TokenStore.open(path, about["vocabulary"]) for language, path in test.items()}
    rows = unique_rows(list(stores.values()))[:n_sentences]
    ids = language_ids(about["languages"])
    vectors = {language: embed(encoder, store, rows, ids[language]) for language, store in stores.items()}
    found = []
    for language in stores:
        if language == pivot:
            continue
        for setting in ("raw", "centered"):
            accuracies = directions(vectors[pivot], vectors[language], centered=setting == "centered")
            for column, accuracy in zip((f"{pivot}-{language}", f"{language}-{pivot}"), accuracies, strict=True):
                found.append(
                    Result(
                        table="retrieval",
                        system=system,
                        setting=setting,
                        column=column,
                        metric="accuracy",
                        value=accuracy,
                        n=len(rows),
                        seeds=seeds,
                        config=about["config"],
                        data=about["data"],
                        code=code,
                        signature=SIGNATURE.format(n=len(rows)),
                    )
                )
    results.write(found, output)


def unique_rows(stores: list[TokenStore]) -> list[int]:
    """The records whose hypothesis occurs once in every language, so that each has one right answer.

    Raises:
        CorpusError: the stores are not aligned, or no record is left.
    """
    sizes = {len(store) for store in stores}
    if len(sizes) != 1:
        raise CorpusError(f"XNLI's test sets have {sorted(sizes)} pairs; expected the same number in every language")
    keep = set(range(sizes.pop()))
    for store in stores:
        sentences = [store.sentence(HYPOTHESIS, row).tobytes() for row in range(len(store))]
        counts = Counter(sentences)
        keep -= {row for row, sentence in enumerate(sentences) if counts[sentence] > 1}
    if len(keep) < 2:
        raise CorpusError("XNLI's test hypotheses: fewer than two are unique in every language; give more test pairs")
    return sorted(keep)


@torch.inference_mode()
def embed(encoder: Transformer, store: TokenStore, rows: list[int], language: int) -> Tensor:
    """Mean-pooled states (N, D) of the hypotheses of ``rows``, on the CPU."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder = encoder.to(device).eval()
    pooled = []
    for start in range(0, len(rows), BATCH_SIZE):
        chosen = rows[start : start + BATCH_SIZE]
        batch = sentence_batch(store, HYPOTHESIS, chosen, language, encoder.config.max_positions).to(device)
        hidden = encoder(batch)  # (B, T, D), zero on padding
        pooled.append((hidden.sum(dim=1) / batch.lengths[:, None]).float().cpu())
    return torch.cat(pooled)


def directions(first: Tensor, second: Tensor, *, centered: bool) -> tuple[float, float]:
    """Accuracy, in percent, of finding row i of ``second`` (N, D) from row i of ``first`` (N, D), and the reverse."""
    if centered:
        first, second = first - first.mean(dim=0), second - second.mean(dim=0)
    similarity = torch.nn.functional.normalize(first, dim=1) @ torch.nn.functional.normalize(second, dim=1).T
    right = torch.arange(len(first))
    forward = (similarity.argmax(dim=1) == right).double().mean().item()
    backward = (similarity.argmax(dim=0) == right).double().mean().item()
    return 100 * forward, 100 * backward
