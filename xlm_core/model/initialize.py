"""The weights at the beginning of training, all in one place.

| weights | distribution |
|---|---|
| embeddings of tokens, positions, languages | normal, deviation 1 / sqrt(dim); the row of the padding symbol is zero |
| linear layers, their biases, the output's bias | uniform within 1 / sqrt(inputs), PyTorch's own rule |
| layer normalization | scale one, shift zero |
"""

from torch import nn
from torch.nn import init


def initialize(model: nn.Module) -> None:
    """BatchKey every weight of a Transformer from PyTorch's random generator."""
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=module.embedding_dim**-0.5)
            if module.padding_idx is not None:
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, nn.Linear | nn.LayerNorm):
            module.reset_parameters()
    bound = model.config.dim**-0.5
    init.uniform_(model.output_bias, -bound, bound)
