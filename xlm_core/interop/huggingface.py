"""Write models and tokenizers into folders that Hugging Face's ``transformers`` loads, and read models of such folders.

Folders are written with ``transformers`` and ``tokenizers`` (extra ``interop``) and read without them, because reading
is a step of the workflow, whose environments do not have them.

| our vocabulary | their tokenizer | reads |
|---|---|---|
| sentencepiece, shared by all languages | ``PreTrainedTokenizerFast`` | tokenized text, as in our ``tokens/`` files |
| published codes | ``XLMTokenizer`` | raw text: it runs the published chain itself, with lower case and no accents |

Both put the symbols around a sentence that our models expect: ``</s> a </s>``, and ``</s> a </s> b </s>`` for a pair.
Names of special symbols in the text become those symbols there, as usual in that library; here they stay text. The mark
of a blank, ``▁``, becomes a blank there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from xlm_core.errors import CheckpointError, ConfigError, CorpusError
from xlm_core.interop import bert, original_xlm
from xlm_core.interop.original_xlm import ImportedModel
from xlm_core.interop.pretrained import MERGES, OURS, PIECES
from xlm_core.io import atomic, read_json, write_json, write_text
from xlm_core.languages import language_ids
from xlm_core.model.checkpoint import write_safetensors
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.text import fastbpe
from xlm_core.text.special_symbols import BOS, EOS, MASK, N_SPECIAL, PAD, SPECIAL, UNK
from xlm_core.text.vocabulary import WORD_START, Vocabulary

CONFIG, WEIGHTS = "config.json", "model.safetensors"
SETTINGS, TOKENIZER = "tokenizer_config.json", "tokenizer.json"
BODY, PREDICTION = "transformer.", "pred_layer."  # begin the names of the encoder's weights, and of the output's
SUMMARY, BUFFER = "sequence_summary.summary.", "position_ids"  # of a classification head; and no weight, in old folders
INDICES = {"bos": BOS, "eos": EOS, "pad": PAD, "unk": UNK, "mask": MASK}
FIXED = {
    **original_xlm.PAPER_SETTINGS,
    "model_type": "xlm",
    "is_encoder": True,
    **{f"{symbol}_index": index for symbol, index in INDICES.items()},  # older folders have all of them
    **{f"{symbol}_token_id": INDICES[symbol] for symbol in ("bos", "eos", "pad")},  # newer folders have these instead
}  # values of a folder with a model of the paper, explicit or by default
MLM, CLASSIFIER = "XLMWithLMHeadModel", "XLMForSequenceClassification"


def export_model(model: Transformer, languages: Sequence[str], folder: Path, *, causal: bool) -> None:
    """Write ``model`` as an ``XLMWithLMHeadModel`` into ``folder``.

    Args:
        model: a language model.
        languages: their codes, in any order.
        causal: the model was trained left to right (CLM), and its states are to be computed so.
        folder: the output.

    Raises:
        CheckpointError: the library cannot represent the model: its feed-forward width is always four times ``dim``.
        ConfigError: transformers is not installed.
    """
    bias = {f"{PREDICTION}proj.bias": model.output_bias.detach().cpu()}
    _export(model, languages, folder, bias, {"architectures": [MLM], "causal": causal})


def export_classifier(classifier: Classifier, languages: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """Write a fine-tuned model as an ``XLMForSequenceClassification``, without the bias of its prediction layer.

    The library's summary of a sequence is configured as ours: the first state, dropout, one linear layer.

    Args:
        classifier: the model; it attends both ways.
        languages: their codes, in any order.
        labels: names of the classes.
        folder: the output.

    Raises:
        CheckpointError: as ``export_model``, and if there are not as many labels as classes.
        ConfigError: transformers is not installed.
    """
    head = classifier.head
    if len(labels) != head.classes.out_features:
        raise CheckpointError(f"{folder}: {len(labels)} labels for {head.classes.out_features} classes; name each one")
    weights = {f"sequence_summary.summary.{name}": tensor for name, tensor in head.classes.state_dict().items()}
    settings = {
        "architectures": [CLASSIFIER],
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "summary_type": "first",
        "summary_use_proj": True,
        "summary_proj_to_labels": True,
        "summary_activation": None,
        "summary_first_dropout": head.dropout.p,
    }
    _export(classifier.encoder, languages, folder, weights, settings)


def _export(
    model: Transformer, languages: Sequence[str], folder: Path, head: Mapping[str, Tensor], settings: Mapping[str, Any]
) -> None:
    """Write weights and configuration; the configuration last, so that a folder with one is complete.

    The weights are not written by ``save_pretrained``, whose errors do not say that a disk is full.
    """
    config = model.config
    if config.n_segments or config.prediction_transform or config.pooler:
        raise CheckpointError("a model of the BERT family is not written as XLM; take the folder that it came from")
    if config.feedforward_dim != 4 * config.dim:
        raise CheckpointError(
            f"a model with feedforward_dim {config.feedforward_dim} and dim {config.dim}: "
            f"transformers' XLM knows only feedforward_dim = 4 * dim = {4 * config.dim}; train one of that shape"
        )
    try:
        from transformers import XLMConfig
    except ImportError as error:
        raise ConfigError(
            f"Hugging Face folders are written with the package {error.name}, which is not installed; install it with: "
            "pip install -e '.[interop]'"
        ) from error
    written = XLMConfig(
        dtype="float32",
        vocab_size=model.vocab_size,
        emb_dim=config.dim,
        **config.model_dump(include={"n_layers", "n_heads", "dropout", "attention_dropout"}),
        max_position_embeddings=config.max_positions,
        embed_init_std=config.embedding_init_std or config.dim**-0.5,
        layer_norm_eps=config.norm_epsilon,
        n_langs=model.n_languages,
        use_lang_emb=config.language_embeddings,
        mask_token_id=MASK,
        **_language_settings(languages),
        **settings,
    )
    original = original_xlm.to_original_names(model)
    body = {BODY + name: tensor for name, tensor in original.items() if not name.startswith(PREDICTION)}
    with atomic(folder / WEIGHTS) as partial:
        write_safetensors(partial, {**body, **head}, {"format": "pt"})
    write_text(folder / CONFIG, written.to_json_string())


def _language_settings(languages: Sequence[str]) -> dict[str, Any]:
    ids = language_ids(languages)
    return {"lang2id": ids, "id2lang": {str(number): language for language, number in ids.items()}}


def write_tokenizer(
    vocabulary: Vocabulary, folder: Path, languages: Sequence[str], max_positions: int | None = None
) -> None:
    """Write the tokenizer's files, and our vocabulary beside them, from which ``read_tokenizer`` restores all of it.

    Args:
        max_positions: tokens that the model has positions for, to which texts are cut on demand; None: not known.

    Raises:
        CorpusError: each language has its own encoding, which such a tokenizer cannot hold.
    """
    if len(vocabulary.models) != 1:
        raise CorpusError(
            f"{folder}: found {len(vocabulary.models)} encodings in the vocabulary, but a Hugging Face tokenizer holds "
            f"one; expected a vocabulary that all languages share (vocabulary.shared: true)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if vocabulary.kind == "fastbpe":
        _write_xlm_tokenizer(vocabulary, folder, languages, max_positions)
    else:
        _write_fast_tokenizer(vocabulary, folder, max_positions)
    vocabulary.write(folder / OURS)


def _settings(tokenizer_class: str, max_positions: int | None) -> dict[str, Any]:
    """Return the settings of both tokenizers: which symbols have which role, and the longest input."""
    ends = dict.fromkeys(("bos_token", "eos_token", "sep_token", "cls_token"), SPECIAL[EOS])
    others = {"pad_token": SPECIAL[PAD], "unk_token": SPECIAL[UNK], "mask_token": SPECIAL[MASK]}
    length = {"model_max_length": max_positions} if max_positions else {}
    return {"tokenizer_class": tokenizer_class, **ends, **others, **length, "clean_up_tokenization_spaces": False}


def _write_xlm_tokenizer(
    vocabulary: Vocabulary, folder: Path, languages: Sequence[str], max_positions: int | None
) -> None:
    names = [*SPECIAL, *map(fastbpe.symbol_of, vocabulary.pieces[N_SPECIAL:])]
    write_json(folder / PIECES, {name: id_ for id_, name in enumerate(names)})
    with atomic(folder / MERGES) as partial:
        partial.write_bytes(vocabulary.models[0])
    settings = _settings("XLMTokenizer", max_positions) | _language_settings(languages)
    write_json(folder / SETTINGS, settings | {"do_lowercase_and_remove_accent": True})


def _write_fast_tokenizer(vocabulary: Vocabulary, folder: Path, max_positions: int | None) -> None:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    ids = {name: id_ for id_, name in enumerate(vocabulary.pieces)}
    merges = _merges(vocabulary.pieces[N_SPECIAL:])
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token=SPECIAL[UNK], fuse_unk=True))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Replace(Regex(" +"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(WORD_START)
    end = SPECIAL[EOS]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[end, "$A", end], pair=[end, "$A", end, "$B:0", end], special_tokens=[(end, EOS)]
    )
    tokenizer.decoder = decoders.Metaspace(WORD_START)
    write_text(folder / TOKENIZER, tokenizer.to_str())
    write_json(folder / SETTINGS, _settings("PreTrainedTokenizerFast", max_positions))


def _merges(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """Return all pairs of pieces that join to a third, in the order of these, which is the order of their scores.

    A sentencepiece model merges any such pair.
    """
    known = set(pieces)
    splits = ((piece[:end], piece[end:]) for piece in pieces for end in range(1, len(piece)))
    return [(left, right) for left, right in splits if left in known and right in known]


def import_model(folder: Path) -> ImportedModel:
    """Read a model of XLM or of the BERT family: an encoder alone, a language model or a classifier.

    The configuration does not tell MLM from TLM. Without a prediction layer the output's bias is zero.

    Raises:
        CheckpointError: files are missing or damaged, or the model is not one of the paper.
    """
    settings, tensors = _read_settings(folder / CONFIG), read_weights(folder / WEIGHTS)
    if settings["model_type"] in bert.MODEL_TYPES:
        return bert.read_model(settings, tensors, str(folder))
    weights = {name.removeprefix(BODY): tensor for name, tensor in tensors.items() if not name.endswith(BUFFER)}
    head = {name.removeprefix(SUMMARY): weights.pop(name) for name in list(weights) if name.startswith(SUMMARY)}
    if original_xlm.EMBEDDINGS in weights:
        weights.setdefault(
            f"{PREDICTION}proj.bias", weights[original_xlm.EMBEDDINGS].new_zeros(len(weights[original_xlm.EMBEDDINGS]))
        )
    model, languages = original_xlm.from_original_names(weights, settings, str(folder))
    imported = ImportedModel(model, languages, ["clm" if settings.get("causal") else "mlm"])
    if not head:
        return imported
    labels = bert.labels_of(settings)
    classes = bert.head_of(head, model.config.dim, len(labels), settings.get("summary_first_dropout", 0.1), str(folder))
    return imported._replace(head=classes, labels=labels)


def _read_settings(path: Path) -> dict[str, Any]:
    """Read a ``config.json`` and check that it is of a model of the paper or of the BERT family."""
    try:
        settings: dict[str, Any] = {"model_type": None} | read_json(path)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); expected a transformers folder") from error
    if settings["model_type"] not in bert.MODEL_TYPES:
        original_xlm.check_settings(settings, FIXED, path)
    return settings


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a ``model.safetensors``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is missing or damaged ({error}); expected all weights in this one file; "
            f"where they are in another form, write them again with transformers' save_pretrained"
        ) from error
