"""The whole workflow on the tiny configuration, and which jobs run again after which change.

Not among the plain tests, for 250 jobs take minutes; ``tests/test_workflow.py`` makes every stage once.
"""

import json
import re
import zipfile
from collections import Counter
from pathlib import Path

import full_disk
import pandas as pd
import pytest
import yaml
from project import Project

ROOT = Path(__file__).parent.parent.parent
DOWNSTREAM_OF_VOCABULARY = {
    "build_vocabulary", "build_store", "build_xnli_store", "build_xnli_evaluation_store", "build_xnli_translated_store",
    "init_random_model", "pretrain", "finetune_xnli",
    "score_xnli", "score_retrieval", "sample_objective_batches", "make_xnli_table",
    "make_retrieval_table", "plot_training_curves", "plot_objectives",
    "build_glue_store", "finetune_glue", "score_glue", "make_glue_submission", "make_glue_table",
    "score_embeddings", "make_embedding_table", "project_words", "plot_alignment",
    "make_ablation_table", "test_claims", "make_claims_page", "make_manifest",
}  # fmt: skip
# What is shown of XNLI, of retrieval, and of the trainings. Every table has a manifest.
XNLI = Counter(make_xnli_table=1, make_manifest=1)  # with its figures
RETRIEVAL = Counter(make_retrieval_table=1, make_manifest=1)
CURVES = Counter(plot_training_curves=1)
TRANSLATION = Counter(
    bootstrap_translations=2, make_translation_table=2, plot_bleu_curves=2, show_translations=2, make_manifest=2
)
# Two unsupervised translators, scored in both directions, and four supervised ones; of each kind half begin with MLM.
TRANSLATED = Counter(train_translator=6, score_translation=8)
AFTER_MLM = Counter(train_translator=3, score_translation=4)
# Word embeddings, of both baselines and of MLM with and without TLM.
EMBEDDINGS = Counter(score_embeddings=1, make_embedding_table=1, make_manifest=1)
MAP = Counter(project_words=1, plot_alignment=1)
# One fine-tuning seed of one pretraining seed: four runs zero-shot, one few-shot and translate-train with one model and
# with one for each of two languages. The ablation adds a run with separate vocabularies, zero-shot. A model is scored
# once for all of its protocols.
FINETUNED, SCORED = 9, 5
PERPLEXITY = Counter(score_perplexity=2, make_perplexity_table=1, make_manifest=1)
ABLATION = Counter(make_ablation_table=1, make_manifest=1)
CLAIMS = Counter(test_claims=1, make_claims_page=1, make_manifest=1)
REFINED = XNLI + ABLATION + CLAIMS
GLUE_ROWS, GLUE_TASKS = 3, 4  # of the rows one begins with random weights and one is of the setup at the top


def glue(n_rows: int) -> Counter[str]:
    """What follows from other models of so many rows of GLUE."""
    n = n_rows * GLUE_TASKS
    return Counter(finetune_glue=n, score_glue=n, make_glue_submission=n_rows, make_glue_table=1, make_manifest=1)


@pytest.fixture
def results(project: Project) -> Path:
    return project.folder / "results" / "tiny"


@pytest.fixture
def edited(project: Project):
    """A function that edits a file of the project, until the test ends."""
    before: dict[Path, str] = {}

    def edit(name: str, old: str, new: str) -> None:
        path = project.folder / name
        before.setdefault(path, path.read_text())
        assert old in before[path]
        path.write_text(path.read_text().replace(old, new))

    yield edit
    for path, text in before.items():
        path.write_text(text)


def test_every_cell_of_the_table_is_filled(results: Path):
    tidy = pd.read_csv(results / "tables" / "xnli.tidy.csv")
    assert list(tidy.columns) == [
        "table", "system", "setting", "column", "metric", "mean", "spread", "low", "high", "n_seeds", "n_items",
        "published",
    ]  # fmt: skip
    rows = list(dict.fromkeys(zip(tidy["system"], tidy["setting"], strict=True)))
    settings = (
        "zero-shot, selected per language", "few-shot", "translate-test", "translate-train", "translate-train, all"
    )  # fmt: skip
    assert rows == [
        *(
            (run, "zero-shot")
            for run in ("no pretraining", "XLM (MLM), no language embeddings", "XLM (MLM)", "XLM (MLM+TLM)")
        ),
        *(("XLM (MLM+TLM)", setting) for setting in settings),
    ]
    assert set(tidy["column"]) == {"en", "fr", "transfer", "avg"} and len(tidy) == 9 * 4
    assert tidy["mean"].between(0, 100).all() and (tidy["n_seeds"] == 1).all()
    assert (tidy.query("column == 'en'")["n_items"] == 60).all()
    published = tidy.query("system == 'XLM (MLM+TLM)' and setting == 'zero-shot'").set_index("column")["published"]
    assert published["fr"] == 78.7 and published["avg"] == pytest.approx((85.0 + 78.7) / 2)


def test_every_other_row_is_compared_with_one(results: Path):
    differences = pd.read_csv(results / "tables" / "xnli.differences.csv")
    assert len(differences) == 10 * 4  # three runs with the one above, two with the first, five settings with zero-shot
    means = pd.read_csv(results / "tables" / "xnli.tidy.csv").set_index(["system", "setting", "column"])["mean"]
    for difference in differences.itertuples():
        row, minus = (
            (difference.system, difference.setting, difference.column),
            (difference.minus_system, difference.minus_setting, difference.column),
        )
        assert difference.difference == pytest.approx(means[row] - means[minus])


def test_every_cell_of_the_tables_of_translation_is_filled(results: Path):
    unsupervised, supervised = (
        pd.read_csv(results / "tables" / f"{name}_mt.tidy.csv") for name in ("unsupervised", "supervised")
    )
    rows = [("no pretraining", "no pretraining"), ("EMB", "XLM (MLM)")]
    assert list(dict.fromkeys(zip(unsupervised["system"], unsupervised["setting"], strict=True))) == rows
    assert len(unsupervised) == 2 * 2 * 3 and set(unsupervised["column"]) == {"en-fr", "fr-en"}  # and three metrics
    assert list(dict.fromkeys(supervised["system"])) == ["fr → en", "fr ↔ en + BT"]
    assert len(supervised) == 2 * 2 * 3 and set(supervised["setting"]) == {"fr-en"}
    both = pd.concat([unsupervised, supervised])
    assert both["mean"].between(0, 100).all() and (both["n_items"] == 30).all()


def test_every_cell_of_the_table_of_glue_is_filled(results: Path):
    tidy = pd.read_csv(results / "tables" / "glue.tidy.csv")
    assert list(dict.fromkeys(zip(tidy["system"], tidy["setting"], strict=True))) == [
        ("no pretraining", "en"), ("XLM_en", "en"), ("XLM (MLM+TLM)", "3 languages"),
    ]  # fmt: skip
    places = list(dict.fromkeys(zip(tidy["column"], tidy["metric"], strict=True)))
    assert places == [
        ("CoLA", "Matthews"), ("MRPC", "F1"), ("MRPC", "accuracy"), ("STS-B", "Pearson"), ("STS-B", "Spearman"),
        ("MNLI-m", "accuracy"), ("MNLI-mm", "accuracy"), ("GLUE", "score"),
    ]  # fmt: skip
    assert len(tidy) == GLUE_ROWS * len(places) and (tidy["n_seeds"] == 1).all() and tidy["mean"].notna().all()
    assert set(tidy["n_items"]) == {12, 5 * 12}
    assert tidy.query("system == 'XLM_en' and column == 'MNLI-m'")["published"].item() == 89.1
    text = (results / "tables" / "glue.md").read_text()
    assert "Tasks that are missing here, and in the score: SST-2, QQP, QNLI, RTE, WNLI." in text


def test_the_leaderboard_of_glue_gets_a_file_for_each_set(results: Path):
    paths = sorted((results / "submissions" / "glue").iterdir())
    assert [path.name for path in paths] == ["base.mlm_tlm.0.0.zip", "english.mlm.0.0.zip", "english.none.0.0.zip"]
    for path in paths:
        with zipfile.ZipFile(path) as file:
            assert file.namelist() == [f"{name}.tsv" for name in ("CoLA", "MRPC", "STS-B", "MNLI-m", "MNLI-mm", "AX")]
            for name in file.namelist():
                header, *lines = file.read(name).decode().splitlines()
                assert header == "index\tprediction"
                assert [line.split("\t")[0] for line in lines] == [str(number) for number in range(10)]


def test_translations_stand_beside_what_they_translate(results: Path):
    folder = results / "translations" / "supervised.one_way.mlm" / "0" / "fr-en"
    lines = {path.stem: path.read_text().split("\n")[:-1] for path in folder.iterdir()}
    assert {len(texts) for texts in lines.values()} == {30} and len(lines) == 5
    tested = (results / "text" / "news_test" / "en-fr" / "0.tsv").read_text().splitlines()
    assert lines["sources"] == [line.split("\t")[1] for line in tested]
    assert lines["references"] == [line.split("\t")[0] for line in tested]


def test_word_embeddings_are_measured_on_the_same_words(results: Path):
    tidy = pd.read_csv(results / "tables" / "embeddings.tidy.csv")
    assert list(dict.fromkeys(tidy["system"])) == ["MUSE", "Concat", "XLM (MLM)", "XLM (MLM+TLM)"]
    assert set(tidy["setting"]) == {"all words", "spelled differently"} and set(tidy["column"]) == {"en-fr", "avg"}
    assert (tidy.groupby(["setting", "column", "metric"])["n_items"].nunique() == 1).all()
    published = tidy.query("system == 'XLM (MLM)' and setting == 'all words' and column == 'avg'")
    assert published.set_index("metric")["published"].dropna().to_dict() == {
        "cosine": 0.55,
        "L2": 2.64,
        "Pearson": 0.69,
    }
    shown = json.loads((results / "figures" / "alignment.json").read_text())
    assert list(shown["maps"]) == ["mlm", "mlm_tlm"] and len(shown["words"]) == 8


def test_another_rotation_scores_again_and_another_map_is_drawn(project: Project, edited):
    edited("tiny.yaml", "  alignment_figure:\n", "  refinement:\n    rounds: 2\n  alignment_figure:\n    seed: 1\n")
    assert project.waiting_rules() == EMBEDDINGS + MAP + CLAIMS


def test_every_rendering_is_there(results: Path):
    tables = ("xnli", "retrieval", "glue", "unsupervised_mt", "supervised_mt", "embeddings", "perplexity", "ablation")
    for name in tables:
        assert all((results / "tables" / f"{name}.{kind}").stat().st_size for kind in ("md", "html", "tex", "tidy.csv"))
    of_xnli = ("xnli_heatmap", "confusions", "retrieval_by_layer", "training_curves", "objectives")
    for name in (*of_xnli, "claims", "unsupervised_curves", "supervised_curves", "alignment"):
        assert "<svg" in (results / "figures" / f"{name}.svg").read_text()


def test_every_table_has_its_provenance(results: Path):
    """Cells lead to their jobs; what a table began with is what Snakemake says that its jobs read."""
    paths = {path.name.partition(".")[0]: path for path in (results / "tables").glob("*.manifest.json")}
    assert set(paths) == {path.name.partition(".")[0] for path in (results / "tables").glob("*.tidy.csv")}
    manifests = {name: json.loads(path.read_text()) for name, path in paths.items()}
    for name, manifest in manifests.items():
        assert all(attempt["finished"] for job in manifest["jobs"].values() for attempt in job["attempts"])
        assert all(len(source["sha256"]) == 64 for source in manifest["sources"])
        assert name == "claims" or manifest["numbers"]
    rules = {
        (number["setting"], frozenset(manifests["xnli"]["jobs"][job]["rule"] for job in number["jobs"]))
        for number in manifests["xnli"]["numbers"]
        if number["system"] == "mlm_tlm"
    }
    assert all(behind == {"score_xnli", "finetune_xnli", "pretrain", "learn_bpe"} for _, behind in rules)
    assert {setting for setting, _ in rules} >= {"zero-shot", "few-shot", "translate-test", "translate-train"}
    assert {job["rule"] for job in manifests["claims"]["jobs"].values()} >= {"score_glue", "train_word_vectors"}
    raw = {f"results/tiny/raw/microworld/documents/{language}.txt.gz" for language in ("en", "fr", "hi")}
    raw |= {f"results/tiny/raw/microworld/{name}.zip" for name in ("xnli/XNLI-1.0", "xnli/XNLI-MT-1.0")}
    raw |= {"results/tiny/raw/microworld/translations/en-fr.txt.zip", "own.fr.txt"}
    assert {source["path"] for source in manifests["xnli"]["sources"]} == raw


def test_provenance_is_shown_and_makes_nothing(project: Project):
    run = project.snakemake("provenance")
    assert run.returncode == 0, run.stderr
    assert "xnli: results/tiny/tables/xnli.manifest.json" in run.stdout
    assert "all of them, each job once:" in run.stdout and "not made yet" not in run.stdout
    assert project.waiting_rules("provenance") == Counter()


def test_text_is_accounted_for_at_every_step(results: Path):
    """What one step kept the next one read, from the generator to the stores."""
    for corpus, key in (("documents", "fr"), ("translations", "en-fr"), ("own", "fr")):
        extracted = json.loads((results / "text" / corpus / key / "statistics.json").read_text())
        tokenized = [json.loads(path.read_text()) for path in (results / "tokens/base" / corpus / key).glob("*.json")]
        stored = [
            json.loads(path.read_text()) for path in (results / "store/base" / corpus / key).glob("*/statistics.json")
        ]
        assert len(tokenized) == len(stored) == 2
        assert extracted["kept"] == sum(counts["read"] for counts in tokenized)
        assert sum(counts["kept"] for counts in tokenized) == sum(counts["read"] for counts in stored)
        assert extracted["kept"] > 0


def test_a_second_run_has_nothing_to_do(project: Project):
    assert project.waiting_rules() == Counter()


def test_the_report_holds_the_tables(project: Project):
    run = project.snakemake("all", "--report", "report.html")
    assert run.returncode == 0, run.stderr[-3000:]
    text = (project.folder / "report.html").read_text()
    shown = (
        "xnli.html", "xnli_heatmap.svg", "confusions.svg", "retrieval_by_layer.svg", "objectives.svg",
        "unsupervised_mt.html", "supervised_curves.svg", "supervised_samples.html",
        "glue.html",
    )  # fmt: skip
    assert [name for name in shown if name not in text] == []


def test_a_touched_file_starts_nothing(project: Project):
    (project.folder / "own.fr.txt").touch()
    (project.folder / "results" / "tiny" / "raw" / "microworld" / "documents" / "en.txt.gz").touch()
    assert project.waiting_rules() == Counter()


def test_new_content_in_one_language_starts_its_own_jobs_and_what_depends_on_them(project: Project, edited):
    edited("own.fr.txt", "taxi", "piano")
    rules, jobs = project.waiting()
    text_jobs = {job for job in jobs if job.startswith(("Extracting", "Tokenizing", "Sampling", "Learning"))}
    assert text_jobs == {
        "Extracting own (fr)",
        "Tokenizing own (fr), shard 0",
        "Tokenizing own (fr), shard 1",
        "Sampling text for byte-pair encoding (base, all)",
        "Learning byte-pair encoding (base, all)",
        "Sampling text for byte-pair encoding (separate, fr)",  # where each language has a vocabulary of its own
        "Learning byte-pair encoding (separate, fr)",
    }
    assert set(rules) == DOWNSTREAM_OF_VOCABULARY | {
        "extract",
        "tokenize",
        "sample_bpe_text",
        "learn_bpe",
        "train_word_vectors",
    }


def test_another_learning_rate_trains_again_and_touches_no_text(project: Project, edited):
    edited("tiny.yaml", "learning_rate: 0.001", "learning_rate: 0.002")
    trained = Counter(pretrain=8, finetune_xnli=FINETUNED - 1, score_xnli=SCORED - 1, score_retrieval=1)
    shown = XNLI + RETRIEVAL + CURVES + TRANSLATION + EMBEDDINGS + MAP + PERPLEXITY + ABLATION + CLAIMS
    assert project.waiting_rules() == trained + glue(2) + AFTER_MLM + shown


def test_another_setting_of_a_translator_s_training_leaves_pretraining_alone(project: Project, edited):
    edited("tiny.yaml", "learning_rate: 0.003", "learning_rate: 0.004")
    assert project.waiting_rules() == TRANSLATED + TRANSLATION + CLAIMS


def test_another_search_translates_the_test_sets_again(project: Project, edited):
    edited("tiny.yaml", "beam_size: 2", "beam_size: 3")
    shown = TRANSLATION - Counter(plot_bleu_curves=2)
    assert project.waiting_rules() == Counter(score_translation=8) + shown + CLAIMS


def test_one_more_row_trains_what_it_needs_alone(project: Project, edited):
    edited("tiny.yaml", "    - - none\n      - none\n", "    - - none\n      - none\n    - - mlm\n      - none\n")
    made = Counter(train_translator=1, score_translation=2)
    shown = Counter(bootstrap_translations=1, make_translation_table=1, plot_bleu_curves=1, make_manifest=1)
    # but no samples, which are of the first and the last row
    assert project.waiting_rules() == made + shown


def test_another_fine_tuning_setting_leaves_pretraining_alone(project: Project, edited):
    edited("tiny.yaml", "batch_size: 16", "batch_size: 8")
    assert project.waiting_rules() == Counter(finetune_xnli=FINETUNED, score_xnli=SCORED) + REFINED + glue(GLUE_ROWS)


def test_another_number_of_few_shot_examples_concerns_few_shot_alone(project: Project, edited):
    edited("tiny.yaml", "examples: 10", "examples: 20")
    rules, jobs = project.waiting()
    assert {job for job in jobs if "XNLI (" in job} == {"Fine-tuning mlm_tlm (base) on XNLI (few_shot), seeds 0 and 0"}
    # The model is scored again by all of its protocols.
    assert rules == Counter(finetune_xnli=1, score_xnli=1) + REFINED


def test_one_more_fine_tuning_seed_adds_its_own_jobs(project: Project, edited):
    edited("tiny.yaml", "  finetuning:\n  - 0\n", "  finetuning:\n  - 0\n  - 1\n")
    rules, jobs = project.waiting()
    assert rules == Counter(finetune_xnli=FINETUNED, score_xnli=SCORED) + REFINED + glue(GLUE_ROWS)
    assert all("seeds 0 and 1" in job for job in jobs if "XNLI (" in job)


def test_one_more_pretraining_seed_adds_its_own_jobs(project: Project, edited):
    edited("tiny.yaml", "  pretraining:\n  - 0\n", "  pretraining:\n  - 0\n  - 1\n")
    trained = Counter(init_random_model=2, pretrain=8, finetune_xnli=FINETUNED, score_xnli=SCORED, score_retrieval=1)
    trained += Counter(train_subword_vectors=1, train_word_vectors=3) + TRANSLATED + EMBEDDINGS + glue(GLUE_ROWS)
    trained += PERPLEXITY + ABLATION + CLAIMS
    shown = XNLI + RETRIEVAL + CURVES + TRANSLATION - Counter(show_translations=2)  # which show one seed
    assert project.waiting_rules() == trained + shown


def test_one_more_language_of_the_table_leaves_pretraining_alone(project: Project, edited):
    edited("tiny.yaml", "  languages:\n  - en\n  - fr\n", "  languages:\n  - en\n  - fr\n  - hi\n")
    # The sets of the new language, evaluation sets in the second vocabulary, too; the translated ones are one job.
    text = Counter(build_xnli_store=1, build_xnli_evaluation_store=1 + 1, build_xnli_translated_store=1)
    # All are selected by all languages but those of one language, of which there is one more.
    models = Counter(finetune_xnli=FINETUNED - 2 + 1, score_xnli=SCORED, score_retrieval=1)
    assert project.waiting_rules() == text + models + REFINED + RETRIEVAL


def test_another_order_of_the_languages_makes_the_table_alone(project: Project, edited):
    edited("tiny.yaml", "  languages:\n  - en\n  - fr\n", "  languages:\n  - fr\n  - en\n")
    assert project.waiting_rules() == XNLI + RETRIEVAL


def test_another_size_of_the_microworld_generates_its_collection_alone(project: Project, edited):
    edited("tiny.yaml", "glue_train: 32", "glue_train: 33")
    text = Counter(generate_glue=1, extract_glue=GLUE_TASKS + 1, build_glue_store=2 * (GLUE_TASKS + 1))
    assert project.waiting_rules() == text + glue(GLUE_ROWS) + CLAIMS
    assert project.waiting_rules("xnli_table") == Counter()


def test_one_more_pair_trains_again_what_reads_pairs(project: Project, edited):
    pair = "  en-fr:\n  - translations\n"
    edited("tiny.yaml", f"parallel:\n{pair}", f"parallel:\n{pair}{pair.replace('fr', 'hi')}")
    text = Counter(extract=1, tokenize=2, build_store=2 * 2)
    models = Counter(pretrain=2, finetune_xnli=6, score_xnli=2, score_retrieval=1)
    shown = XNLI + RETRIEVAL + CURVES + EMBEDDINGS + MAP + ABLATION + CLAIMS
    rules, jobs = project.waiting()
    assert rules == text + models + glue(1) + shown
    assert all(" mlm_tlm" in job for job in jobs if " XNLI (" in job)


def test_one_more_task_of_glue_adds_its_own_jobs(project: Project, edited):
    edited("tiny.yaml", "    MRPC:\n", "    RTE:\n      microworld: glue\n    MRPC:\n")
    text = Counter(extract_glue=1, build_glue_store=2)  # of two vocabularies
    models = Counter(finetune_glue=GLUE_ROWS, score_glue=GLUE_ROWS, make_glue_submission=GLUE_ROWS)
    models += Counter(make_glue_table=1, make_manifest=1)
    rules, jobs = project.waiting()
    assert rules == text + models + CLAIMS
    assert all("RTE" in job for job in jobs if "GLUE (" in job)


def test_another_layer_of_retrieval_scores_again(project: Project, edited):
    edited("tiny.yaml", "n_sentences: 40", "n_sentences: 40\n  layer: 1")
    assert project.waiting_rules() == Counter(score_retrieval=1) + RETRIEVAL


def test_another_caption_starts_nothing(project: Project, edited):
    edited("docs/report/xnli.rst", "Cross-lingual classification", "Classification")
    edited("docs/report/workflow.rst", "Results of", "What came of")
    assert project.waiting_rules() == Counter()


def test_code_that_changes_no_result_starts_nothing(project: Project, edited):
    """Comments, a docstring, a log message, an error message, and a function that nobody calls."""
    edited("xlm_core/model/attention.py", '"""Multi-head attention', '# A comment.\n"""Attention')
    edited("xlm_core/text/tokenize.py", "import logging\n", "# A comment.\nimport logging\n")
    edited("xlm_core/tasks/classification/finetune.py", '"selected learning rate', '"the best learning rate')
    edited("xlm_core/text/formats/xnli.py", "no labelled pair; {", "no pair with a label; {")
    edited(
        "xlm_core/io.py",
        "def write_text(",
        "def copy_text(path: Path) -> None:\n    write_text(path, '')\n\n\ndef write_text(",
    )
    assert project.waiting_rules() == Counter()


def test_code_that_only_scores_scores_again(project: Project, edited):
    edited("xlm_core/tasks/retrieval.py", "BATCH_SIZE = 128", "BATCH_SIZE = 64")
    assert project.waiting_rules() == Counter(score_retrieval=1) + RETRIEVAL


def test_code_of_the_report_draws_again(project: Project, edited):
    edited("xlm_core/report/rendering.py", "WIDTH = 110", "WIDTH = 100")
    made = Counter(make_xnli_table=1, make_retrieval_table=1, make_translation_table=2, make_glue_table=1)
    made += Counter(make_embedding_table=1, make_perplexity_table=1, make_ablation_table=1)
    made += Counter(show_translations=2, make_claims_page=1)  # pages of the same templates
    made += Counter(make_manifest=9)  # of all tables; the page of a manifest is of the same templates
    assert project.waiting_rules() == made


def test_code_of_the_model_trains_again(project: Project, edited):
    edited(
        "xlm_core/model/transformer.py",
        "init.zeros_(self.embeddings.weight[PAD])",
        "init.ones_(self.embeddings.weight[PAD])",
    )
    trained = Counter(init_random_model=2, pretrain=8, finetune_xnli=FINETUNED, score_xnli=SCORED, score_retrieval=1)
    trained += Counter(train_subword_vectors=1) + TRANSLATED + TRANSLATION + EMBEDDINGS + MAP
    trained += glue(GLUE_ROWS) + PERPLEXITY + ABLATION + CLAIMS
    assert project.waiting_rules() == trained + XNLI + RETRIEVAL + CURVES


def test_a_misspelt_key_is_one_short_message_before_anything_else(project: Project, edited):
    edited("tiny.yaml", "batch_size:", "batch_sise:")
    run = project.snakemake("all", "-n")
    output = run.stdout + run.stderr
    assert run.returncode == 1
    assert "config.xnli.finetuning.batch_sise: unknown key (did you mean 'batch_size'?)" in output
    assert "Building DAG" not in output and "Traceback" not in output


def test_a_full_disk_costs_the_job_that_met_it_and_no_other(tmp_path: Path):
    """On text of short lines a store is the largest file: eight bytes a line tell where each begins."""
    project = Project(tmp_path)
    project.write_settings(
        project.settings
        | {
            "languages": ["en"],
            "corpora": {"own": {"format": "text", "keys": ["en"], "path": "own.{key}.txt", "tokenized": True}},
            "monolingual": {"en": ["own"]},
            "parallel": {},
            "setups": {},
            "translation": None,
            "glue": None,
            "embeddings": None,
            "perplexity": None,
            "ablation": None,
            "claims": [],
            "text": {"n_shards": 1, "valid_fraction": 0.05, "test_fraction": 0.05},
            "vocabulary": {"size": 60, "sample_lines": 1000},
            "runs": {"none": {"label": "no pretraining", "objectives": []}},
            "xnli": {"languages": ["en"], "runs": ["none"]}
            | {key: project.settings["xnli"][key] for key in ("evaluation", "training", "finetuning")},
        }
    )
    (tmp_path / "own.en.txt").write_text("".join(f"{number:x}\n" for number in range(60_000)))
    store = "results/tiny/store/base/own/en/0/train.store"
    run = project.snakemake(store, room=500_000)
    assert run.returncode == 1
    assert f"StorageError: {store} (or one of 2 more files that are written with it) {full_disk.MESSAGE}" in run.stderr
    assert "Traceback" not in run.stderr
    assert not list((tmp_path / "results/tiny/store").rglob("*.*"))
    assert project.waiting_rules(store) == Counter(build_store=1)
    others = {path: path.stat().st_mtime_ns for path in (tmp_path / "results/tiny").rglob("*.tsv")}
    run = project.snakemake(store)
    assert run.returncode == 0, run.stderr
    assert re.findall(r"^1 of 1  [\d:]+  (.+)$", run.stderr, re.MULTILINE) == ["Storing own (en), shard 0"]
    assert (tmp_path / store).stat().st_size > 500_000
    assert {path: path.stat().st_mtime_ns for path in others} == others
    assert project.waiting_rules(store) == Counter()


def test_the_paper_s_configuration_lists_its_jobs(unused: Project):
    """Text: one job per file and shard. Fine-tuning: one per seed of a run, and per language where it is translated.

    mBERT and XLM-R have four files each, and read the pairs of XNLI by vocabularies of their own, zero-shot alone.
    """
    n_files, n_languages, n_seeds = 15 + 14 + 1, 15, 3  # en-sw has two corpora
    n_others = 2
    n_shards = yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text())["text"]["n_shards"]
    rules = unused.waiting_rules("xnli_table", configuration=["configs/paper.yaml"])
    expected = Counter(
        download=n_files + 2 + 4 * n_others, extract=n_files,
        tokenize=n_files * n_shards, build_store=n_files * n_shards,
        sample_bpe_text=1, learn_bpe=1, build_vocabulary=1,
        build_xnli_store=n_languages + n_others, build_xnli_evaluation_store=(1 + n_others) * n_languages,
        build_xnli_translated_store=1, init_random_model=1, pretrain=2,
        import_model=n_others, import_vocabulary=n_others,
        finetune_xnli=(3 + n_languages + n_others) * n_seeds,
    )  # fmt: skip
    assert {name: rules[name] for name in expected} == expected
    assert rules.total() <= 2000


def test_the_stores_are_text_and_task_and_no_training(unused: Project):
    rules = unused.waiting_rules("prepare_data", configuration=["configs/xlm100_like.yaml"])
    n_shards = yaml.safe_load((ROOT / "configs" / "xlm100_like.yaml").read_text())["text"]["n_shards"]
    expected = Counter(
        download=15 + 2, extract=15, tokenize=15 * n_shards, build_store=15 * n_shards, sample_bpe_text=1, learn_bpe=1,
        build_vocabulary=1, build_xnli_evaluation_store=15, build_xnli_store=1,
    )  # fmt: skip
    assert rules == expected


def test_duplicates_are_looked_for_where_a_setup_drops_them_and_never_in_test_sets(unused: Project):
    targets, laid_over = ("unsupervised_mt_table", "prepare_data"), unused.folder / "deduplicated.yaml"
    laid_over.write_text("name: deduplicated\nsetups: {news: {text: {deduplicate: true}}}\n")
    plain = unused.waiting_rules(*targets)
    rules = unused.waiting_rules(*targets, configuration=["tiny.yaml", "deduplicated.yaml"])
    assert plain["mark_duplicates"] == 0
    assert rules - plain == Counter(mark_duplicates=3)  # news in both languages, and the pairs of news


def test_duplicates_are_dropped_and_counted(unused: Project):
    """Fifty times two lines, in two shards, of which each line is kept once."""
    (unused.folder / "deduplicated.yaml").write_text("name: deduplicated\ntext: {deduplicate: true}\n")
    folder = "results/deduplicated/tokens/base/own/fr"
    files = [f"{folder}/{shard}.statistics.json" for shard in (0, 1)]
    run = unused.snakemake(*files, configuration=["tiny.yaml", "deduplicated.yaml"])
    assert run.returncode == 0, run.stdout + run.stderr
    counts = [json.loads((unused.folder / file).read_text()) for file in files]
    assert counts == [{"read": 100, "kept": 2, "dropped": {"duplicate": 98}}, {"read": 0, "kept": 0, "dropped": {}}]


def test_the_paper_s_translation_lists_its_jobs(unused: Project):
    """News of three languages for eleven years, of Romanian for one; two corpora of pairs; one archive of test sets."""
    targets = ("unsupervised_mt_table", "supervised_mt_table")
    rules = unused.waiting_rules(*targets, configuration=["configs/paper.yaml"])
    n_shards = yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text())["text"]["n_shards"]
    n_pairs, n_rows = 3, 10
    expected = Counter(
        download=3 * 11 + 1 + 2 + 1, extract=4 + 2, extract_test_set=6, tokenize=(4 + 2) * n_shards + n_pairs,
        build_store=(2 * n_pairs + 2) * n_shards, sample_bpe_text=n_pairs, learn_bpe=n_pairs, build_vocabulary=n_pairs,
        pretrain=2 * n_pairs, train_subword_vectors=n_pairs, train_translator=n_pairs * n_rows + 3 * 3,
        score_translation=2 * n_pairs * n_rows + 3 * 3,
    )  # fmt: skip
    assert {name: rules[name] for name in expected} == expected


def test_the_paper_s_glue_lists_its_jobs(unused: Project):
    """Nine tasks and diagnostics in three vocabularies, and models of five rows and three seeds; four files of BERT."""
    rules = unused.waiting_rules("glue_table", configuration=["configs/paper.yaml"])
    n_texts, n_files = 9 + 1, 8 + 3 + 1
    n_models = 9 * 5 * 3
    expected = Counter(
        extract_glue=n_texts, build_glue_store=3 * n_texts, finetune_glue=n_models,
        score_glue=n_models, make_glue_submission=5 * 3, download=n_files + 15 + 15 + 4, learn_bpe=2, pretrain=3,
        init_random_model=1, import_model=1, import_vocabulary=1,
    )  # fmt: skip
    assert {name: rules[name] for name in expected} == expected


def test_a_configuration_without_glue_says_so(unused: Project):
    run = unused.snakemake("glue_table", "-n", configuration=["configs/xlm100_like.yaml"])
    assert run.returncode == 1 and "has no section glue, so there is no such table" in run.stdout + run.stderr


def test_the_table_has_made_all_stores(project: Project):
    assert project.waiting_rules("prepare_data") == Counter()


def test_a_second_configuration_file_changes_single_keys_of_the_first(unused: Project):
    (unused.folder / "reduced.yaml").write_text("name: reduced\nvocabulary: {size: 8000}\nlanguages: [en]\n")
    run = unused.snakemake("prepare_data", "-n", configuration=["tiny.yaml", "reduced.yaml"])
    assert run.returncode == 1 and "monolingual.fr: unknown name 'fr'" in run.stdout  # a list is replaced
    (unused.folder / "reduced.yaml").write_text("name: reduced\nvocabulary: {size: 8000}\n")
    run = unused.snakemake("prepare_data", "-n", "-p", configuration=["tiny.yaml", "reduced.yaml"])
    assert run.returncode == 0 and "results/reduced/" in run.stdout and "results/tiny/" not in run.stdout
