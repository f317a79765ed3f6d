"""The sections about training: the model, its optimizer, its batches, and the hardware."""

from typing import Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.strict_model import Positive, StrictModel


class ModelConfig(StrictModel):
    """The Transformer's shape."""

    dim: int = Positive
    n_layers: int = Positive
    n_heads: int = Positive
    feedforward_dim: int = Positive
    dropout: float = Field(0.1, ge=0, lt=1)
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    max_positions: int = Field(512, gt=0)
    language_embeddings: bool = True

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.n_heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of n_heads ({self.n_heads})")
        return self


class Optim(StrictModel):
    """Adam and its learning rate."""

    learning_rate: float = Positive
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant"] = "inverse_sqrt"
    warmup_updates: int = Field(ge=0)
    max_updates: int = Field(gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, ge=0, lt=1)
    epsilon: float = Field(1.0e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)


class Masking(StrictModel):
    """Which tokens MLM and TLM hide, and behind what."""

    mask_prob: float = Field(0.15, gt=0, lt=1)
    mask: float = Field(0.8, ge=0, le=1)
    random: float = Field(0.1, ge=0, le=1)
    keep: float = Field(0.1, ge=0, le=1)
    frequency_exponent: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _fates_sum_to_one(self) -> Self:
        if abs(self.mask + self.random + self.keep - 1) > 1e-6:
            raise ValueError("mask, random and keep must sum to 1")
        return self


class Pretraining(StrictModel):
    """Batches and optimization of pretraining; shared by every run."""

    language_sampling_alpha: float = Field(0.7, ge=0, le=1)
    seq_len: int = Field(256, gt=2)
    max_pair_tokens: int = Field(512, gt=4)
    batch_tokens: int = Positive
    micro_batch_tokens: int = Positive
    optim: Optim
    masking: Masking = Masking()
    eval_interval: int = Positive
    max_eval_tokens: int = Field(gt=0)
    patience: int = Field(0, ge=0)


class Finetuning(StrictModel):
    """Fine-tuning of a pretrained encoder on labelled pairs of sentences."""

    learning_rates: list[float] = Field(min_length=1)
    batch_size: int = Positive
    epochs: int = Positive
    evaluations_per_epoch: int = Field(1, gt=0)
    warmup_ratio: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    max_tokens: int = Field(256, gt=4)
    max_grad_norm: float = Field(1.0, gt=0)


class Compute(StrictModel):
    """How the hardware is used: nothing here but the precision changes a result."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto"] | bool = "auto"
    activation_checkpointing: bool = False
    zero_stage1: bool = False
    gpus: int | None = Field(None, ge=0)
    processes: int = Field(1, gt=0)
    nodes: int = Field(1, gt=0)
    retries: int = Field(2, ge=0)
