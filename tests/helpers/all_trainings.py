"""A few updates of everything that is trained, in one process or several."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from shared_training import train_all
from small_translator import MODEL, SmallTraining, train_many

from xlm_core.config import Finetuning, Optim, TranslationTraining
from xlm_core.data.batch import from_arrays
from xlm_core.history import ObjectiveKey
from xlm_core.io import write_json
from xlm_core.model.decoding import generate
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.classification.finetune import make_classifier
from xlm_core.tasks.translation.data import TranslatorSettings, ValidationSet
from xlm_core.tasks.translation.train import TranslatorInputs, validate
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.losses import LossModule, classification_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

N_UPDATES = 3
# Adam makes a full step of every gradient, the noise of one that is zero included, unless epsilon is large.
OPTIM = Optim(learning_rate=0.01, schedule="constant", warmup_updates=0, max_updates=N_UPDATES, epsilon=1e-3)
FINETUNING = Finetuning(batch_size=4, epochs=1, learning_rates=[0.01], max_tokens=8)
TRANSLATION = TranslationTraining(
    max_tokens=38,
    batch_tokens=240,
    micro_batch_tokens=120,
    updates="joint",
    optim=OPTIM,
    dropout=0.1,
    eval_interval=N_UPDATES,
    max_valid_sentences=40,
)
OF_BERT = {"n_segments": 2, "prediction_transform": True, "pooler": True}  # parts that some losses do not reach


def train_everything(
    world: dict,
    runs: dict[str, dict],
    inputs: TranslatorInputs,
    translators: dict[str, SmallTraining],
    classifiers: dict[str, tuple[int, int]],
    folder: Path,
) -> None:
    """Train each into a folder of its name; last, translate and score a validation set.

    Args:
        world, runs: as of ``train_all``.
        inputs, translators: as of ``train_many``.
        classifiers: name -> outputs of the head, and batches of an update over all processes.
    """
    train_all(world, runs, folder)
    train_many(inputs, translators, folder)
    for name, (n_classes, n_batches) in classifiers.items():
        train_classifier(n_classes, n_batches, folder / name)
    score_validation_set(inputs, folder)


def train_classifier(n_classes: int, n_batches: int, folder: Path) -> None:
    """Train an encoder and its head on random rows of tokens, of which each process takes its share."""
    processes, rng = DistributedContext(), np.random.default_rng(0)
    torch.manual_seed(0)
    encoder = Transformer(MODEL.model_copy(update=OF_BERT), 40, 2)
    classifier = make_classifier(encoder, n_classes, FINETUNING).train()
    loss = processes.wrap_ddp(LossModule(classification_loss, classifier))
    state = TrainState(classifier, make_optimizer(classifier, OPTIM))

    def micro_batch(number: int) -> MicroBatch:
        batch = from_arrays(rng.integers(8, 40, (4, 6)), np.arange(6), rng.integers(0, 2, (4, 1)))
        labels = torch.from_numpy(rng.integers(0, max(2, n_classes), 4))
        return MicroBatch(ObjectiveKey("classification"), 4, 24, number, lambda: loss(batch, labels))

    for update in range(N_UPDATES):
        batches = [micro_batch(update * n_batches + index) for index in range(n_batches)]
        mine = [batches[index] for index in processes.shard_range(n_batches)]
        train_step(state, mine, 4 * n_batches, OPTIM, processes)
    if processes.is_main_process:
        folder.mkdir(parents=True)
        save_file(classifier.state_dict(), folder / "model.safetensors")


def score_validation_set(inputs: TranslatorInputs, folder: Path) -> None:
    """Write what a random translator makes of a validation set of several batches."""
    processes, vocabulary = DistributedContext(), Vocabulary.read(inputs.vocabulary)
    torch.manual_seed(0)
    sizes = MODEL, len(vocabulary), 2
    translator = EncoderDecoder(Transformer(*sizes), Transformer(*sizes, is_decoder=True)).eval()
    settings, direction = TranslatorSettings(["de", "en"], [], MODEL, TRANSLATION, seed=0), ("en", "de")
    valid = ValidationSet.open(inputs.valid, direction, vocabulary, settings)
    decoding, size = TRANSLATION.decoding, TRANSLATION.micro_batch_tokens
    translations = generate(translator, valid.source, valid.languages, decoding, size, processes.map)
    metrics = validate(translator, {direction: valid}, vocabulary, TRANSLATION, processes)
    write_json(folder / f"validation.{processes.rank}.json", [translations, *metrics.values()])
