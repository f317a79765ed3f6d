"""XNLI and sentence retrieval: what is trained on, scored and shown."""

from xlm_core import config as configuration


def language_of_xnli(wildcards):
    """The language of one part of XNLI: what was translated for a test is in the language of the training set."""
    return CONFIG.xnli.train_language if wildcards.split == "translated" else wildcards.language


def xnli_tokens(wildcards):
    """The tokens of one part of XNLI."""
    return f"<results>/tokens/{CONFIG.text_of(wildcards.vocabulary)}/xnli/{wildcards.split}.{wildcards.language}.tsv"


def xnli_store(setup, split, language):
    """The store of one part of XNLI, as a setup reads it."""
    return f"<results>/store/{CONFIG.vocabulary_of(setup)}/xnli/{split}.{language}.store"


def xnli_stores(setup, split, languages):
    """The stores of one split of XNLI."""
    return [xnli_store(setup, split, language) for language in languages]


def languages_to_train(wildcards):
    return CONFIG.xnli.trained(wildcards.protocol)


def languages_to_test(wildcards):
    """Those of a protocol that the setup speaks."""
    return [lang for lang in CONFIG.xnli.tested(wildcards.protocol) if lang in CONFIG.setup(wildcards.setup).languages]


def languages_to_select(wildcards):
    return CONFIG.xnli.selected(wildcards.run, wildcards.protocol) if wildcards.setup == BASE else []


def n_train_of(wildcards):
    return CONFIG.xnli.examples(wildcards.protocol)


def finetuning_stores(wildcards):
    """What a fine-tuning is trained, validated and, language by language, selected on."""
    return {
        "train": xnli_stores(wildcards.setup, "train", languages_to_train(wildcards)),
        "valid": xnli_stores(wildcards.setup, "valid", languages_to_test(wildcards)),
        "test": xnli_stores(wildcards.setup, "test", languages_to_select(wildcards)),
    }


def scored_model(wildcards):
    """The classifier that a protocol tests, and what was selected per language."""
    trained_by = {"translate_test": "zero_shot"}.get(wildcards.protocol, wildcards.protocol)
    folder = f"<results>/runs/{wildcards.setup}/{wildcards.run}/{wildcards.seed}/xnli/{trained_by}/{wildcards.finetuning_seed}"
    selected = {"selected": f"{folder}/selected.json"} if wildcards.protocol == "zero_shot" else {}
    return {"model": f"{folder}/model.safetensors", **selected}


def scored_stores(wildcards):
    """The test sets of a protocol, in the order of the tested languages."""
    train = CONFIG.xnli.train_language
    is_translated = wildcards.protocol == "translate_test"
    return [
        xnli_store(wildcards.setup, "translated" if is_translated and language != train else "test", language)
        for language in languages_to_test(wildcards)
    ]


def system_of(wildcards):
    """What the row of a run is called in its results."""
    return configuration.system(wildcards.setup, wildcards.run)


def setting_of(wildcards):
    """What a protocol is called in the table."""
    return configuration.SETTINGS.get(wildcards.protocol, configuration.SETTINGS["translate_train"])


def xnli_results(path):
    """What ``path`` is called for every run, seed and protocol of the XNLI table."""
    return [
        file
        for run, protocols in CONFIG.xnli.protocols.items()
        for protocol in protocols
        for file in expand(
            path,
            run=run,
            seed=CONFIG.pretraining_seeds(run, protocol),
            finetuning_seed=CONFIG.seeds.finetuning,
            protocol=protocol,
        )
    ]


def zero_shot_confusions(wildcards):
    """run -> the confusions of its zero-shot models, one file per pretraining and fine-tuning seed."""
    path = "<results>/results/xnli/base.{run}.{seed}.zero_shot.{finetuning_seed}.confusion.json"
    return {
        run: expand(path, run=run, seed=CONFIG.pretraining_seeds(run), finetuning_seed=CONFIG.seeds.finetuning)
        for run in CONFIG.xnli.runs
    }


def retrieval_results():
    """The results of sentence retrieval of every run and pretraining seed."""
    path = "<results>/results/retrieval/{run}.{seed}.jsonl"
    return [file for run in CONFIG.xnli.runs for file in expand(path, run=run, seed=CONFIG.pretraining_seeds(run))]


def retrieval_files():
    """All that is shown of sentence retrieval, which is between two languages: nothing where the table has but one."""
    figure = "<results>/figures/retrieval_by_layer.svg"
    return [*table_files("retrieval", differences=False), figure] if len(CONFIG.xnli.languages) > 1 else []


def xnli_labels():
    """run -> its name in the tables."""
    return {run: CONFIG.runs[run].label for run in CONFIG.xnli.runs}


def retrieval_caption():
    """What the table of sentence retrieval shows."""
    layer, last = CONFIG.retrieval.layer, CONFIG.model.n_layers
    return (
        f"Sentence retrieval (configuration '{CONFIG.name}'): how often the nearest neighbor of a sentence, by cosine of "
        f"mean-pooled states of the pretrained encoder after layer {last if layer is None else layer} of {last}, is its "
        f"translation; centered: less the mean vector of its language."
    )
