"""Small random models, and batches of every objective for them."""

import numpy as np
import torch

from xlm_core.config import Masking, ModelConfig, Optim
from xlm_core.data.batch import Batch, PackedSequences, from_arrays
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import mlm_batch
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS, N_SPECIAL, PAD

N_TOKENS, N_LANGUAGES = 211, 2
CONFIG = ModelConfig(dim=32, n_layers=3, n_heads=4, feedforward_dim=64, max_positions=64)
OPTIM = Optim(learning_rate=1e-3, warmup_updates=0, max_updates=9)


def block(seed: int, width: int = 32) -> np.ndarray:
    """Four rows of random pieces."""
    return np.random.default_rng(seed).integers(N_SPECIAL, N_TOKENS, (4, width))


def sentences(seed: int, n: int = 6, lengths: tuple[int, int] = (4, 12)) -> PackedSequences:
    """Random sentences of different lengths."""
    rng = np.random.default_rng(seed)
    return PackedSequences.from_lists([rng.integers(N_SPECIAL, N_TOKENS, each) for each in rng.integers(*lengths, n)])


def mlm(seed: int) -> Batch:
    """A block with hidden pieces."""
    masks = MaskSampler(np.ones(N_TOKENS), Masking())
    return mlm_batch(block(seed), 0, masks, np.random.default_rng(seed))


def padded(seed: int) -> Batch:
    """The same with rows of different lengths, as TLM has them."""
    batch, lengths = mlm(seed), np.array([32, 30, 29, 32])
    tokens = np.where(np.arange(32) < lengths[:, None], batch.tokens.numpy(), PAD)
    return from_arrays(tokens, np.arange(32), np.array(0), lengths, batch.labels.numpy())


def encoder() -> Transformer:
    """A random encoder."""
    return Transformer(CONFIG, N_TOKENS, N_LANGUAGES)


def translator() -> EncoderDecoder:
    """A random translator, of which the encoder predicts nothing."""
    made = EncoderDecoder(encoder(), Transformer(CONFIG, N_TOKENS, N_LANGUAGES, is_decoder=True))
    made.encoder.output_bias.requires_grad_(False)
    return made


def talkative() -> EncoderDecoder:
    """A translator, in evaluation mode, that says other words at each position."""
    model = translator().eval()
    with torch.no_grad():
        model.decoder.embeddings.weight *= 3
        model.decoder.position_embeddings.weight *= 6
        model.decoder.output_bias[EOS] += 0.8
    return model
