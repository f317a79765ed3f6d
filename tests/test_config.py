"""The configuration refuses what it does not understand, in words."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from xlm_core import config
from xlm_core.config import classification, configuration, setups, sources, tables, translation
from xlm_core.errors import ConfigError
from xlm_core.workflow.experiments import xnli_experiments, xnli_protocols
from xlm_core.workflow.tables import describe

ROOT = Path(__file__).parent.parent

# Laid over another one.
OVERLAYS = {
    ROOT / "configs" / name: base
    for name, base in (
        ("evidence.yaml", "config.yaml"),
        ("claims.yaml", "config.yaml"),
        ("small_models.yaml", "configs/small.yaml"),
    )
}
*EVIDENCE, SMALL_MODELS = OVERLAYS
FILES = [
    ROOT / "config.yaml",
    *sorted({*(ROOT / "configs").glob("*.yaml")} - set(OVERLAYS)),
    ROOT / "tests/tiny/config.yaml",
]
PUBLISHED = ["paper", "xlm100_like"]
SETTINGS = (
    "text:",
    "vocabulary:",
    "model:",
    "pretraining:",
    "  finetuning:",
    "embeddings:",
)  # sections whose settings have a source
SOURCES = re.compile(r"# (paper|authors|released|chosen)\b")


def default() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def read_file(path: Path) -> config.Config:
    return config.parse(yaml.safe_load(path.read_text()))


def refusal(data: dict) -> str:
    with pytest.raises(ConfigError) as error:
        config.parse(data)
    return str(error.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_every_configuration_of_the_project_is_valid(path: Path):
    assert read_file(path).name == {"config.yaml": "microworld", "tiny/config.yaml": "tiny"}.get(
        str(path.relative_to(ROOT)).removeprefix("tests/"), path.stem
    )


def test_models_of_others_are_laid_over_the_small_configuration():
    merged = yaml.safe_load((ROOT / "configs" / "small.yaml").read_text())
    update_config(merged, yaml.safe_load(SMALL_MODELS.read_text()))
    loaded = config.parse(merged)
    assert [row.name for row in loaded.xnli.runs][3:] == ["mbert/mbert", "xlmr/xlmr", "xlmr/xlmr_tlm"]
    assert [row.name for row in loaded.glue.systems][:4] == ["english/none", "english/mlm", "mlm", "mlm_tlm"]
    assert loaded.runs["mbert"].published == "mbert" and loaded.runs["bert"].published == "bert"


def test_the_examples_of_the_page_of_models_are_configurations():
    page, merged = (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), default()
    examples = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    rows = []
    for example in examples:
        update_config(merged, yaml.safe_load(example))
        loaded = config.parse(merged)
        rows.append(list(loaded.xnli.rows)[3:])
    assert rows == [["xlmr/xlmr"], ["mmbert/mmbert"], ["xlmr/xlmr", "xlmr/xlmr_tlm"], ["added"]]
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    for run in ("xlmr", "mmbert"):
        assert {url.rpartition("/")[2] for (url,), *_ in loaded.runs[run].pretrained.downloads} == names


def n_weights(loaded: config.Setup) -> int:
    """Of a Transformer encoder with these settings whose output table is its input table."""
    dim, feedforward = loaded.model.dim, loaded.model.feedforward_dim
    tables = loaded.vocabulary.size + loaded.model.max_positions
    tables += len(loaded.languages) if loaded.model.language_embeddings else 0
    layer = 4 * (dim * dim + dim) + 2 * dim * feedforward + feedforward + dim + 2 * 2 * dim
    return tables * dim + 2 * dim + loaded.model.n_layers * layer + loaded.vocabulary.size


def test_the_paper_s_model_has_as_many_weights_as_the_published_one():
    assert n_weights(read_file(ROOT / "configs" / "paper.yaml")) == 249_071_384


def test_the_english_model_has_as_many_weights_as_the_released_one():
    assert n_weights(read_file(ROOT / "configs" / "paper.yaml").setup("english")) == 667_119_041


def test_the_paper_s_model_sees_as_many_tokens_as_bert_did():
    pretraining = read_file(ROOT / "configs" / "paper.yaml").pretraining
    assert pretraining.optim.max_updates * pretraining.batch_tokens == 1_000_000 * 256 * 512


@pytest.mark.parametrize("name", PUBLISHED)
def test_one_batch_per_gpu_makes_an_update(name: str):
    loaded = read_file(ROOT / "configs" / f"{name}.yaml")
    parts = loaded.pretraining.batch_tokens / loaded.pretraining.micro_batch_tokens
    assert parts % (loaded.compute.gpus * loaded.compute.nodes) == 0


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_setting_says_where_it_is_from(name: str):
    """A source stands on the line of each setting, or in the comment above it."""
    section, comment, missing = "", "", []
    for line in (ROOT / "configs" / f"{name}.yaml").read_text().splitlines():
        if line.lstrip().startswith("#"):
            comment += line
            continue
        if not line.startswith(" ") or line.startswith("  finetuning"):
            section = line.rstrip() if line.strip() else section
        elif (
            section in SETTINGS
            and not line.endswith(":")
            and "licence:" not in line
            and not SOURCES.search(comment + line)
        ):
            missing.append(line)
        comment = ""
    assert missing == []


def test_a_file_of_few_keys_alone_is_told_how_it_is_laid_over():
    with pytest.raises(ConfigError, match=r"languages, .*xnli are missing; .* --configfile config\.yaml my\.yaml"):
        config.parse({"name": "mine", "model": {"dim": 64}})


def test_the_file_of_three_seeds_changes_nothing_but_the_seeds():
    laid_over = yaml.safe_load((ROOT / "configs" / "seeds" / "three.yaml").read_text())
    assert list(laid_over) == ["seeds"]
    parsed = config.parse(default() | laid_over)
    assert parsed.pretraining_seeds("mlm_tlm") == parsed.seeds.finetuning == [0, 1, 2]
    assert parsed.pretraining_seeds("mlm_tlm", "few_shot") == [0]


@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: path.stem)
def test_the_evidence_shares_no_seed_with_development_and_changes_no_setting(path):
    """Seeds 0 to 9 are for development, 100 to 299 belong to earlier runs: of worlds, pretraining, fine-tuning."""
    laid_over = yaml.safe_load(path.read_text())
    merged = default()
    update_config(merged, laid_over)
    assert config.parse(merged).name == path.stem
    assert set(laid_over) == {"name", "microworld", "seeds", "xnli", "claims"} and set(laid_over["microworld"]) == {
        "seed"
    }
    seeds = laid_over["seeds"]
    used = [laid_over["microworld"]["seed"], *(seed for of_kind in seeds.values() for seed in of_kind)]
    assert min(used) >= 300 and len(set(seeds["pretraining"])) >= 5
    developed = config.parse(default())
    assert developed.microworld and max(developed.microworld.seed, *developed.seeds.pretraining) < 10
    assert config.parse(merged).xnli.runs == developed.xnli.runs
    assert not any(laid_over["xnli"].pop("few_shot")["runs"])
    assert set(laid_over["xnli"]) <= set(config.SETTINGS) and not any(laid_over["xnli"].values())  # fewer rows


def test_the_default_configuration_explains_every_key():
    """Every field of every section stands in config.yaml, and a comment stands on its line or above it."""
    text = (ROOT / "config.yaml").read_text()
    sections = [
        sources.CorpusSource, sources.Corpus, sources.Microworld, setups.Text, setups.VocabularyConfig,
        setups.ModelConfig, setups.Optim, setups.Masking, setups.Pretraining, configuration.Compute,
        classification.Finetuning, configuration.Run, configuration.Seeds, configuration.Config, classification.Xnli,
        classification.FewShot, classification.Glue, classification.RowConfig, classification.GlueTaskFiles,
        translation.TranslationConfig, translation.EvaluationSets, translation.DecodingConfig,
        translation.UnsupervisedMt, translation.SupervisedMt, translation.TranslationTraining, translation.Noise,
        translation.LossWeights, tables.Retrieval, tables.Embeddings, tables.WordPairs, tables.WordVectors,
        setups.Skipgram, tables.Refinement, tables.AlignmentFigure,
    ]  # fmt: skip
    missing = [
        f"{section.__name__}.{name}"
        for section in sections
        for name in section.model_fields
        if not re.search(rf"(^|[\s{{#]){name}\b", text, re.MULTILINE)
    ]
    assert missing == []


def test_a_misspelt_key_is_named_with_what_was_meant():
    data = default()
    data["pretraining"]["optim"]["learning_rte"] = 1.0e-3
    message = refusal(data)
    assert message == "config.pretraining.optim.learning_rte: unknown key (did you mean 'learning_rate'?)"


def test_a_misspelt_key_inside_a_named_run_is_found():
    data = default()
    data["runs"]["mlm"]["lable"] = data["runs"]["mlm"].pop("label")
    assert refusal(data).splitlines()[0] == "config.runs.mlm.lable: unknown key (did you mean 'label'?)"


def test_a_wrong_type_says_what_was_found():
    data = default()
    data["model"]["dim"] = "64"
    assert refusal(data) == "config.model.dim: Input should be a valid integer, found '64'"


def test_a_number_that_yaml_reads_as_text_is_explained():
    data = default()
    data["pretraining"]["optim"]["learning_rate"] = yaml.safe_load("1e-4")
    assert "1.0e-4" in refusal(data)


@pytest.mark.parametrize(
    ("laid_over", "expected"),
    [
        ("languages: [no, en]", "languages.0: YAML reads no as false; write 'no', in quotes, for Norwegian"),
        ("languages: [English, fr]", "languages.0: 'English' is no code of a language; write en"),
        ("languages: [eng1, fr]", "languages.0: 'eng1' is no code of a language; write one of two or three small let"),
        (
            "parallel: {fr-en: [translations]}",
            "parallel.fr-en: 'fr-en' is no pair: the codes of two languages, in alph",
        ),
        (
            "parallel: {en-en: [translations]}",
            "parallel.en-en: 'en-en' is no pair: the codes of two languages, in alph",
        ),
        ("parallel: {de-English: [translations]}", "parallel.de-English: 'English' is no code of a language; write en"),
        ("microworld: {translations: {fr-en: 20}}", "in alphabetical order; write en-fr"),
        ("seeds: {finetuning: [-1]}", "seeds.finetuning.0: Input should be greater than or equal to 0, found -1"),
    ],
)
def test_a_language_a_pair_or_a_seed_that_is_none_is_answered_with_what_to_write(laid_over: str, expected: str):
    data = default()
    for section, value in yaml.safe_load(laid_over).items():
        data[section] = data[section] | value if isinstance(value, dict) else value
    assert expected in refusal(data)


def with_languages(*languages: str, **corpus) -> config.Config:
    """The default with other languages, of local files."""
    data = default()
    data["corpora"]["mine"] = {"format": "text", "keys": [*languages], "path": "{key}.txt", **corpus}
    data["setups"]["other"] = {
        "languages": [*languages],
        "monolingual": {language: ["mine"] for language in languages},
        "parallel": {},
    }
    return config.parse(data)


def test_what_the_defaults_do_to_a_language_is_said_with_the_key_to_change():
    assert config.language_warnings(with_languages("en", "pt_BR", "zh_Hant", "el")) == []
    kana, words, jamo = config.language_warnings(with_languages("en", "ja", "ko"))
    assert "'ja': text.strip_accents removes the marks that voice kana" in kana and "set it to false" in kana
    assert "'ja': nothing cuts its words" in words and "'ko': text.strip_accents removes the form" in jamo
    (only_marks,) = config.language_warnings(with_languages("en", "lo", tokenized=True))
    assert "'lo': text.strip_accents removes vowel signs" in only_marks


def test_a_missing_segmenter_is_refused_before_any_job(monkeypatch):
    config.check_segmenters(with_languages("en", "zh", "th"))
    monkeypatch.setattr("xlm_core.config.language_check.find_spec", lambda name: None)
    config.check_segmenters(with_languages("en", "zh", tokenized=True))
    with pytest.raises(ConfigError, match=r"'th' \(Thai\).*pythainlp.*\n.*'zh_Hant' \(Chinese\).*jieba.*segmentation"):
        config.check_segmenters(with_languages("th", "zh_Hant"))


@given(
    given_values=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from(["en", "a b"]),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
        ),
    )
)
def test_values_of_the_command_line_have_the_types_that_yaml_gives_them(given_values: object):
    """Snakemake reads them by PyYAML's base loader, which leaves every scalar text."""
    text = yaml.safe_dump({"key": given_values})
    of_command_line, of_file = yaml.load(text, Loader=yaml.BaseLoader), yaml.safe_load(text)
    merged = {"other": "1", **yaml.load(text, Loader=yaml.BaseLoader)}
    config.restore_types(merged, of_command_line)
    assert merged == {"other": "1", **of_file}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data["xnli"]["runs"].append("mlm_tml"), "unknown name 'mlm_tml' (did you mean 'mlm_tlm'?)"),
        (
            lambda data: data["xnli"].update(translate_train=["mlm_tml"]),
            "xnli.translate_train: unknown name 'mlm_tml' (did you mean 'mlm_tlm'?)",
        ),
        (lambda data: data["xnli"]["runs"].remove("mlm_tlm"), "unknown name 'mlm_tlm'"),
        (lambda data: data["xnli"]["few_shot"].update(runs=["clm"]), "xnli.few_shot.runs: unknown name 'clm'"),
        (lambda data: data["monolingual"].update(fr=["documens"]), "did you mean 'documents'?"),
        (lambda data: data["parallel"].update({"de-fr": ["translations"]}), "but not de-fr"),
        (lambda data: data["monolingual"].pop("fr"), "no corpus for language 'fr'"),
        (lambda data: data["xnli"]["languages"].append("sw"), "unknown name 'sw'"),
        (lambda data: data["corpora"]["documents"].update(url="https://example.org/x"), "exactly one of url, path"),
        (lambda data: data.pop("microworld"), "there is no section 'microworld'"),
        (lambda data: data["pretraining"].update(seq_len=640), "seq_len is 640, but model.max_positions is 128"),
        (lambda data: data["xnli"]["finetuning"].update(max_tokens=129), "max_tokens is 129, but model.max_positions"),
        (lambda data: data["glue"]["tasks"].update(RET={"microworld": "glue"}), "config.glue.tasks.RET"),
        (lambda data: data["glue"]["tasks"].pop("MNLI"), "AX is for models of MNLI, which is missing"),
        (lambda data: data["glue"].update(tasks={"AX": {"microworld": "glue"}}), "AX has no examples to learn from"),
        (
            lambda data: data["glue"]["tasks"].update(RTE={"microworld": "xnli"}),
            "glue.tasks.RTE.microworld: Input should be 'glue', found 'xnli'",
        ),
        (lambda data: data["glue"]["tasks"].update(MRPC={"url": "https://x/y.txt"}), "put '{file}' where their names"),
        (
            lambda data: data["glue"]["tasks"].update(MRPC={"url": "https://x/{file}", "files": ["a", "b"]}),
            "tasks.MRPC.files: 2 files, expected 3, in the place of msr_paraphrase_train.txt, msr_paraphrase_test.txt",
        ),
        (lambda data: data["glue"]["tasks"].update(RTE={"path": "RTE.zip", "files": ["a"]}), "put '{file}' where"),
        (lambda data: data["microworld"].update(glue_train=0), "but microworld.glue_train is 0"),
        (lambda data: data["glue"]["systems"].append({"run": "mlm"}), "systems: mlm is listed twice"),
        (
            lambda data: data["glue"]["systems"].append({"run": "mlmm"}),
            "glue.systems.4.run: unknown name 'mlmm' (did you mean 'mlm'?)",
        ),
        (lambda data: data["glue"]["systems"].append({"setup": "englisch", "run": "mlm"}), "did you mean 'english'?"),
        (
            lambda data: data["glue"]["finetuning"].update(max_tokens=129),
            "finetuning.max_tokens is 129, but setups.english.model.max_",
        ),
        (lambda data: data["retrieval"].update(layer=9), "retrieval.layer is 9, but model.n_layers is"),
        (lambda data: data["model"].update(n_heads=5), "must be a multiple of n_heads"),
        (lambda data: data["pretraining"]["masking"].update(keep=0.5), "must sum to 1"),
        (lambda data: data["text"].update(min_words=101), "min_words is 101, but max_words is 100: no line is kept"),
        (lambda data: data["text"].update(min_words=0), "config.text.min_words: Input should be greater than 0"),
        (lambda data: data["text"].update(deduplicate="yes"), "config.text.deduplicate: Input should be a valid bool"),
        (
            lambda data: data["text"].update(min_letter_ratio=1.1),
            "min_letter_ratio: Input should be less than or equal",
        ),
        (lambda data: data["text"].update(min_script_ratio=-0.1), "min_script_ratio: Input should be greater than or"),
        (lambda data: data["text"].update(min_script=0.5), "text.min_script: unknown key (did you mean 'min_script_ra"),
        (
            lambda data: (
                data["languages"].append("xx"),
                data["monolingual"].update(xx=["documents"]),
                data["corpora"]["documents"]["keys"].append("xx"),
                data["microworld"]["documents"].update(xx=10),
                data["setups"]["news"]["text"].update(min_script_ratio=0.5),
            ),
            "setups.news.text.min_script_ratio: the script of xx is not known; set it to 0.0, or add the language",
        ),
        (lambda data: data["seeds"].update(finetuning=[]), "config.seeds.finetuning"),
        (
            lambda data: data["seeds"].update(other_protocols=[0, 7]),
            "other_protocols: [7] are no pretraining seeds ([0])",
        ),
        (
            lambda data: (
                data["runs"]["mlm"].update(init_from="mlm_tlm"),
                data["runs"]["mlm_tlm"].update(init_from="mlm"),
            ),
            "runs.mlm.init_from: mlm <- mlm_tlm <- mlm is circular; name another run",
        ),
        (
            lambda data: data["runs"]["mlm"].update(init_from="none"),
            "runs.mlm.init_from: none has random weights; name a run that has learned, or leave it out",
        ),
        (
            lambda data: data["runs"]["none"].update(init_from="mlm"),
            "'init_from' is of a run that is trained by clm, mlm or tlm: give such 'objectives', too",
        ),
        (
            lambda data: data["runs"]["mlm"].update(init_from={"setup": "smal", "run": "mlm_tlm"}),
            "runs.mlm.init_from.setup: unknown name 'smal' (did you mean 'small'?)",
        ),
        (
            lambda data: data["runs"]["mlm"].update(init_from={"setup": "small", "run": "mlm"}),
            "runs.mlm.init_from: mlm <- mlm is circular; name another run",
        ),
        (
            lambda data: data["runs"]["mlm_tlm"].update(init_from={"setup": "small", "run": "mlm"}),
            "runs.mlm_tlm.init_from: small/mlm is a model of dim: 64, feedforward_dim: 256, but mlm_tlm of dim",
        ),
        (
            lambda data: data["runs"]["mlm_tlm"].update(init_from="mlm_no_language_embeddings"),
            "runs.mlm_tlm.init_from: mlm_no_language_embeddings is a model of language_embeddings: False, but",
        ),
        (
            lambda data: (
                data["setups"].update(alone={"vocabulary": {"shared": False}}),
                data["runs"]["mlm_tlm"].update(init_from={"setup": "alone", "run": "mlm"}),
            ),
            "runs.mlm_tlm.init_from: alone/mlm and mlm_tlm have different vocabularies, of which one has separate",
        ),
        (
            lambda data: data["runs"]["mlm"].update(pretrained={}, objectives=[]),
            "give either the path of a folder, or the name of one on the hub, such as owner/model",
        ),
        (
            lambda data: data["runs"]["none"].update(pretrained={"path": "folder", "revision": "abc"}),
            "'revision' is of a folder on the hub: give 'hub', too",
        ),
        (
            lambda data: data["runs"]["none"].update(pretrained={"hub": "owner/model", "format": "published"}),
            "format published: give a path, and under 'sha256' the sum of each of its files",
        ),
        (
            lambda data: (
                data["setups"]["news"]["text"].update(tokenization="none"),
                data["setups"]["news"]["vocabulary"].update(pretrained={"hub": "owner/model"}),
            ),
            "translation.pairs.en-fr.setup: setup 'news' has the tokenizer of another model; its models can be rows of",
        ),
        (
            lambda data: data["xnli"]["runs"].append({"setup": "english", "run": "mlm"}),
            "xnli.languages, languages of setup 'english': unknown name 'fr'",
        ),
        (lambda data: data["xnli"]["runs"].append("mlm"), "xnli.runs: mlm is listed twice"),
        (lambda data: data["runs"]["mlm"].update(seeds=[7]), "runs.mlm.seeds: [7] are no seeds.pretraining ([0])"),
        (
            lambda data: (
                data["seeds"].update(pretraining=[0, 1], other_protocols=[0]),
                data["runs"]["mlm_tlm"].update(seeds=[1]),
            ),
            "xnli.selected_on_training_language: mlm_tlm has none of the seeds.other_protocols ([0])",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(change, expected):
    data = default()
    change(data)
    assert expected in refusal(data)


OF_TRANSFORMERS = {"label": "mmBERT", "pretrained": {"path": "mmbert", "format": "transformers"}}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda data: data["runs"]["mlm_tlm"].update(init_from="theirs"), "runs.mlm_tlm.init_from"),
        (
            lambda data: data["translation"]["unsupervised"]["systems"].append(["mlm", "theirs"]),
            "translation.unsupervised.systems",
        ),
        (
            lambda data: data["translation"]["supervised"]["columns"].append("theirs"),
            "translation.supervised.columns",
        ),
        (lambda data: data["perplexity"].update(run="theirs"), "perplexity.run"),
        (lambda data: data["embeddings"]["systems"].append("theirs"), "embeddings.systems"),
        (
            lambda data: data["embeddings"]["alignment_figure"]["runs"].append("theirs"),
            "embeddings.alignment_figure.runs",
        ),
    ],
)
def test_a_model_that_transformers_runs_is_refused_where_only_ours_can_be_used(change, path):
    data = default()
    data["runs"]["theirs"] = OF_TRANSFORMERS
    config.parse(data)
    change(data)
    message = refusal(data)
    assert f"{path}: the model of theirs is run by transformers; it can be a row of xnli, with its retr" in message
    assert "name one of none, mlm_no_language_embeddings, mlm, mlm_tlm," in message


def test_a_missing_transformers_is_refused_before_any_job(monkeypatch):
    data = default()
    data["runs"]["theirs"] = OF_TRANSFORMERS
    config.check_transformers(config.parse(data))
    monkeypatch.setattr("xlm_core.config.configuration.find_spec", lambda name: None)
    config.check_transformers(config.parse(default()))
    with pytest.raises(ConfigError, match=r"runs.theirs.pretrained: .* which is not installed; install it with: pip"):
        config.check_transformers(config.parse(data))


def test_a_vocabulary_is_not_of_format_transformers():
    data = default()
    data["vocabulary"]["pretrained"] = {"hub": "owner/model", "format": "transformers"}
    assert "vocabulary.pretrained.format: Input should be 'xlm_core', 'published' or 'huggingface'" in refusal(data)


def test_a_run_has_the_model_of_all_but_for_its_language_embeddings():
    loaded = config.parse(default())
    assert loaded.model_of("base", "mlm") == loaded.model
    changed = loaded.model_of("base", "mlm_no_language_embeddings")
    assert not changed.language_embeddings
    assert changed == loaded.model.model_copy(update={"language_embeddings": False})


def test_a_run_may_begin_with_a_run_of_another_setup():
    data = default()
    data["setups"]["alone"] = {"vocabulary": {"shared": False}}
    data["runs"] |= {
        "more": {"label": "more", "objectives": ["mlm"], "init_from": {"setup": "english", "run": "mlm"}},
        "again": {"label": "again", "objectives": ["mlm"], "init_from": "more"},
        "separate": {"label": "separate", "objectives": ["tlm"], "init_from": "mlm"},
    }
    data["xnli"]["runs"] += ["more", "again", {"setup": "alone", "run": "separate", "label": "separate"}]
    loaded = config.parse(data)
    assert config.parse(config.to_dict(loaded)) == loaded
    begun = [("base", "more"), ("base", "again"), ("news", "again")]
    assert [loaded.initial_system(*names).name for names in begun] == ["english/mlm", "more", "news/more"]
    assert loaded.initial_system("base", "mlm") is None


def test_protocols_may_have_fewer_seeds_than_zero_shot():
    data = default()
    data["seeds"] |= {"pretraining": [0, 1, 2], "other_protocols": [1]}
    loaded = config.parse(data)
    assert loaded.pretraining_seeds("mlm") == [0, 1, 2] and loaded.pretraining_seeds("mlm", "few_shot") == [1]
    data["seeds"]["other_protocols"] = None
    assert config.parse(data).pretraining_seeds("mlm", "few_shot") == [0, 1, 2]


def test_a_configuration_cannot_be_changed():
    loaded = config.parse(default())
    with pytest.raises(ValueError, match="frozen"):
        loaded.model.dim = 3


def test_plain_is_what_the_section_was_read_from():
    loaded = config.parse(default())
    assert config.parse(config.to_dict(loaded)) == loaded


def with_xnli(**changes) -> config.Config:
    data = default()
    del data["claims"]
    data["xnli"] |= {"languages": ["fr", "en", "de"], "runs": ["none", "mlm"], **{key: [] for key in LISTS}, **changes}
    return config.parse(data)


def xnli(**changes) -> config.Xnli:
    return with_xnli(**changes).xnli


def shown_rows(loaded: config.Config) -> list[tuple[str, str]]:
    """Run and setting of each row of the table of XNLI."""
    return [(row["system"], row["setting"]) for row in describe("xnli", loaded)["contents"]["rows"]]


LISTS = (
    "selected_on_training_language",
    "selected_per_language",
    "translate_test",
    "translate_train",
    "translate_train_all",
)


def test_zero_shot_alone_reads_no_translations():
    loaded = with_xnli(few_shot={"runs": []})
    experiments = [(row.name, protocol) for row, protocol in xnli_experiments(loaded.xnli)]
    assert experiments == [("none", "zero_shot"), ("mlm", "zero_shot")]
    assert shown_rows(loaded) == [("none", "zero-shot"), ("mlm", "zero-shot")]
    assert list(describe("xnli", loaded)["settings"]) == ["zero-shot"]


def test_sentences_are_retrieved_from_the_training_language_or_the_first_that_is_tested():
    assert xnli(few_shot={"runs": []}).pivot == "en"
    assert xnli(few_shot={"runs": []}, languages=["fr", "de"]).pivot == "fr"


def test_each_list_of_runs_adds_its_protocols_and_what_they_read():
    loaded = with_xnli(few_shot={"runs": ["mlm"], "examples": 7}, **{key: ["mlm"] for key in LISTS})
    alone = [f"translate_train_{language}" for language in ("de", "en", "fr")]
    kinds = ["zero_shot", "selected_on_training_language", "few_shot", "translate_test", "translate_train_all"]
    names = [*kinds, *alone]
    assert [protocol for row, protocol in xnli_experiments(loaded.xnli) if row.name == "mlm"] == names
    assert [setting for run, setting in shown_rows(loaded) if run == "mlm"] == list(config.SETTINGS.values())
    protocols = xnli_protocols(loaded.xnli)
    assert protocols["few_shot"].n_train == {"en": None, "de": 7, "fr": 7}
    assert protocols["zero_shot"].n_train == {"en": None}
    assert list(protocols["translate_train_de"].n_train) == protocols["translate_train_de"].test_languages == ["de"]
    assert list(protocols["translate_train_all"].n_train) == ["en", "de", "fr"]
    assert protocols["few_shot"].test_languages == ["de", "en", "fr"]
    assert [protocols[name].kind for name in names] == [*kinds, *["translate_train"] * 3]
