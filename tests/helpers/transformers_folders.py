"""Folders of ``transformers`` with small random encoders, and tokenizers of a few sentences."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedTokenizerFast

from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.interop.bert import ExportedModel
from xlm_core.interop.huggingface import CONFIG, write_weights
from xlm_core.interop.pretrained import read_tokenizer
from xlm_core.io import write_json

SENTENCES = [
    "The black cat sleeps in the old house near Berlin.", "A child eats bread, and it rains!",
    "Le chat noir dort dans la vieille maison près de Berlin.", "L'enfant mange du pain, et il pleut\u00a0!",
    "बिल्ली पुराने घर में सोती है।", "Die schwarze Katze schläft.", "  two   blanks  ",
    "¿Dónde está el niño?", "東京は雨です。",
]  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "modernbert": {"local_attention": 8, "global_attn_every_n_layers": 2},
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 16,
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "eurobert": {"num_key_value_heads": 1},
}  # type that is no Transformer of ours -> its own settings: rotary or relative positions, normalization first
KINDS = {"bert": "wordpiece", "roberta": "bpe", "xlm-roberta": "unigram"}
KINDS_OF_OTHERS = {"modernbert": "bpe", "deberta-v2": "unigram", "eurobert": "bpe"}


def wordpiece(text: Sequence[str] = SENTENCES) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    symbols = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(text, trainers.WordPieceTrainer(vocab_size=200, special_tokens=symbols))
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return tokenizer


def roberta_like(
    text: Sequence[str], model: Any, trainer: Callable[..., Any], pre_tokenizer: Any, **options: Any
) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    symbols = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(text, trainer(vocab_size=300, special_tokens=symbols, **options))
    tokenizer.add_special_tokens(["<mask>"])  # the last id, as in XLM-R
    ends = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    return tokenizer


MAKERS: dict[str, Callable[[Sequence[str]], Tokenizer]] = {
    "wordpiece": wordpiece,
    "bpe": lambda text: roberta_like(
        text, models.BPE(), trainers.BpeTrainer, pre_tokenizers.ByteLevel(add_prefix_space=True),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ),
    "bpe without a blank before": lambda text: roberta_like(
        text, models.BPE(), trainers.BpeTrainer, pre_tokenizers.ByteLevel(add_prefix_space=False),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ),
    "sentencepiece bpe": lambda text: roberta_like(
        text, models.BPE(unk_token="<unk>"), trainers.BpeTrainer, pre_tokenizers.Metaspace()
    ),
    "unigram": lambda text: roberta_like(
        text, models.Unigram(), trainers.UnigramTrainer, pre_tokenizers.Metaspace(), unk_token="<unk>"
    ),
}  # fmt: skip


def write_tokenizer(kind: str, folder: Path, text: Sequence[str] = SENTENCES) -> PreTrainedTokenizerFast:
    """Write a trained tokenizer as ``transformers`` does, and read it again."""
    named = ("[PAD]", "[UNK]", "[MASK]") if kind == "wordpiece" else ("<pad>", "<unk>", "<mask>")
    names = dict(zip(("pad_token", "unk_token", "mask_token"), named, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=MAKERS[kind](text), **names).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def write_config(model_type: str, folder: Path, **changes: Any) -> None:
    """Write the configuration of a small model beside its tokenizer."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    own = OTHERS.get(
        model_type, {"type_vocab_size": 2 if model_type == "bert" else 1, "layer_norm_eps": 1e-5, "num_labels": 3}
    )
    CONFIG_MAPPING[model_type](
        **{
            "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 40, "max_position_embeddings": 130, "pad_token_id": tokenizer.pad_token_id,
            "id2label": {0: "no", 1: "maybe", 2: "yes"},
        } | own | changes
    ).save_pretrained(folder)  # fmt: skip


def write_model(kind: Any, folder: Path, std: float = 0.3) -> Any:
    """Make a random model of this kind, with biases that are not zero, and write it into the folder."""
    torch.manual_seed(1)
    model = kind.from_config(AutoConfig.from_pretrained(folder)).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, std=std)
        if name.endswith(("LayerNorm.weight", "layer_norm.weight")):
            parameter.data += 1
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    model.save_pretrained(folder)
    return model


def batches(folder: Path, pairs: bool) -> tuple[Any, Batch]:
    """The same sentences, or pairs of them, as their tokenizer batches them and as ours does."""
    others = [*SENTENCES[3:], *SENTENCES[:3]]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    inputs = tokenizer(
        SENTENCES, others if pairs else None, return_tensors="pt", padding=True, return_token_type_ids=True
    )
    vocabulary = read_tokenizer(folder, ["en"])
    symbols, first = vocabulary.symbols, vocabulary.encode(SENTENCES, "en")
    if not pairs:
        return inputs, sentence_batch(PackedSequences.from_lists(first), 0, symbols)
    second = vocabulary.encode(others, "en")
    rows = [[*a, *symbols.between, *b] for a, b in zip(first, second, strict=True)]
    starts = np.array([[len(a) + len(symbols.between) + 1] for a in first])
    return inputs, sentence_batch(PackedSequences.from_lists(rows), 0, symbols, starts)


def write_exported(exported: ExportedModel, folder: Path) -> None:
    """Write a model of ours into a folder, without a tokenizer."""
    write_weights(exported.weights, folder)
    write_json(folder / CONFIG, exported.settings)
