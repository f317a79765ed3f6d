"""The section about translation: test sets, both tables, objectives, and how translations are searched for."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from xlm_core.config.setups import Optim, check_corpora, check_languages, check_length, check_xlm_symbols
from xlm_core.config.strict_model import (
    CorpusName,
    LanguageCode,
    LanguageKey,
    Positive,
    RunName,
    SetupName,
    StrictModel,
    check_names,
)
from xlm_core.languages import pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config


class TranslationObjective(StrictModel):
    """One objective of a translator in one direction; "ae" has one language as source and target."""

    kind: Literal["ae", "bt", "mt"]
    source: LanguageCode
    target: LanguageCode


class Noise(StrictModel):
    """What a denoising autoencoder is to mend."""

    unit: Literal["word", "token"] = "word"
    shuffle_distance: float = Field(3.0, ge=0)
    drop_prob: float = Field(0.1, ge=0, lt=1)
    mask_prob: float = Field(0.1, ge=0, le=1)


class DecodingConfig(StrictModel):
    """How translations are decoded; a ``beam_size`` of 1 is greedy."""

    beam_size: int = Field(1, gt=0)
    length_penalty: float = Field(1.0, ge=0)
    early_stopping: bool = False
    max_length_a: float = Field(1.5, gt=0)
    max_length_b: int = Field(10, ge=1)
    n_best: int = Field(1, gt=0)

    @model_validator(mode="after")
    def _beam_holds_the_best(self) -> Self:
        if self.n_best > self.beam_size:
            raise ValueError(f"n_best is {self.n_best}, but beam_size is {self.beam_size}")
        return self


def _rises(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Refuse a schedule whose points do not follow one another."""
    updates = [update for update, _ in points]
    if updates != sorted(set(updates)):
        raise ValueError(f"the updates of a schedule must rise, found {updates}")
    return points


Weight = Annotated[float, Field(ge=0)]
Point = Annotated[tuple[int, Weight], Field(strict=False)]  # YAML has lists, and no tuples
Schedule = Annotated[list[Point], Field(min_length=1), AfterValidator(_rises)]


class LossWeights(StrictModel):
    """What the losses are multiplied by: straight lines between points of an update and a weight."""

    ae: Schedule = Field([(0, 1.0), (100_000, 0.1), (300_000, 0.0)])
    bt: Schedule = Field([(0, 1.0)])
    mt: Schedule = Field([(0, 1.0)])


class TranslationTraining(StrictModel):
    """Batches, objectives and optimization of the training of a translator."""

    max_tokens: int = Field(100, gt=2)
    batch_tokens: int = Positive
    micro_batch_tokens: int = Positive
    updates: Literal["round_robin", "joint"] = "round_robin"
    optim: Optim
    noise: Noise = Noise()
    loss_weights: LossWeights = LossWeights()
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    dropout: float | None = Field(None, ge=0, lt=1)
    tie_encoder_decoder_embeddings: bool = False
    average_checkpoints: int = Field(1, gt=0)
    max_length_a: float = Field(1.3, gt=0)
    max_length_b: int = Field(5, ge=1)
    eval_interval: int = Positive
    max_valid_sentences: int = Field(1000, gt=0)
    patience: int = Field(0, ge=0)

    @property
    def decoding(self) -> DecodingConfig:
        """The greedy decoding of back-translation and validation."""
        return DecodingConfig(max_length_a=self.max_length_a, max_length_b=self.max_length_b)


class EvaluationSets(StrictModel):
    """Where the models of a pair come from, and the corpora that they are validated and tested on."""

    setup: SetupName
    valid: CorpusName
    test: CorpusName


class UnsupervisedMt(StrictModel):
    """The table of unsupervised translation: pairs of a run for the encoder and one for the decoder."""

    pairs: list[LanguageKey] = Field(min_length=1)
    systems: list[Annotated[tuple[RunName, RunName], Field(strict=False)]] = Field(min_length=1)
    training: TranslationTraining


class SupervisedMt(StrictModel):
    """The table of supervised translation: what is learned, by the run that both halves begin with."""

    source: LanguageCode
    target: LanguageCode
    corpora: list[CorpusName] = Field(min_length=1)
    systems: list[Literal["one_way", "both_ways", "back_translation"]] = Field(min_length=1)
    columns: list[RunName] = Field(min_length=1)
    scale_updates: bool = False
    training: TranslationTraining

    def training_of(self, n_steps: int) -> TranslationTraining:
        """Return the training of a row with ``n_steps`` objectives: as often each, or all of them in the same time."""
        training = self.training
        if not self.scale_updates or training.updates == "joint":
            return training
        optim = training.optim.model_copy(update={"max_updates": n_steps * training.optim.max_updates})
        return training.model_copy(update={"optim": optim, "eval_interval": n_steps * training.eval_interval})


class TranslationConfig(StrictModel):
    """Both tables of translation."""

    pairs: dict[LanguageKey, EvaluationSets]
    decoding: DecodingConfig = DecodingConfig()
    unsupervised: UnsupervisedMt | None = None
    supervised: SupervisedMt | None = None


def check_translation(config: "Config") -> None:
    """Refuse pairs, test sets and corpora that do not have the languages of their table."""
    translation = config.translation
    if translation is None:
        return
    for key, sets in translation.pairs.items():
        path = f"translation.pairs.{key}"
        check_xlm_symbols(config, sets.setup, f"{path}.setup")
        check_languages(config, sets.setup, sides(key), path)
        check_corpora(config, key, [sets.valid], f"{path}.valid", eval_only=True)
        check_corpora(config, key, [sets.test], f"{path}.test", eval_only=True)
    if unsupervised := translation.unsupervised:
        for key in unsupervised.pairs:
            check_names([key], translation.pairs, "translation.unsupervised.pairs")
            _check_lengths(config, "unsupervised", unsupervised.training, translation.pairs[key].setup)
    if supervised := translation.supervised:
        key = pair(supervised.source, supervised.target)
        check_names([key], translation.pairs, "translation.supervised, source and target")
        _check_lengths(config, "supervised", supervised.training, translation.pairs[key].setup)
        check_corpora(config, key, supervised.corpora, "translation.supervised.corpora")


def _check_lengths(config: "Config", table: str, training: TranslationTraining, setup: str) -> None:
    """Refuse sentences that with both end symbols have more tokens than the models have positions."""
    path = f"translation.{table}.training.max_tokens, with two end symbols,"
    check_length(config, setup, training.max_tokens + 2, path)
