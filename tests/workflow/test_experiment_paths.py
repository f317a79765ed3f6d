"""Which files belong to what, with two languages, two corpora of one of them, and two shards."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from xlm_core import config
from xlm_core.config import SETTINGS, Config, SystemConfig
from xlm_core.workflow.corpus_paths import RawFiles
from xlm_core.workflow.experiment_paths import ExperimentPaths
from xlm_core.workflow.experiments import xnli_experiments
from xlm_core.workflow.tables import filter_statistics
from xlm_core.workflow.targets import tables, targets

ROOT = Path(__file__).parents[2]


def settings(**changes: Any) -> Config:
    data = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text(encoding="utf-8"))
    data["corpora"]["web"] = {
        "format": "text",
        "keys": ["fr"],
        "url": "https://example.org/web.{key}.gz",
        "sha256": {"fr": "ab" * 32},
        "licence": "CC0",
    }
    data["monolingual"]["fr"] = ["documents", "web"]
    return config.parse(data | changes)


@pytest.fixture(scope="module")
def paths() -> ExperimentPaths:
    return ExperimentPaths(settings())


def test_a_setup_reads_all_shards_of_all_corpora_of_a_language(paths: ExperimentPaths) -> None:
    tokens = [
        "results/tiny/tokens/base/documents/fr/0.tsv",
        "results/tiny/tokens/base/documents/fr/1.tsv",
        "results/tiny/tokens/base/web/fr/0.tsv",
        "results/tiny/tokens/base/web/fr/1.tsv",
    ]
    assert paths.monolingual_tokens("base", ["fr"]) == {"fr": tokens}
    assert paths.monolingual_keys("base", ["fr"]) == {"fr": ["fr"] * 4}
    assert paths.monolingual_stores("base", "en", "valid") == [
        "results/tiny/store/base/documents/en/0/valid.store",
        "results/tiny/store/base/documents/en/1/valid.store",
    ]


def test_a_table_counts_the_text_of_all_its_setups(paths: ExperimentPaths) -> None:
    xnli, glue = filter_statistics(paths, "xnli"), filter_statistics(paths, "glue")
    folder = "results/tiny/tokens/base"
    assert f"{folder}/web/fr/1.statistics.json" in xnli and f"{folder}/translations/en-fr/0.statistics.json" in xnli
    assert len(set(xnli)) == len(xnli)
    assert {file.split("/")[-3] for file in filter_statistics(paths, "unsupervised_mt")} == {"news"}
    assert set(glue) == set(xnli)  # the setup 'english' reads text of the base's
    alone = settings()
    without = alone.model_copy(update={"xnli": alone.xnli.model_copy(update={"runs": alone.xnli.runs[:3]})})
    assert filter_statistics(ExperimentPaths(without), "xnli") == [
        file for file in xnli if "/translations/" not in file
    ]


def test_setups_share_what_is_equal(paths: ExperimentPaths) -> None:
    assert paths.tokens("english", "documents", "en", 1) == "results/tiny/tokens/base/documents/en/1.tsv"
    assert paths.vocabulary("english") == "results/tiny/bpe/english/vocabulary.json"
    assert paths.vocabulary("base") == "results/tiny/bpe/base/vocabulary.json"


def test_separate_vocabularies_have_a_model_per_language(paths: ExperimentPaths) -> None:
    assert paths.bpe_languages("base", "all") == ["en", "fr", "hi"]
    assert paths.bpe_languages("separate", "fr") == ["fr"]
    assert paths.bpe_models("separate")["models"] == [
        f"results/tiny/bpe/separate/{language}.model" for language in ("en", "fr", "hi")
    ]


def test_only_runs_with_tlm_read_pairs(paths: ExperimentPaths) -> None:
    pairs = [f"results/tiny/store/base/translations/en-fr/{shard}/train.store" for shard in (0, 1)]
    stores = {run: paths.setup_stores("base", paths.pairs_of_run("base", run)) for run in ("mlm_tlm", "mlm")}
    assert stores["mlm_tlm"]["train_en-fr"] == pairs
    assert set(stores["mlm"]) == {
        f"{split}_{language}" for split in ("train", "valid") for language in ("en", "fr", "hi")
    }


def test_duplicates_are_marked_where_they_are_dropped_and_never_in_test_sets() -> None:
    data = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text(encoding="utf-8"))
    paths = ExperimentPaths(settings(text=data["text"] | {"deduplicate": True}))
    assert paths.duplicates("base", "documents", "fr", "1") == ["results/tiny/text/documents/fr/1.repeated"]
    assert paths.duplicates("base", "news_test", "en-fr", "0") == []
    assert ExperimentPaths(settings()).duplicates("base", "documents", "fr", "1") == []


def test_protocols_that_test_a_classifier_of_another_one(paths: ExperimentPaths) -> None:
    """Translate-test has that of zero-shot; selection on the training language that of translate-train in it."""
    xnli = paths.config.xnli.model_copy(update={"selected_on_training_language": ["mlm_tlm"]})
    paths = ExperimentPaths(paths.config.model_copy(update={"xnli": xnli}))
    tests = {test["setting"]: test for test in paths.xnli_tests("base", "mlm_tlm", "0", "1")}
    folder, examples = "results/tiny/runs/base/mlm_tlm/0/xnli", "results/tiny/store/base/xnli"
    assert set(tests) == {name for key, name in SETTINGS.items() if key != "selected_per_language"}
    assert tests["zero-shot"]["selected"] == f"{folder}/zero_shot/1/selected.json"
    assert {tests[name]["model"] for name in ("zero-shot", "translate-test")} == {
        f"{folder}/zero_shot/1/model.safetensors"
    }
    strict = tests["zero-shot, selected on the training language"]
    assert strict["model"] == f"{folder}/translate_train_en/1/model.safetensors"
    assert strict["test"] == tests["zero-shot"]["test"] and strict["selected"] is None
    assert tests["translate-test"]["test"] == {
        "en": f"{examples}/test.en.store",
        "fr": f"{examples}/translated.fr.store",
        "hi": f"{examples}/translated.hi.store",
    }


def test_what_is_in_no_row_of_the_table_is_scored_zero_shot_alone(paths: ExperimentPaths) -> None:
    assert paths.xnli_scored("separate", "mlm_tlm", 0) == ["zero_shot"]
    assert paths.xnli_scored("base", "clm", 0) == ["zero_shot"]


def test_a_setup_is_tested_on_the_languages_that_it_has(paths: ExperimentPaths) -> None:
    assert paths.xnli_tested("news", "zero_shot") == ["en", "fr"]
    assert list(paths.xnli_finetuning("base", "mlm_tlm", "zero_shot")["test"]) == ["en", "fr", "hi"]
    assert paths.xnli_finetuning("base", "mlm", "zero_shot")["test"] == {}


def test_every_protocol_of_a_run_has_its_results(paths: ExperimentPaths) -> None:
    names = [protocol for row, protocol in xnli_experiments(paths.config.xnli) if row.name == "mlm_tlm"]
    alone = [f"translate_train_{language}" for language in ("en", "fr", "hi")]
    assert names == ["zero_shot", "few_shot", "translate_test", "translate_train_all", *alone]
    assert paths.xnli_scored("base", "mlm_tlm", 0) == names
    assert paths.xnli_scores(SystemConfig(run="mlm")) == ["results/tiny/results/xnli/base.mlm.0.0.jsonl"]
    assert len(paths.xnli_results()) == len(paths.config.xnli.runs)


def test_a_translator_reads_text_pairs_and_models_that_have_learned(paths: ExperimentPaths) -> None:
    inputs = paths.translator_inputs("unsupervised.en-fr.embeddings.mlm", "0")
    assert inputs["encoder"] == "results/tiny/runs/news/embeddings/0/model.safetensors"
    assert inputs["decoder"] == "results/tiny/runs/news/mlm/0/model.safetensors"
    assert inputs["train_en"] == [f"results/tiny/store/news/news/en/{shard}/train.store" for shard in (0, 1)]
    assert inputs["pairs"] == [] and inputs["valid"] == "results/tiny/tokens/news/news_dev/en-fr/0.tsv"
    one_way = paths.translator_inputs("supervised.one_way.none", "0")
    assert one_way["pairs"] == [f"results/tiny/store/news/parallel/en-fr/{shard}/train.store" for shard in (0, 1)]
    assert {"encoder", "decoder", "train_en", "train_fr"}.isdisjoint(one_way)


def test_a_run_begins_with_a_model_of_its_own_setup_or_of_another() -> None:
    """A table counts the text of both."""
    plain = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text(encoding="utf-8"))
    begins = {"more": "mlm", "other": {"setup": "news", "run": "more"}}
    runs = {name: {"label": name, "objectives": ["mlm"], "init_from": init} for name, init in begins.items()}
    xnli = plain["xnli"] | {"runs": ["none", "other", "mlm_tlm"]}
    paths = ExperimentPaths(settings(runs=plain["runs"] | runs, xnli=xnli, ablation=None, claims=[]))
    results = "results/tiny"
    assert paths.initial_model("base", "other", "0") == [
        f"{results}/runs/news/more/0/model.safetensors", f"{results}/bpe/news/vocabulary.json",
    ]  # fmt: skip
    assert paths.initial_model("news", "more", "0") == [
        f"{results}/runs/news/mlm/0/model.safetensors", f"{results}/bpe/news/vocabulary.json",
    ]  # fmt: skip
    assert paths.initial_model("base", "mlm_tlm", "0") == []
    assert {file.split("/")[3] for file in filter_statistics(paths, "xnli")} == {"base", "news"}


def test_raw_files_are_generated_downloaded_or_the_user_s() -> None:
    raw = RawFiles(settings())
    assert raw.files("corpora.documents", "fr") == ["results/tiny/raw/microworld/documents/fr.txt.gz"]
    assert raw.files("xnli.training") == ["results/tiny/raw/microworld/xnli/XNLI-MT-1.0.zip"]
    assert raw.files("corpora.web", "fr") == ["results/tiny/raw/web/example.org/web.fr.gz"]
    download = raw.downloads["example.org/web.fr.gz"]
    assert (download.urls, download.sha256) == (["https://example.org/web.fr.gz"], "ab" * 32)
    member = "https://example.org/all.zip#fr.txt"
    corpora = settings().corpora | {"web": settings().corpora["web"].model_copy(update={"url": member})}
    of_member = RawFiles(settings().model_copy(update={"corpora": corpora}))
    assert of_member.files("corpora.web", "fr") == ["results/tiny/raw/web/example.org/all.zip.members/fr.txt"]
    assert raw.describe("results/tiny/raw/web/example.org/web.fr.gz") == {
        "path": "results/tiny/raw/web/example.org/web.fr.gz",
        "origin": "downloaded",
        "licence": "CC0",
        "url": "https://example.org/web.fr.gz",
        "record": "results/tiny/work/downloads/example.org/web.fr.gz.json",
    }
    assert raw.describe("results/tiny/raw/microworld/glue/AX.tsv")["origin"] == "generated"
    assert raw.describe("mine.txt") == {"path": "mine.txt", "origin": "local", "licence": ""}


def test_every_table_has_its_target(paths: ExperimentPaths) -> None:
    assert tables(paths) == {
        "xnli": "xnli_table",
        "retrieval": "xnli_table",
        "unsupervised_mt": "unsupervised_mt_table",
        "supervised_mt": "supervised_mt_table",
        "glue": "glue_table",
        "perplexity": "perplexity_table",
        "ablation": "ablation_table",
        "embeddings": "embedding_table",
        "claims": "claims",
    }
    without = ExperimentPaths(settings(glue=None, claims=[]))
    assert targets(without)["glue_table"] == targets(without)["claims"] == []
