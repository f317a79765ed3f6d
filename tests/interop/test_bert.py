"""Encoders of the BERT family, against ``transformers``, which makes the folders with random weights.

Its tokenizers are trained here on sentences of the microworld's languages.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.errors import CheckpointError, CorpusError
from xlm_core.interop import bert, huggingface
from xlm_core.interop.pretrained import read_tokenizer
from xlm_core.text.vocabulary import Vocabulary

SENTENCES = [
    "The black cat sleeps in the old house near Berlin.", "A child eats bread, and it rains!",
    "Le chat noir dort dans la vieille maison près de Berlin.", "L'enfant mange du pain, et il pleut\u00a0!",
    "बिल्ली पुराने घर में सोती है।", "Die schwarze Katze schläft.", "  two   blanks  ",
    "¿Dónde está el niño?", "東京は雨です。",
]  # fmt: skip
CONFIGS = {"bert": BertConfig, "roberta": RobertaConfig, "xlm-roberta": XLMRobertaConfig}
KINDS = {"bert": "wordpiece", "roberta": "bpe", "xlm-roberta": "unigram"}


def wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    symbols = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=200, special_tokens=symbols))
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return tokenizer


def roberta_like(model: Any, trainer: Callable[..., Any], pre_tokenizer: Any, **options: Any) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    symbols = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(SENTENCES, trainer(vocab_size=300, special_tokens=symbols, **options))
    tokenizer.add_special_tokens(["<mask>"])  # the last id, as in XLM-R
    ends = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    return tokenizer


MAKERS: dict[str, Callable[[], Tokenizer]] = {
    "wordpiece": wordpiece,
    "bpe": lambda: roberta_like(
        models.BPE(), trainers.BpeTrainer, pre_tokenizers.ByteLevel(add_prefix_space=True),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ),
    "sentencepiece bpe": lambda: roberta_like(
        models.BPE(unk_token="<unk>"), trainers.BpeTrainer, pre_tokenizers.Metaspace()
    ),
    "unigram": lambda: roberta_like(
        models.Unigram(), trainers.UnigramTrainer, pre_tokenizers.Metaspace(), unk_token="<unk>"
    ),
}  # fmt: skip


def write_tokenizer(kind: str, folder: Path) -> PreTrainedTokenizerFast:
    """Write a trained tokenizer as ``transformers`` does, and read it again."""
    named = ("[PAD]", "[UNK]", "[MASK]") if kind == "wordpiece" else ("<pad>", "<unk>", "<mask>")
    names = dict(zip(("pad_token", "unk_token", "mask_token"), named, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=MAKERS[kind](), **names).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


@pytest.fixture(params=CONFIGS)
def model_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path, model_type: str) -> Iterator[Path]:
    """A folder with a tokenizer and the configuration of a small model."""
    tokenizer = write_tokenizer(KINDS[model_type], tmp_path)
    torch.manual_seed(1)
    config = CONFIGS[model_type](
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40,
        max_position_embeddings=130, pad_token_id=tokenizer.pad_token_id,
        type_vocab_size=2 if model_type == "bert" else 1,
        initializer_range=0.3, layer_norm_eps=1e-5, num_labels=3, id2label={0: "no", 1: "maybe", 2: "yes"},
    )  # fmt: skip
    config.save_pretrained(tmp_path)
    return tmp_path


def theirs(kind: Any, folder: Path) -> Any:
    """Make a random model of this kind, with biases that are not zero, and write it into the folder."""
    from transformers import AutoConfig

    model = kind.from_config(AutoConfig.from_pretrained(folder)).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, std=0.3)
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


@pytest.mark.parametrize("pairs", [False, True])
def test_ids_and_states_are_theirs(folder: Path, pairs: bool) -> None:
    them = theirs(AutoModel, folder)
    ours = huggingface.import_model(folder).model
    inputs, batch = batches(folder, pairs)
    assert batch.tokens.tolist() == inputs["input_ids"].tolist()
    with torch.no_grad():
        expected, states = them(**inputs).last_hidden_state, ours(batch)
    is_token = inputs["attention_mask"].bool()
    assert (states - expected)[is_token].abs().max() <= 1e-5
    assert expected[is_token].std(dim=0).mean() > 0.1  # it tells tokens apart


@pytest.mark.parametrize("pairs", [False, True])
def test_scores_of_hidden_tokens_are_theirs(folder: Path, pairs: bool) -> None:
    them = theirs(AutoModelForMaskedLM, folder)
    ours = huggingface.import_model(folder).model
    inputs, batch = batches(folder, pairs)
    with torch.no_grad():
        expected = them(**inputs).logits[:, 1]
        scores = ours.predict(ours(batch)[:, 1])
    assert (scores - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("pairs", [False, True])
def test_scores_of_classes_are_theirs(folder: Path, pairs: bool) -> None:
    them = theirs(AutoModelForSequenceClassification, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    read = bert.read_model(settings, huggingface.read_weights(folder / "model.safetensors"), str(folder))
    assert read.labels == ["no", "maybe", "yes"]
    inputs, batch = batches(folder, pairs)
    with torch.no_grad():
        assert (bert.classifier_of(read, 0.1)(batch) - them(**inputs).logits).abs().max() <= 1e-5


@pytest.mark.parametrize("kind", MAKERS)
def test_ids_of_every_kind_of_tokenizer_are_theirs(tmp_path: Path, kind: str) -> None:
    tokenizer = write_tokenizer(kind, tmp_path)
    vocabulary = read_tokenizer(tmp_path, ["en", "fr"])
    assert vocabulary.encode(SENTENCES, "fr") == tokenizer(SENTENCES, add_special_tokens=False)["input_ids"]
    assert len(vocabulary) == len(tokenizer)
    assert list(vocabulary.pieces) == tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    vocabulary.write(tmp_path / "vocabulary.json")
    again = Vocabulary.read(tmp_path / "vocabulary.json")
    assert (again.digest, again.symbols) == (vocabulary.digest, vocabulary.symbols)
    assert again.encode(SENTENCES, "en") == vocabulary.encode(SENTENCES, "en")
    ids = vocabulary.encode(SENTENCES[:1], "en")[0]
    assert vocabulary.decode([vocabulary.symbols.begin, *ids, vocabulary.symbols.end], "en") == tokenizer.decode(ids)


@pytest.mark.parametrize("kind", MAKERS)
def test_names_of_symbols_in_a_text_stay_text(tmp_path: Path, kind: str) -> None:
    write_tokenizer(kind, tmp_path)
    vocabulary = read_tokenizer(tmp_path, ["en"])
    ids = vocabulary.encode([f"a {piece} b" for piece in ("<mask>", "[MASK]", "</s>", "[SEP]")], "en")
    assert not {id_ for each in ids for id_ in each} & ({*vocabulary.symbols.special} - {vocabulary.symbols.unk})


def test_symbols(tmp_path: Path) -> None:
    (tmp_path / "bert").mkdir(), (tmp_path / "roberta").mkdir()
    write_tokenizer("wordpiece", tmp_path / "bert"), write_tokenizer("unigram", tmp_path / "roberta")
    bert_like, roberta = (read_tokenizer(tmp_path / name, ["en"]).symbols for name in ("bert", "roberta"))
    assert (bert_like.pad, bert_like.unk, bert_like.mask) == (0, 1, 4)
    assert (bert_like.begin, bert_like.between, bert_like.end, bert_like.has_segments) == (2, [3], 3, True)
    assert bert_like.special == [0, 1, 2, 3, 4]
    assert (roberta.begin, roberta.between, roberta.end, roberta.has_segments) == (0, [2, 2], 2, False)
    assert roberta.mask == roberta.special[-1] and roberta.special[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize("is_lower", [True, False])
def test_word_pieces_alone_are_a_tokenizer(tmp_path: Path, is_lower: bool) -> None:
    """As folders of the first years have them."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "Cat", "##s", ".", "é", "e"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": is_lower}), encoding="utf-8")
    vocabulary = read_tokenizer(tmp_path, ["en"])
    expected = ["the", "cat", "##s", "e", "."] if is_lower else ["[UNK]", "Cat", "##s", "é", "."]
    assert [vocabulary.pieces[id_] for id_ in vocabulary.encode(["The Cats é."], "en")[0]] == expected
    assert vocabulary.symbols.has_segments and vocabulary.symbols.mask == 4
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert (
        vocabulary.encode(["The Cats é."], "en")[0] == tokenizer("The Cats é.", add_special_tokens=False)["input_ids"]
    )


def test_old_names_of_normalizations_are_read(folder: Path) -> None:
    theirs(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = huggingface.read_weights(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in weights.items()
    }
    states = [bert.read_model(settings, each, "here").model.state_dict() for each in (weights, old)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "relu"}, "found {'hidden_act': 'relu'}, expected {'hidden_act': 'gelu'}"),
        ({"is_decoder": True}, "found {'is_decoder': True}"),
        ({"num_hidden_layers": 3}, "found no weights or setting 'encoder.layer.2"),
        ({"num_attention_heads": 3}, "do not agree"),
        ({"hidden_size": 32}, "do not agree"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], message: str) -> None:
    theirs(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8")) | changes
    with pytest.raises(CheckpointError) as error:
        bert.read_model(settings, huggingface.read_weights(folder / "model.safetensors"), "folder")
    assert message in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"model": {"type": "None"}}'])
def test_what_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"found no tokenizer that can be read; expected tokenizer.json or vocab.txt"):
        read_tokenizer(tmp_path, ["en"])
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(CorpusError, match="does not hold a tokenizer"):
        read_tokenizer(tmp_path, ["en"])


def test_a_tokenizer_that_puts_nothing_around_a_sentence_is_refused(tmp_path: Path) -> None:
    tokenizer = wordpiece()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CorpusError, match="expected one symbol before a sentence and one after it"):
        read_tokenizer(tmp_path, ["en"])
