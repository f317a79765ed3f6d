"""Setups, what they share, the translators of the tables, and the checks of everything that came with translation."""

from pathlib import Path

import pytest
import yaml

from xlm_core import config
from xlm_core.errors import ConfigError
from xlm_core.workflow.experiments import translators

ROOT = Path(__file__).parent.parent
SECTIONS = ("languages", "monolingual", "parallel", "text", "vocabulary", "model", "pretraining")


def default(**setups) -> dict:
    """The default configuration, with these setups beside its own."""
    data = yaml.safe_load((ROOT / "config.yaml").read_text())
    data["setups"] |= setups
    return data


def refusal(data: dict) -> list[str]:
    with pytest.raises(ConfigError) as error:
        config.parse(data)
    return str(error.value).splitlines()


def changed(changes: dict) -> dict:
    """The sections that differ from those at the top in a setup with these changes."""
    loaded = config.parse(default(other=changes))
    setup = loaded.setup("other")
    return {name: getattr(setup, name) for name in SECTIONS if getattr(setup, name) != getattr(loaded, name)}


def test_a_setup_without_changes_is_that_at_the_top():
    assert changed({}) == {}


def test_a_setup_changes_what_it_names_and_nothing_else():
    base = config.parse(default())
    assert changed({"model": {"dim": 64}}) == {"model": base.model.model_copy(update={"dim": 64})}
    optim = base.pretraining.optim.model_copy(update={"max_updates": 7})
    expected = base.pretraining.model_copy(update={"seq_len": 32, "optim": optim})
    assert changed({"pretraining": {"seq_len": 32, "optim": {"max_updates": 7}}}) == {"pretraining": expected}


def test_a_list_is_replaced():
    data = default()
    data["monolingual"]["fr"] = ["documents", "news"]
    data["setups"]["other"] = {"monolingual": {"fr": ["news"]}}
    loaded = config.parse(data)
    assert loaded.setup("other").monolingual == {**loaded.monolingual, "fr": ["news"]}


def test_what_is_empty_empties():
    assert changed({"parallel": {}}) == {"parallel": {}}


def test_corpora_of_other_languages_are_left_out():
    assert changed({"languages": ["es", "en"]}) == {
        "languages": ["es", "en"],
        "monolingual": {"en": ["documents"], "es": ["documents"]},
        "parallel": {"en-es": ["translations"]},
    }


def test_the_setup_of_translation_by_default():
    loaded = config.parse(default())
    news = loaded.setup("news")
    assert (news.languages, news.monolingual) == (["en", "fr"], {"en": ["news"], "fr": ["news"]})
    assert (news.text.lowercase, news.vocabulary.size, news.pretraining.optim.max_updates) == (False, 1000, 12800)
    published = loaded.model.model_copy(update={"embedding_init_std": None})
    assert news.model == published and loaded.setup("base") is loaded


def test_a_configuration_with_setups_is_read_again_from_what_it_wrote():
    loaded = config.parse(default(other={"languages": ["es", "en"], "model": {"dim": 64}}))
    assert config.parse(config.to_dict(loaded)) == loaded


def test_a_mistake_at_the_top_is_told_once():
    data = default(other={}, third={"languages": ["en"]})
    data["model"]["dims"] = data["model"].pop("dim")
    assert refusal(data) == [
        "config.model.dims: unknown key (did you mean 'dim'?)",
        "config.model.dim: this key is missing",
    ]


def test_a_misspelt_section_at_the_top_is_named_although_there_are_setups():
    data = default(other={})
    data["pretrainning"] = data.pop("pretraining")
    assert refusal(data)[0] == "config.pretrainning: unknown key (did you mean 'pretraining'?)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"dims": 64}}, "model.dims: unknown key (did you mean 'dim'?)"),
        ({"modle": {"dim": 64}}, "modle: unknown key (did you mean 'model'?)"),
        ({"pretraining": {"optim": {"learning_rte": 1.0}}}, "pretraining.optim.learning_rte: unknown key (did"),
        ({"model": {"dim": "64"}}, "model.dim: Input should be a valid integer, found '64'"),
        ({"model": {"n_heads": 5}}, "model: dim (128) must be a multiple of n_heads (5)"),
        ({"languages": []}, "languages: List should have at least 1 item"),
        ({"languages": 3}, "languages: Input should be a valid list, found 3"),
        ({"languages": None}, "languages: Input should be a valid list, found None"),
        ({"languages": [["en"]]}, "languages.0: Input should be a valid string"),
        ({"monolingual": 3}, "monolingual: Input should be a valid dictionary, found 3"),
        ({"runs": {}}, "runs: unknown key"),
    ],
)
def test_a_mistake_in_a_setup_is_told_with_its_path(changes: dict, message: str):
    assert any(f"config.setups.other.{message}" in line for line in refusal(default(other=changes)))


@pytest.mark.parametrize("changes", [None, 3, ["en"]])
def test_a_setup_is_a_section(changes):
    assert refusal(default(other=changes))[0].startswith("config.setups.other: Input should be a valid dictionary")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": {"n_shards": 2}}, "setups.other.text.n_shards is 2, but all setups read the same 1 shards"),
        ({"languages": ["en", "sw"]}, "setups.other.monolingual: no corpus for language 'sw'"),
        ({"monolingual": {"en": ["documens"]}}, "setups.other.monolingual.en.0: unknown name 'documens'"),
        ({"languages": ["en"], "monolingual": {"de": ["documents"]}}, "setups.other.monolingual.de: unknown name 'de'"),
        ({"parallel": {"en-fr": ["news"]}}, "setups.other.parallel.en-fr: corpus 'news' holds en, fr, but not en-fr"),
        ({"parallel": {"en": ["news"]}}, "setups.other.parallel.en: expected a pair"),
        ({"monolingual": {"en-fr": ["parallel"]}}, "setups.other.monolingual.en-fr: expected one language"),
        (
            {"languages": ["en"], "parallel": {"en-fr": ["parallel"]}},
            "setups.other.parallel.en-fr: unknown name 'fr'; allowed are en",
        ),
        (
            {"pretraining": {"seq_len": 256}},
            "setups.other.pretraining.seq_len is 256, but setups.other.model.max_positions is 128",
        ),
        (
            {"model": {"max_positions": 8}},
            "setups.other.pretraining.seq_len is 16, but setups.other.model.max_positions is 8",
        ),
    ],
)
def test_a_setup_that_does_not_fit_is_refused(changes: dict, message: str):
    (line,) = refusal(default(other=changes))
    assert message in line


def test_no_setup_has_the_name_of_the_sections_at_the_top():
    assert "setups.base: the sections at the top have this name" in refusal(default(base={}))[0]


@pytest.mark.parametrize(
    ("changes", "text", "vocabulary"),
    [
        ({}, "base", "base"),
        ({"model": {"dim": 64}, "pretraining": {"seq_len": 32}}, "base", "base"),
        ({"parallel": {"en-fr": ["parallel"]}}, "base", "base"),
        ({"vocabulary": {"size": 700}}, "base", "other"),
        ({"languages": ["de", "en"]}, "base", "other"),
        ({"monolingual": {"fr": ["news"]}}, "base", "other"),
        ({"text": {"lowercase": False}}, "other", "other"),
        ({"text": {"lowercase": False, "strip_accents": False}}, "news", "other"),
    ],
)
def test_tokens_and_vocabularies_are_shared_where_the_sections_are_equal(changes: dict, text: str, vocabulary: str):
    loaded = config.parse(default(other=changes))
    assert (loaded.text_of("base"), loaded.vocabulary_of("base")) == ("base", "base")
    assert (loaded.text_of("news"), loaded.vocabulary_of("news")) == ("news", "news")
    assert (loaded.text_of("other"), loaded.vocabulary_of("other")) == (text, vocabulary)


def test_a_setup_shares_the_vocabulary_of_one_before_it():
    news = default()["setups"]["news"]
    loaded = config.parse(default(small={**news, "model": {"dim": 64}}))
    assert (loaded.text_of("small"), loaded.vocabulary_of("small")) == ("news", "news")


def test_a_run_has_the_shape_of_its_setup():
    loaded = config.parse(default(other={"model": {"dim": 64}}))
    assert loaded.model_of("other", "mlm").dim == 64 and loaded.model_of("base", "mlm").dim == 128
    assert not loaded.model_of("other", "mlm_no_language_embeddings").language_embeddings


def objectives_of(plan):
    return [(objective.kind, objective.source, objective.target) for objective in plan.objectives]


def test_the_translators_of_the_default_configuration():
    there, back = ("en", "fr"), ("fr", "en")
    back_translation = [("bt", *there), ("bt", *back)]
    unsupervised = ([("ae", "en", "en"), ("ae", "fr", "fr"), *back_translation], (there, back))
    both_ways = [("mt", *there), ("mt", *back)]
    plans = translators(config.parse(default()))
    assert {name: (objectives_of(plan), plan.directions) for name, plan in plans.items()} == {
        "unsupervised.en-fr.none.none": unsupervised,
        "unsupervised.en-fr.embeddings.embeddings": unsupervised,
        "unsupervised.en-fr.clm.clm": unsupervised,
        "unsupervised.en-fr.mlm.mlm": unsupervised,
        "supervised.one_way.none": ([("mt", *there)], (there,)),
        "supervised.one_way.clm": ([("mt", *there)], (there,)),
        "supervised.one_way.mlm": ([("mt", *there)], (there,)),
        "supervised.both_ways.none": (both_ways, (there,)),
        "supervised.both_ways.clm": (both_ways, (there,)),
        "supervised.both_ways.mlm": (both_ways, (there,)),
        "supervised.back_translation.none": ([*both_ways, *back_translation], (there,)),
        "supervised.back_translation.clm": ([*both_ways, *back_translation], (there,)),
        "supervised.back_translation.mlm": ([*both_ways, *back_translation], (there,)),
    }
    for name, plan in plans.items():
        assert (plan.pair, plan.setup) == ("en-fr", "news")
        assert plan.corpora == (("parallel",) if name.startswith("supervised") else ())
        table, *_, run = name.split(".")
        assert (plan.table, plan.encoder, plan.decoder) == (table, run, run)


def test_encoder_and_decoder_may_begin_with_different_runs():
    data = default()
    del data["claims"]
    data["translation"]["unsupervised"]["systems"] = [["mlm", "none"]]
    plan = translators(config.parse(data))["unsupervised.en-fr.mlm.none"]
    cell = {"table": "unsupervised_mt", "system": "mlm", "setting": "none", "column": "fr-en"}
    assert (plan.encoder, plan.decoder, plan.cell(("fr", "en"))) == ("mlm", "none", cell)


def test_the_direction_of_the_supervised_table():
    data = default()
    data["translation"]["supervised"] |= {"source": "fr", "target": "en", "systems": ["back_translation"]}
    plan = translators(config.parse(data))["supervised.back_translation.mlm"]
    assert (plan.pair, plan.directions) == ("en-fr", (("fr", "en"),))
    cell = {"table": "supervised_mt", "system": "back_translation", "setting": "fr-en", "column": "mlm"}
    assert plan.cell(("fr", "en")) == cell
    there, back = ("en", "fr"), ("fr", "en")
    assert objectives_of(plan) == [("mt", *back), ("mt", *there), ("bt", *back), ("bt", *there)]


@pytest.mark.parametrize(
    ("scale_updates", "updates", "expected"),
    [
        (True, "round_robin", {1: (30, 10), 2: (60, 20), 4: (120, 40)}),
        (False, "round_robin", {1: (30, 10), 2: (30, 10), 4: (30, 10)}),
        (True, "joint", {1: (30, 10), 2: (30, 10), 4: (30, 10)}),  # each update has everything already
    ],
)
def test_what_is_learned_in_turn_may_have_its_turn_as_often_in_every_row(scale_updates: bool, updates: str, expected):
    data = default()
    table = data["translation"]["supervised"]
    table["scale_updates"] = scale_updates
    table["training"] |= {"updates": updates, "eval_interval": 10}
    table["training"]["optim"] |= {"max_updates": 30, "warmup_updates": 5}
    supervised = config.parse(data).translation.supervised
    trainings = {n: supervised.training_of(n) for n in (1, 2, 4)}
    assert {n: (training.optim.max_updates, training.eval_interval) for n, training in trainings.items()} == expected
    assert {training.optim.warmup_updates for training in trainings.values()} == {5}


def test_a_table_that_is_left_out_needs_no_translators():
    data = default()
    del data["claims"]
    del data["translation"]["unsupervised"]
    assert {plan.table for plan in translators(config.parse(data)).values()} == {"supervised"}
    del data["translation"]["supervised"]
    assert translators(config.parse(data)) == {}
    del data["translation"]
    assert translators(config.parse(data)) == {}


def in_(path: str, **values):
    """A change to the section at ``path``, its keys separated by blanks."""

    def change(data: dict) -> None:
        for key in path.split():
            data = data[key]
        data.update(values)

    return change


TEST_SET = "translation pairs en-fr"
UNSUPERVISED, SUPERVISED = "translation unsupervised", "translation supervised"
SETS = {"valid": "news_dev", "test": "news_test"}
URL = {"microworld": None, "url": "https://example.org/{language}.{year}.gz"}
ALL_PAIRS = ["de-en", "de-fr", "en-es", "en-fr", "en-hi"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (in_(TEST_SET, setup="newz"), "translation.pairs.en-fr.setup: unknown name 'newz' (did you mean 'news'?)"),
        (
            in_("translation pairs", **{"en-es": {"setup": "news", **SETS}}),
            "translation.pairs.en-es, languages of setup 'news': unknown name 'es'; allowed are en, fr",
        ),
        (
            in_("translation pairs", **{"en-es": {"setup": "base", **SETS}}),
            "translation.pairs.en-es.valid: corpus 'news_dev' holds en-fr, but not en-es",
        ),
        (in_(TEST_SET, valid="news_def"), "translation.pairs.en-fr.valid: unknown name 'news_def' (did you mean"),
        (in_(TEST_SET, test="news_tess"), "translation.pairs.en-fr.test: unknown name 'news_tess' (did you mean"),
        (
            in_(TEST_SET, test="parallel"),
            "translation.pairs.en-fr.test: corpus 'parallel' is cut into shards; mark a test",
        ),
        (in_(UNSUPERVISED, pairs=["de-en"]), "translation.unsupervised.pairs: unknown name 'de-en'; allowed are en-fr"),
        (in_(UNSUPERVISED, systems=[["mlm", "mml"]]), "translation.unsupervised.systems.0.1: unknown name 'mml'"),
        (in_(UNSUPERVISED, systems=[["mml", "mlm"]]), "translation.unsupervised.systems.0.0: unknown name 'mml'"),
        (in_(UNSUPERVISED, systems=[["mlm"]]), "translation.unsupervised.systems.0.1: this key is missing"),
        (in_(SUPERVISED, target="de"), "translation.supervised, source and target: unknown name 'de-en'"),
        (
            in_(SUPERVISED, corpora=["paralel"]),
            "translation.supervised.corpora.0: unknown name 'paralel' (did you mean",
        ),
        (
            in_(SUPERVISED, corpora=["news"]),
            "translation.supervised.corpora: corpus 'news' holds en, fr, but not en-fr",
        ),
        (in_(SUPERVISED, corpora=["news_dev"]), "translation.supervised.corpora: corpus 'news_dev' is for evaluation"),
        (in_(SUPERVISED, columns=["mml"]), "translation.supervised.columns.0: unknown name 'mml'"),
        (
            in_(f"{UNSUPERVISED} training", max_tokens=127),
            "translation.unsupervised.training.max_tokens, with two end symbols, is 129, but setups.news.model.max_pos",
        ),
        (
            in_(f"{SUPERVISED} training", max_tokens=127),
            "translation.supervised.training.max_tokens, with two end symbols, is 129, but setups.news.model",
        ),
        (
            in_("setups news", model={"max_positions": 61}, pretraining={"seq_len": 32}),
            "is 62, but setups.news.model.max_positions is 61",
        ),
        (
            in_("perplexity", language="ess"),
            "perplexity.language, languages of setup 'low_resource': unknown name 'ess'",
        ),
        (
            in_("perplexity", setups=["low_resorce"]),
            "perplexity.setups.0: unknown name 'low_resorce' (did you mean 'low_resource'?)",
        ),
        (in_("perplexity", run="mlm"), "perplexity.run: mlm has not the objective clm"),
        (
            in_("perplexity", setups=["low_resource", "alpha_0"]),
            "perplexity.setups: alpha_0 has another section 'pretraining'",
        ),
        (
            in_("setups low_resource_both", monolingual={"es": ["documents"], "hi": ["documents"]}),
            "perplexity.setups: low_resource_both reads other text of 'es' than low_resource",
        ),
        (
            in_("setups low_resource_both", languages=["es", "fr"], monolingual={"es": ["low_resource"]}),
            "perplexity.setups: two of them have the same languages (es, es + hi, es + fr, es + fr)",
        ),
        (in_("ablation", full={"run": "mml"}), "ablation.full.run: unknown name 'mml'"),
        (
            in_("ablation systems", less={"run": "mlm", "setup": "nes"}),
            "ablation.systems.less.setup: unknown name 'nes'",
        ),
        (
            in_("ablation systems", less={"run": "mlm", "setup": "low_resource_both"}),
            "ablation.systems.less, languages of setup 'low_resource_both': unknown name 'en'",
        ),
        (
            in_("setups two", languages=["en"]),
            "ablation.systems.2 languages: setup 'two' has no other language of XNLI",
        ),
        (in_("ablation full", setup="two"), "ablation.full: its setup has no de, es, but the table of XNLI has"),
        (
            lambda data: data["claims"][0]["tests"][0].update(a="mml"),
            "claims.0, systems of xnli: unknown name 'mml'",
        ),
        (
            lambda data: data["claims"][2]["tests"][0].update(b="separate"),
            "claims.2, systems of ablation: unknown name 'separate'",
        ),
        (
            lambda data: data["claims"][8]["tests"][0].update(a="mlm"),
            "claims.8, systems of glue: unknown name 'mlm'; allowed are setup='english' run='none', setup='english'",
        ),
        (
            lambda data: data["claims"][8]["tests"][0]["a"].update(setup="news"),
            "claims.8, systems of glue: unknown name 'setup='news' run='mlm'' (did you mean 'setup='base' run='mlm'",
        ),
        (
            lambda data: data["claims"].append(data["claims"][0]),
            "claims: 'Masked language modeling gives zero-shot transfer across languages' is listed twice",
        ),
        (
            lambda data: data.pop("perplexity"),
            "claims.6: there is no table perplexity to compare systems of",
        ),
        (in_("translation decoding", n_best=2), "translation.decoding: n_best is 2, but beam_size is 1"),
    ],
)
def test_tables_of_translation_that_do_not_fit_are_refused(change, expected: str):
    data = default()
    change(data)
    assert expected in refusal(data)[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (in_("monolingual", en=["news_dev"]), "monolingual.en: corpus 'news_dev' is for evaluation; take one to train"),
        (in_("parallel", **{"en-fr": ["news_test"]}), "parallel.en-fr: corpus 'news_test' is for evaluation"),
        (in_("setups news parallel", **{"en-fr": ["news_test"]}), "setups.news.parallel.en-fr: corpus 'news_test'"),
        (in_("runs clm", objectives=["skipgram", "mlm"]), "runs.clm.objectives: skipgram trains no Transformer, and"),
        (in_("runs clm", objectives=["skipgram", "skipgram"]), "runs.clm.objectives: skipgram"),
        (lambda data: data.pop("microworld"), "is of the microworld, but there is no section 'microworld'"),
        (
            in_("xnli evaluation", microworld="documents"),
            "xnli.evaluation.microworld: Input should be 'xnli', found 'documents'",
        ),
        (in_("xnli training", microworld="news"), "xnli.training.microworld: Input should be 'xnli', found 'news'"),
        (
            in_("corpora news", microworld="xnli"),
            "corpora.news.microworld: Input should be 'documents', 'translations', 'news', 'parallel' or 'tests'",
        ),
        (in_("microworld", news={"en": 9}), "corpora.news.keys: microworld.news has no size for 'fr', only for en"),
        (
            in_("microworld", parallel={}),
            "corpora.parallel.keys: microworld.parallel has no size for 'en-fr', only for noth",
        ),
        (
            in_("corpora translations", keys=ALL_PAIRS),
            "corpora.translations.keys: microworld.translations has no size for 'de-fr', only for de-en, en-es, en-fr",
        ),
        (in_("corpora news", **URL), "corpora.news: 'years' and '{year}' in the url or path belong together"),
        (in_("corpora news", years=[2007]), "corpora.news: 'years' and '{year}' in the url or path belong together"),
        (in_("corpora news", years=[], **URL), "corpora.news.years: List should have at least 1 item"),
        (in_("corpora news", set="news_dev"), "corpora.news: 'set' names a test set of a corpus of format sgm"),
        (in_("corpora news_dev", set=None), "corpora.news_dev: 'set' names a test set of a corpus of format sgm"),
        (
            in_("corpora news", line_range={"fr": [10, 10]}),
            "corpora.news.line_range.fr: lines from 10 up to 10 are none",
        ),
        (
            in_("corpora news", line_range={"fr": [-1, 10]}),
            "corpora.news.line_range.fr: lines from -1 up to 10 are none",
        ),
        (in_("corpora news", line_range={"fr": [10]}), "corpora.news.line_range.fr.1: this key is missing"),
        (
            in_("corpora news", line_range={"de": [0, 10]}),
            "corpora.news: line_range: unknown name 'de'; allowed are en, fr",
        ),
    ],
)
def test_corpora_and_runs_that_do_not_fit_are_refused(change, expected: str):
    data = default()
    change(data)
    assert expected in refusal(data)[0]


@pytest.mark.parametrize(
    "change",
    [
        in_("setups news", model={"max_positions": 62}, pretraining={"seq_len": 32}),  # 60 tokens and two end symbols
        in_("corpora news", line_range={"fr": [0, 10]}),
        in_("corpora news", years=[2007, 2008], **URL),
        in_("translation decoding", n_best=2, beam_size=2),
        in_("runs", unused={"label": "not in a table", "objectives": ["skipgram"]}),
    ],
)
def test_what_just_fits_is_read(change):
    data = default()
    change(data)
    assert config.parse(data) != config.parse(default())
