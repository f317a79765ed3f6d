"""Whether pretraining on translations aligns a model of another program: sentence retrieval before and after.

    python benchmarks/continue_xlmr.py FOLDER

An XLM-R of the size of the microworld's models, with random weights and a unigram tokenizer that is trained on the
microworld's raw text, is written as transformers does. It is a row of sentence retrieval, and begins a run of MLM and
TLM with the settings of ``config.yaml``, which is the row below it.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
LANGUAGES = ("de", "en", "es", "fr")
TEXTS = [f"results/microworld/text/documents/{language}/0.tsv" for language in LANGUAGES]
TABLE = "results/microworld/tables/retrieval.md"
N_LINES, N_PIECES = 5000, 2000
SIZES = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 512}
NO_MORE_ROWS: dict[str, Any] = {
    "selected_on_training_language": [], "selected_per_language": [], "few_shot": {"runs": []}, "translate_test": [],
    "translate_train": [], "translate_train_all": [],
}  # fmt: skip


def main() -> None:
    """Write the model, run the workflow, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    snakemake(folder, arguments.cores, *TEXTS)
    n_pieces = write_model(folder, folder / "xlmr")
    (folder / "laid_over.yaml").write_text(yaml.safe_dump(laid_over(folder / "xlmr", n_pieces)))
    snakemake(folder, arguments.cores, TABLE, laid_over="laid_over.yaml")
    print((folder / TABLE).read_text(encoding="utf-8"))


def snakemake(folder: Path, cores: int, *targets: str, laid_over: str | None = None) -> None:
    """Make targets of the default configuration, with another one laid over it."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *targets, "--cores", str(cores)]
    command += ["--configfile", str(ROOT / "config.yaml"), *([laid_over] if laid_over else [])]
    subprocess.run(command, cwd=folder, check=True)


def write_model(texts: Path, folder: Path) -> int:
    """Write tokenizer and model into ``folder``; return the pieces."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM, set_seed

    lines = [line for text in TEXTS for line in (texts / text).read_text(encoding="utf-8").splitlines()[:N_LINES]]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    symbols = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=N_PIECES, special_tokens=symbols, unk_token="<unk>")
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.add_special_tokens(["<mask>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    n_pieces = int(tokenizer.get_vocab_size(with_added_tokens=True))
    set_seed(0)
    sizes = {**SIZES, "vocab_size": n_pieces, "max_position_embeddings": 130, "layer_norm_eps": 1e-5}
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = XLMRobertaConfig(**sizes, **dropout, type_vocab_size=1, pad_token_id=1)
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return n_pieces


def laid_over(model: Path, n_pieces: int) -> dict[str, Any]:
    """Make the configuration with the model as a setup and a run, and a run that goes on with it."""
    pretrained = {"path": str(model)}
    shape = {"language_embeddings": False, "norm_epsilon": 1e-5, "prediction_transform": True}
    text = {"tokenization": "none"}
    setup = {"text": text, "vocabulary": {"size": n_pieces, "pretrained": pretrained}, "model": shape}
    rows = ["none", {"setup": "xlmr", "run": "xlmr"}, {"setup": "xlmr", "run": "xlmr_tlm"}]
    return {
        "setups": {"xlmr": setup},
        "runs": {
            "xlmr": {"label": "XLM-R, random", "seeds": [0], "pretrained": pretrained},
            "xlmr_tlm": {
                "label": "the same + MLM+TLM", "seeds": [0], "objectives": ["mlm", "tlm", "tlm"], "init_from": "xlmr",
            },
        },
        "xnli": {"runs": rows, **NO_MORE_ROWS},
        "claims": [], "ablation": None, "glue": None, "embeddings": None, "translation": None, "perplexity": None,
    }  # fmt: skip


if __name__ == "__main__":
    main()
