"""Sentence retrieval: how well a pretrained encoder aligns languages, without fine-tuning.

The vector of a sentence is the mean of a layer's states over its tokens. Among the same sentences in another language,
its nearest neighbor by cosine should be its translation. In the setting "centered" the mean vector of its language is
subtracted from each vector, in "raw" it is not. Every layer is measured, since models differ in the layer where
languages align best, and one of them is in the table.

Shapes: N sentences, D dimensions, K layers; layer 0 is the embeddings.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from xlm_core import results
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.data.buckets import N_ENDS
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.interop import encoders
from xlm_core.languages import direction_key, language_ids
from xlm_core.model.device import select_device
from xlm_core.model.encoder import Encoder
from xlm_core.results import Result, ResultContext
from xlm_core.text.special_symbols import XLM_SYMBOLS, SpecialSymbols

HYPOTHESIS = 1  # column of XNLI's stores; premises repeat, hypotheses seldom do
BATCH_SIZE = 128
SETTINGS = ("raw", "centered")
SIGNATURE = "pool:mean|layer:{layer}/{n_layers}|similarity:cosine|candidates:{n}"


class RetrievalTest(NamedTuple):
    """What a system is scored on.

    model  pretrained encoder
    test   language -> store of XNLI's test pairs, aligned by record
    """

    model: Path
    test: Mapping[str, Path]


def score(
    *,
    systems: Mapping[str, RetrievalTest],
    pivot: str,
    n_sentences: int,
    layer: int | None,
    context: ResultContext,
    output: Path,
) -> None:
    """Write the accuracy of retrieval between ``pivot`` and every other language, in both directions.

    The table "retrieval" has a result for each direction of one layer; the table "retrieval_by_layer", whose columns
    are the layers, has the mean over all directions of each layer.

    Args:
        systems: by their names; all are scored on the same sentences.
        n_sentences: candidates; fewer where fewer sentences are unique in every language.
        layer: the one in the table, 0 for the embeddings; None for the last.
        context: of the results, whose tables, systems and settings are filled in.
        output: JSON lines.
    """
    measured = []
    opened = {path: TokenStore.open(path) for system in systems.values() for path in system.test.values()}
    records = unique_records(list(opened.values()))[:n_sentences]
    for system, (model, test) in systems.items():
        encoder, metadata = encoders.load(model)
        stores = {language: TokenStore.open(path, metadata["vocabulary"]) for language, path in test.items()}
        accuracies = _accuracies(encoder, metadata, stores, records, pivot)
        n_layers, n = encoder.config.n_layers, len(records)
        for (setting, at), by_direction in accuracies.items():
            n_directions = len(by_direction)
            rows = [("retrieval_by_layer", str(at), sum(by_direction.values()) / n_directions, n * n_directions)]
            if at == (n_layers if layer is None else layer):
                rows += [("retrieval", direction, accuracy, n) for direction, accuracy in by_direction.items()]
            measured += [
                Result(
                    **vars(context) | {"table": table, "system": system, "setting": setting}, column=column,
                    metric="accuracy", value=value, n=n_pairs, config_digest=metadata["config"],
                    data_digest=metadata["data"], signature=SIGNATURE.format(layer=at, n_layers=n_layers, n=n),
                )
                for table, column, value, n_pairs in rows
            ]  # fmt: skip
    results.write(measured, output)


def _accuracies(
    encoder: Encoder,
    metadata: Mapping[str, Any],
    stores: Mapping[str, TokenStore],
    records: Sequence[int],
    pivot: str,
) -> dict[tuple[str, int], dict[str, float]]:
    """Return (setting, layer) -> direction -> accuracy."""
    ids, symbols = language_ids(metadata["languages"]), SpecialSymbols.of_model(metadata)
    accuracies: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    pivot_vectors = embed(encoder, stores[pivot], records, ids[pivot], symbols)
    for language in (language for language in stores if language != pivot):
        vectors = embed(encoder, stores[language], records, ids[language], symbols)
        layers = enumerate(zip(pivot_vectors, vectors, strict=True))
        for setting, (at, (first, second)) in product(SETTINGS, layers):
            forward, backward = retrieval_accuracies(first, second, centered=setting == "centered")
            accuracies[setting, at][direction_key(pivot, language)] = forward
            accuracies[setting, at][direction_key(language, pivot)] = backward
    return accuracies


def unique_records(stores: Sequence[TokenStore]) -> list[int]:
    """Select the records whose hypothesis occurs once in every language, so that each has one right answer.

    Raises:
        CorpusError: the stores are not aligned, or no record is left.
    """
    sizes = {len(store) for store in stores}
    if len(sizes) != 1:
        raise CorpusError(f"XNLI's test sets have {sorted(sizes)} pairs; expected the same number in every language")
    unique = set(range(sizes.pop()))
    for store in stores:
        sentences = [store.sentence(HYPOTHESIS, record).tobytes() for record in range(len(store))]
        counts = Counter(sentences)
        unique -= {record for record, sentence in enumerate(sentences) if counts[sentence] > 1}
    if len(unique) < 2:
        raise CorpusError("XNLI's test hypotheses: fewer than two are unique in every language; give more test pairs")
    return sorted(unique)


@torch.inference_mode()
def embed(
    encoder: Encoder,
    store: TokenStore,
    records: Sequence[int],
    language_id: int,
    symbols: SpecialSymbols = XLM_SYMBOLS,
) -> Tensor:
    """Average the states of the hypotheses of ``records`` after each layer: (K + 1, N, D), on the CPU."""
    device = select_device()
    encoder = encoder.to(device).eval()
    n_tokens = encoder.config.max_positions - N_ENDS
    pooled = []
    for start in range(0, len(records), BATCH_SIZE):
        chunk = records[start : start + BATCH_SIZE]
        sentences = PackedSequences.from_lists([store.sentence(HYPOTHESIS, record)[:n_tokens] for record in chunk])
        batch = sentence_batch(sentences, language_id, symbols).to(device)
        sums = torch.stack([hidden.sum(dim=1) for hidden in encoder.states(batch)])  # states are zero on padding
        pooled.append((sums / batch.lengths[:, None]).float().cpu())
    return torch.cat(pooled, dim=1)


def retrieval_accuracies(first: Tensor, second: Tensor, *, centered: bool) -> tuple[float, float]:
    """Retrieve row i of ``second`` (N, D) from row i of ``first`` (N, D), and the reverse: accuracies in percent."""
    if centered:
        first, second = first - first.mean(dim=0), second - second.mean(dim=0)
    similarity = normalize(first, dim=1) @ normalize(second, dim=1).T
    right = torch.arange(len(first))
    forward = (similarity.argmax(dim=1) == right).double().mean().item()
    backward = (similarity.argmax(dim=0) == right).double().mean().item()
    return 100 * forward, 100 * backward
