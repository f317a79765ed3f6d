"""The configuration in use, and the functions that turn its names into paths and parameters."""

from pathlib import Path
from urllib.parse import urlsplit

from snakemake.exceptions import WorkflowError

from xlm_core import config as configuration
from xlm_core import digests
from xlm_core.errors import ConfigError
from xlm_core.languages import is_pair, sides
from xlm_core.text import nli


def checked_config():
    """The configuration, typed; or one short message before anything else happens."""
    try:
        return configuration.parse(config)
    except ConfigError as error:
        raise WorkflowError(f"The configuration cannot be used.\n{error}") from None


CONFIG = checked_config()
VOCABULARY = "shared" if CONFIG.vocabulary.shared else "separate"
ROOT = Path(workflow.current_basedir).parent
LOCAL_GPUS = len(list(Path("/dev").glob("nvidia[0-9]*")))
GPUS = min(1, LOCAL_GPUS) if CONFIG.compute.gpus is None else CONFIG.compute.gpus  # of one machine, for one pretraining
PROCESSES = GPUS or CONFIG.compute.processes  # likewise
# Slurm's plugin starts a job on the first of its machines alone where it may start steps of its own on all of them.
SEVERAL_NODES = {"nodes": CONFIG.compute.nodes, "mpi": "srun", "tasks_per_node": 2} if CONFIG.compute.nodes > 1 else {}


def plain(section, *leave_out):
    """A section of the configuration as plain data, the only form in which Snakemake can compare parameters."""
    return {key: value for key, value in configuration.plain(section).items() if key not in leave_out}


def code(*modules):
    """Digest of the code behind a step, so that a change of it, and only that, runs the step again."""
    return digests.of_code(ROOT, *modules)


def work(name):
    """Path of what must survive a killed job, and is therefore no output of its rule."""
    return f"results/{CONFIG.name}/work/{name}"


def one_of(names):
    """A pattern that matches each of ``names`` and nothing else, not even where there are none."""
    return "|".join(names) or "(?!)"


def shards(path, **names):
    """One path per shard."""
    return expand(path, shard=range(CONFIG.text.n_shards), **names)


# Raw files ------------------------------------------------------------------------------------------------------


def source(corpus):
    """The section that says where a corpus comes from; XNLI's two archives count as corpora."""
    archives = {"xnli_evaluation": CONFIG.xnli.evaluation, "xnli_training": CONFIG.xnli.training}
    return archives.get(corpus) or CONFIG.corpora[corpus]


def microworld_file(key):
    """What the microworld's generator calls the file of a language, a pair or an XNLI archive."""
    names = {"evaluation": "XNLI-1.0.zip", "training": "XNLI-MT-1.0.zip"}
    return f"<results>/raw/microworld/{names.get(key) or key + ('.txt.zip' if is_pair(key) else '.txt.gz')}"


def raw_files(corpus, key):
    """The files of one language or pair of a corpus: generated, downloaded, or where the user has them."""
    origin = source(corpus)
    if origin.microworld:
        return [microworld_file(key)]
    if origin.url:
        name = Path(urlsplit(origin.url.format(key=key)).path).name
        return [f"<results>/raw/{corpus}/{key}/{name}"]
    languages = sides(key) if "{language}" in origin.path else [None]
    return [origin.path.format(key=key, language=language) for language in languages]


def raw_files_of(wildcards):
    return raw_files(wildcards.corpus, wildcards.key)


def url_of(wildcards):
    return source(wildcards.corpus).url.format(key=wildcards.key)


def sha256_of(wildcards):
    return source(wildcards.corpus).sha256.get(wildcards.key)


def n_bytes_of(wildcards):
    return source(wildcards.corpus).bytes.get(wildcards.key)


def licence_of(wildcards):
    return source(wildcards.corpus).licence


# Text -----------------------------------------------------------------------------------------------------------


def format_of(wildcards):
    return CONFIG.corpora[wildcards.corpus].format


def is_tokenized(wildcards):
    return CONFIG.corpora[wildcards.corpus].tokenized


def is_training_split(wildcards):
    """XNLI's training text comes tokenized, its evaluation text does not."""
    return wildcards.split == "train"


def tokenization_params():
    """The settings of ``text`` that tokenization depends on."""
    return plain(CONFIG.text, "n_shards", "valid_share", "test_share")


def split_shares():
    """The settings of ``text`` that say which lines are held out."""
    return {"valid_share": CONFIG.text.valid_share, "test_share": CONFIG.text.test_share}


def monolingual_files(language, path, **names):
    """What ``path`` is called for everything that pretraining reads in ``language``, pairs it is a side of included."""
    return [
        file
        for corpus in CONFIG.monolingual[language]
        for key in CONFIG.corpora[corpus].keys
        if language in sides(key)
        for file in shards(path, corpus=corpus, key=key, **names)
    ]


# Vocabulary -----------------------------------------------------------------------------------------------------


def langsets(vocabulary):
    """language -> name of the sample and model that encode it."""
    return {language: "all" if vocabulary == "shared" else language for language in CONFIG.languages}


def tokens_to_sample(wildcards):
    """language -> token files to learn the encoding of ``langset`` on."""
    return {
        language: monolingual_files(language, "<results>/tokens/{corpus}/{key}/{shard}.tsv")
        for language, langset in langsets(wildcards.vocabulary).items()
        if langset == wildcards.langset
    }


def bpe_size(wildcards):
    """Pieces of one model: all of them, or an even share where each language has its own."""
    n_models = len(set(langsets(wildcards.vocabulary).values()))
    return CONFIG.vocabulary.size // n_models


def vocabulary_parts(wildcards):
    """Models and samples, in the order of the languages."""
    names = langsets(wildcards.vocabulary).values()
    folder = f"<results>/bpe/{wildcards.vocabulary}"
    return {
        "models": [f"{folder}/{name}.model" for name in names],
        "samples": [f"{folder}/{name}.txt" for name in names],
    }


# Pretraining ----------------------------------------------------------------------------------------------------


def objectives_of(wildcards):
    return CONFIG.runs[wildcards.run].objectives


def model_of(wildcards):
    """The Transformer of a run."""
    return plain(CONFIG.model_of(wildcards.run))


def pairs_of(wildcards):
    """The pairs a run reads: all, or none where it does not train on translations."""
    return list(CONFIG.parallel) if "tlm" in objectives_of(wildcards) else []


def pretraining_stores(wildcards):
    """Stores a run reads."""
    return named_stores(pairs_of(wildcards))


def all_stores():
    """Stores that pretraining reads of every language and pair, each once."""
    return list(dict.fromkeys(path for paths in named_stores(CONFIG.parallel).values() for path in paths))


def named_stores(pairs):
    """Stores as ``train_fr`` and ``valid_fr`` for each language, ``train_en_fr`` and ``valid_en_fr`` for each of ``pairs``."""
    path = "<results>/store/{vocabulary}/{corpus}/{key}/{shard}/{split}.store"
    stores = {}
    for split in ("train", "valid"):
        names = {"vocabulary": VOCABULARY, "split": split}
        for language in CONFIG.languages:
            stores[f"{split}_{language}"] = monolingual_files(language, path, **names)
        for pair in pairs:
            stores[f"{split}_{pair.replace('-', '_')}"] = shards(path, corpus=CONFIG.parallel[pair], key=pair, **names)
    return stores


def training_histories(wildcards):
    """run -> the logs of its training, one per seed."""
    path = "<results>/runs/{run}/{seed}/history.jsonl"
    return {run: expand(path, run=run, seed=CONFIG.pretraining_seeds(run)) for run in trained_labels()}


def trained_labels():
    """run -> its name in the tables, for the runs that train at all."""
    return {run: label for run, label in xnli_labels().items() if CONFIG.runs[run].objectives}


def example_stores(wildcards):
    """Training stores of the first language and the first pair, to take the figure's examples from."""
    path = "<results>/store/{vocabulary}/{corpus}/{key}/{shard}/train.store"
    names = {"vocabulary": VOCABULARY}
    stores = {"monolingual": monolingual_files(CONFIG.xnli.train_language, path, **names)}
    for pair, corpora in list(CONFIG.parallel.items())[:1]:
        stores["parallel"] = shards(path, corpus=corpora, key=pair, **names)
    return stores


# XNLI -----------------------------------------------------------------------------------------------------------


def xnli_keys():
    """The parts of XNLI that are read: ``train.en``, ``valid.fr``, ``test.fr``, ``translated.fr``, ..."""
    xnli = CONFIG.xnli
    train = [xnli.train_language, *(lang for lang in xnli.languages if lang != xnli.train_language)]
    keys = [f"train.{lang}" for lang in (train if needs_translated_training() else train[:1])]
    keys += [f"{split}.{lang}" for split in ("valid", "test") for lang in xnli.languages]
    return keys + [f"translated.{lang}" for lang in train[1:] if xnli.translate_test]


def needs_translated_training():
    """Whether anything is trained on translations of the training set."""
    xnli = CONFIG.xnli
    return bool(xnli.few_shot.runs or xnli.translate_train or xnli.translate_train_all)


def language_of_xnli(wildcards):
    """The language of one part of XNLI: what was translated for a test is in the language of the training set."""
    return CONFIG.xnli.train_language if wildcards.split == "translated" else wildcards.language


def xnli_store(split, language):
    """The store of one part of XNLI."""
    return f"<results>/store/{VOCABULARY}/xnli/{split}.{language}.store"


def xnli_stores(split, languages):
    """The stores of one split of XNLI."""
    return [xnli_store(split, language) for language in languages]


def xnli_protocols():
    """run -> the protocols it is fine-tuned and tested by; translate-train has one for each language."""
    xnli = CONFIG.xnli
    found = {run: ["zero_shot"] for run in xnli.runs}
    lists = {"few_shot": xnli.few_shot.runs, "translate_test": xnli.translate_test}
    lists["translate_train_all"] = xnli.translate_train_all
    lists |= {f"translate_train_{language}": xnli.translate_train for language in xnli.languages}
    for protocol, runs in lists.items():
        for run in runs:
            found[run].append(protocol)
    return found


def trained_languages(protocol):
    """The languages of the training sets of a protocol."""
    train, languages = CONFIG.xnli.train_language, CONFIG.xnli.languages
    others = [language for language in languages if language != train]
    together = {"zero_shot": [train], "few_shot": [train, *others], "translate_train_all": [train, *others]}
    return together.get(protocol) or [protocol.removeprefix("translate_train_")]


def tested_languages(protocol):
    """The languages that a protocol is validated and tested on: all, but for one of a single language."""
    alone = {f"translate_train_{language}": [language] for language in CONFIG.xnli.languages}
    return alone.get(protocol, CONFIG.xnli.languages)


def languages_to_train(wildcards):
    return trained_languages(wildcards.protocol)


def languages_to_test(wildcards):
    return tested_languages(wildcards.protocol)


def languages_to_select(wildcards):
    """The languages whose best evaluation is selected one by one, as the paper does, beside the one model for all."""
    is_selected = wildcards.protocol == "zero_shot" and wildcards.run in CONFIG.xnli.selected_per_language
    return CONFIG.xnli.languages if is_selected else []


def n_train_of(wildcards):
    """language -> training pairs of a fine-tuning: few of the other languages where it is few-shot."""
    xnli = CONFIG.xnli
    few = xnli.few_shot.examples if wildcards.protocol == "few_shot" else xnli.n_train
    return {lang: xnli.n_train if lang == xnli.train_language else few for lang in languages_to_train(wildcards)}


def finetuning_stores(wildcards):
    """What a fine-tuning is trained, validated and, language by language, selected on."""
    return {
        "train": xnli_stores("train", languages_to_train(wildcards)),
        "valid": xnli_stores("valid", languages_to_test(wildcards)),
        "test": xnli_stores("test", languages_to_select(wildcards)),
    }


def scored_model(wildcards):
    """The classifier that a protocol tests, and what was selected per language."""
    trained_by = {"translate_test": "zero_shot"}.get(wildcards.protocol, wildcards.protocol)
    folder = f"<results>/runs/{wildcards.run}/{wildcards.seed}/xnli/{trained_by}/{wildcards.finetuning_seed}"
    selected = {"selected": f"{folder}/selected.json"} if wildcards.protocol == "zero_shot" else {}
    return {"model": f"{folder}/model.safetensors", **selected}


def scored_stores(wildcards):
    """The test sets of a protocol, in the order of the tested languages."""
    train = CONFIG.xnli.train_language
    is_translated = wildcards.protocol == "translate_test"
    return [
        xnli_store("translated" if is_translated and language != train else "test", language)
        for language in languages_to_test(wildcards)
    ]


def setting_of(wildcards):
    """What a protocol is called in the table."""
    return configuration.SETTINGS.get(wildcards.protocol, configuration.SETTINGS["translate_train"])


def xnli_results(path):
    """What ``path`` is called for every run, seed and protocol of the XNLI table."""
    return [
        file
        for run, protocols in xnli_protocols().items()
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
    path = "<results>/results/xnli/{run}.{seed}.zero_shot.{finetuning_seed}.confusion.json"
    return {
        run: expand(path, run=run, seed=CONFIG.pretraining_seeds(run), finetuning_seed=CONFIG.seeds.finetuning)
        for run in CONFIG.xnli.runs
    }


def retrieval_results():
    """The results of sentence retrieval of every run and pretraining seed."""
    path = "<results>/results/retrieval/{run}.{seed}.jsonl"
    return [file for run in CONFIG.xnli.runs for file in expand(path, run=run, seed=CONFIG.pretraining_seeds(run))]


def xnli_labels():
    """run -> its name in the tables."""
    return {run: CONFIG.runs[run].label for run in CONFIG.xnli.runs}


def fewer_seeds():
    """run -> its pretraining seeds, for the runs of the tables that have fewer than the others."""
    return {run: CONFIG.runs[run].seeds for run in CONFIG.xnli.runs if CONFIG.runs[run].seeds}


def xnli_rows():
    """The rows of the XNLI table: run and setting."""
    xnli, settings = CONFIG.xnli, configuration.SETTINGS
    lists = {
        "zero_shot": xnli.runs,
        "selected_per_language": xnli.selected_per_language,
        "few_shot": xnli.few_shot.runs,
        "translate_test": xnli.translate_test,
        "translate_train": xnli.translate_train,
        "translate_train_all": xnli.translate_train_all,
    }
    return [[run, settings[protocol]] for protocol, runs in lists.items() for run in runs]


def xnli_settings():
    """What each setting of the XNLI table is."""
    xnli, settings = CONFIG.xnli, configuration.SETTINGS
    train = xnli.train_language
    about = {
        "zero_shot": f"fine-tuned on '{train}' only, one model for all languages, selected by its mean validation accuracy",
        "selected_per_language": "the same fine-tunings, but each language at its own best validation accuracy",
        "few_shot": f"'{train}' and {xnli.few_shot.examples} translated training pairs of each other language",
        "translate_test": f"the zero-shot model on test sets translated to '{train}'",
        "translate_train": "one model per language, fine-tuned and selected on that language, its training set translated",
        "translate_train_all": "one model, fine-tuned on all of these training sets together",
    }
    shown = {setting for _, setting in xnli_rows()}
    return {settings[name]: text for name, text in about.items() if settings[name] in shown}


def retrieval_caption():
    """What the table of sentence retrieval shows."""
    layer, last = CONFIG.retrieval.layer, CONFIG.model.n_layers
    return (
        f"Sentence retrieval (configuration '{CONFIG.name}'): how often the nearest neighbor of a sentence, by cosine of "
        f"mean-pooled states of the pretrained encoder after layer {last if layer is None else layer} of {last}, is its "
        f"translation; centered: less the mean vector of its language."
    )
