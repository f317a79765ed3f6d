"""XNLI: whether one sentence entails another, contradicts it, or neither (paper, section 4.1)."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch

from xlm_core import digests, results
from xlm_core.config import Finetuning, plain
from xlm_core.data import labelled
from xlm_core.data.store import TokenStore
from xlm_core.files import atomic
from xlm_core.languages import language_ids
from xlm_core.model import weights
from xlm_core.results import Result
from xlm_core.tasks import classification
from xlm_core.text.nli import LABELS
from xlm_core.train.log import LOG_NAME

LOG = logging.getLogger(__name__)

SIGNATURE = "selection:mean-validation-accuracy|language-ids:yes|max-tokens:{max_tokens}"


def finetune(
    *,
    encoder: Path,
    language: str,
    train: Path,
    valid: Mapping[str, Path],
    settings: Finetuning,
    n_train: int | None,
    precision: str,
    seed: int,
    code: str,
    save_minutes: float,
    work: Path,
    n_threads: int,
    output: Path,
    history: Path,
) -> None:
    """Fine-tune an encoder on the pairs of one language.

    Args:
        encoder: a pretrained model.
        language: of the training pairs.
        train: their store.
        valid: language -> validation store; the best mean accuracy over them selects the model.
        n_train: training examples to use; None for all.
        precision: as in the section ``compute`` of the configuration.
        seed: of the fine-tuning.
        code: digest of the code.
        save_minutes: between checkpoints.
        work: folder for what must survive a killed job.
        output: the classifier.
        history: JSON lines of losses and validation accuracies, of the learning rate that was kept.
    """
    torch.set_num_threads(n_threads)
    model, about = weights.load(encoder)
    ids = language_ids(about["languages"])
    store = TokenStore.open(train, about["vocabulary"])
    examples = classification.choose(store, ids[language], n_train, seed=0)
    _warn_of_cuts(language, store, settings.max_tokens)
    config = digests.of_value([about["config"], plain(settings), n_train, language, precision])
    data = digests.of_value([about["data"], store.digest])
    digest = digests.of_value([config, data, code, about["seed"], seed])
    folder = work / digest
    classifier, rate = classification.finetune(
        model,
        len(LABELS),
        examples,
        {name: _all_examples(path, ids[name], about["vocabulary"]) for name, path in valid.items()},
        settings,
        seed=seed,
        precision=precision,
        save_minutes=save_minutes,
        work=folder,
        digest=digest,
    )
    about = about | {"config": config, "data": data, "learning_rate": rate, "max_tokens": settings.max_tokens}
    weights.save(output, classifier.encoder, about, head=classifier.head)
    with atomic(history) as partial:
        shutil.copyfile(classification.rate_folder(folder, rate) / LOG_NAME, partial)


def score(
    *,
    model: Path,
    test: Mapping[str, Path],
    system: str,
    setting: str,
    seeds: str,
    code: str,
    n_threads: int,
    output: Path,
) -> None:
    """Write the accuracy of a classifier on the test set of every language.

    Args:
        model: a fine-tuned classifier.
        test: language -> test store.
        system, setting, seeds, code: go into the results as they are.
        output: JSON lines.
    """
    torch.set_num_threads(n_threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    classifier, about = weights.load_classifier(model)
    classifier = classifier.to(device)
    ids = language_ids(about["languages"])
    found = []
    for language, path in test.items():
        examples = _all_examples(path, ids[language], about["vocabulary"])
        n_cut = _warn_of_cuts(language, examples.store, about["max_tokens"])
        tally, predictions = classification.evaluate(classifier, examples, about["max_tokens"], device)
        notes = [classification.collapse(predictions, LABELS), f"{n_cut} pairs cut short" if n_cut else ""]
        found.append(
            Result(
                table="xnli",
                system=system,
                setting=setting,
                column=language,
                metric="accuracy",
                value=tally.accuracy,
                n=tally.count,
                seeds=seeds,
                config=about["config"],
                data=digests.of_value([about["data"], examples.store.digest]),
                code=code,
                signature=SIGNATURE.format(max_tokens=about["max_tokens"]),
                note="; ".join(note for note in notes if note),
            )
        )
    results.write(found, output)


def _all_examples(path: Path, language: int, vocabulary: str) -> classification.Examples:
    return classification.choose(TokenStore.open(path, vocabulary), language, None, seed=0)


def _warn_of_cuts(language: str, store: TokenStore, max_tokens: int) -> int:
    """How many pairs lose their ends; logged where there are any."""
    n_cut = labelled.n_too_long(store, max_tokens)
    if n_cut:
        LOG.warning("%s: %d of %d pairs have more than %d tokens and are cut", language, n_cut, len(store), max_tokens)
    return n_cut
