"""Sentence retrieval: how well a pretrained encoder aligns languages, measured without any fine-tuning.

A sentence's vector is the mean of a layer's states over its tokens. Among the same sentences in another language, its
nearest neighbor by cosine should be its translation. Each language may sit at an offset of its own: "centered" takes
the mean vector of its language from each vector, "raw" does not. Where in the network languages meet differs from
model to model, so every layer is measured, and one of them stands in the table.

Letters: N sentences, D dimensions, K layers and before them the embeddings, which are layer 0.
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from xlm_core import results
from xlm_core.data.labelled import stored_sentences
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.results import Result, ResultContext

HYPOTHESIS = 1  # column of the labelled stores; premises repeat, hypotheses seldom do
BATCH_SIZE = 128
SETTINGS = ("raw", "centered")
SIGNATURE = "pool:mean|layer:{layer}/{n_layers}|similarity:cosine|candidates:{n}"


def score(
    *,
    model: Path,
    test: Mapping[str, Path],
    pivot: str,
    n_sentences: int,
    layer: int | None,
    context: ResultContext,
    n_threads: int,
    output: Path,
) -> None:
    """Write the accuracy of retrieval between ``pivot`` and every other language, in both directions.

    Of one layer each direction is a result of its own, in the table "retrieval"; of every layer the mean over all
    directions is one, in the table "retrieval_by_layer", whose columns are the layers.

    Args:
        model: a pretrained encoder.
        test: language -> store of XNLI's test pairs, aligned by record.
        n_sentences: candidates; fewer where fewer sentences are unique in every language.
        layer: the one in the table, 0 for the embeddings; None for the last.
        context: of the results, whose tables and settings are filled in.
        output: JSON lines.
    """
    torch.set_num_threads(n_threads)
    encoder, about = checkpoint.load(model)
    stores = {language: TokenStore.open(path, about["vocabulary"]) for language, path in test.items()}
    rows = unique_rows(list(stores.values()))[:n_sentences]
    ids = language_ids(about["languages"])
    origin = {"config_digest": about["config"], "data_digest": about["data"]}
    result = partial(Result, **vars(context) | origin, metric="accuracy")
    n_layers = encoder.config.n_layers
    scores = _score_layers(encoder, stores, rows, ids, pivot)
    found = []
    for (setting, at), accuracies in scores.items():
        signature = SIGNATURE.format(layer=at, n_layers=n_layers, n=len(rows))
        several = {"retrieval_by_layer": {str(at): sum(accuracies.values()) / len(accuracies)}} if accuracies else {}
        if at == (n_layers if layer is None else layer):
            several["retrieval"] = accuracies
        for table, columns in several.items():
            n = len(rows) * len(accuracies) // len(columns)
            found += [
                result(table=table, setting=setting, column=column, value=value, n=n, signature=signature)
                for column, value in columns.items()
            ]
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


def _score_layers(
    encoder: Transformer, stores: Mapping[str, TokenStore], rows: list[int], ids: Mapping[str, int], pivot: str
) -> dict[tuple[str, int], dict[str, float]]:
    """(setting, layer) -> direction, such as ``en-fr`` -> accuracy in percent."""
    n_layers = encoder.config.n_layers
    found: dict[tuple[str, int], dict[str, float]] = {
        (setting, layer): {} for setting in SETTINGS for layer in range(n_layers + 1)
    }
    from_pivot = embed(encoder, stores[pivot], rows, ids[pivot])
    for language in stores:
        if language == pivot:
            continue
        vectors = embed(encoder, stores[language], rows, ids[language])  # of one language at a time: they are large
        for (setting, layer), accuracies in found.items():
            both = directions(from_pivot[layer], vectors[layer], centered=setting == "centered")
            accuracies.update(zip((f"{pivot}-{language}", f"{language}-{pivot}"), both, strict=True))
    return found


@torch.inference_mode()
def embed(encoder: Transformer, store: TokenStore, rows: list[int], language: int) -> Tensor:
    """Mean-pooled states (K + 1, N, D) of the hypotheses of ``rows`` after each layer, on the CPU."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder = encoder.to(device).eval()
    pooled = []
    for start in range(0, len(rows), BATCH_SIZE):
        chosen = rows[start : start + BATCH_SIZE]
        batch = stored_sentences(store, HYPOTHESIS, chosen, language, encoder.config.max_positions).to(device)
        sums = torch.stack([hidden.sum(dim=1) for hidden in encoder.states(batch)])  # states are zero on padding
        pooled.append((sums / batch.lengths[:, None]).float().cpu())
    return torch.cat(pooled, dim=1)


def directions(first: Tensor, second: Tensor, *, centered: bool) -> tuple[float, float]:
    """Accuracy, in percent, of finding row i of ``second`` (N, D) from row i of ``first`` (N, D), and the reverse."""
    if centered:
        first, second = first - first.mean(dim=0), second - second.mean(dim=0)
    similarity = torch.nn.functional.normalize(first, dim=1) @ torch.nn.functional.normalize(second, dim=1).T
    right = torch.arange(len(first))
    forward = (similarity.argmax(dim=1) == right).double().mean().item()
    backward = (similarity.argmax(dim=0) == right).double().mean().item()
    return 100 * forward, 100 * backward
