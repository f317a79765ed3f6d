"""The configuration in use, and the functions that turn its names into paths and parameters."""

import functools
import itertools
import os
from pathlib import Path
from urllib.parse import urlsplit

from snakemake.exceptions import WorkflowError

from xlm_core import config as configuration
from xlm_core import digests
from xlm_core.config import translators
from xlm_core.errors import ConfigError
from xlm_core.languages import sides
from xlm_core.steps import WORKFLOW
from xlm_core.text import glue


def checked_config():
    """The configuration, typed; or one short message before anything else happens."""
    try:
        return configuration.parse(config)
    except ConfigError as error:
        raise WorkflowError(f"The configuration cannot be used.\n{error}") from None


CONFIG = checked_config()
BASE = configuration.BASE  # the setup of XNLI, retrieval and the figures about objectives
TRANSLATORS = translators.translators(CONFIG)
WORD_LISTS = CONFIG.embeddings.lists if CONFIG.embeddings else {}  # "dictionary" and "similarity": pairs of words
ROOT = Path(workflow.current_basedir).parent
os.environ[WORKFLOW] = str(os.getpid())  # jobs inherit it, and end when this process is killed
LOCAL_GPUS = len(list(Path("/dev").glob("nvidia[0-9]*")))
GPUS = min(1, LOCAL_GPUS) if CONFIG.compute.gpus is None else CONFIG.compute.gpus  # of one machine, for one pretraining
PROCESSES = GPUS or CONFIG.compute.processes  # likewise
ONE_GPU = min(1, max(GPUS, LOCAL_GPUS))  # where there are any: a cluster's login node may have none
# Slurm's plugin starts a job on the first of its machines alone where it may start steps of its own on all of them
# ("mpi"). GPUs are those of the whole job as "gpu", and those of each machine as "gres".
if CONFIG.compute.nodes == 1:
    HARDWARE = {"gpu": GPUS}
else:
    HARDWARE = {"nodes": CONFIG.compute.nodes, "mpi": "srun", "tasks_per_node": 2}
    HARDWARE |= {"gres": f"gpu:{GPUS}"} if GPUS else {}


def plain(section, *leave_out):
    """A section of the configuration as plain data, the only form in which Snakemake can compare parameters."""
    return {key: value for key, value in configuration.plain(section).items() if key not in leave_out}


def code(*modules):
    """Digest of the code behind a step, so that a change of it, and only that, runs the step again."""
    return digests.of_code(ROOT, *modules)


def work(name):
    """Path of what must survive a killed job, and is therefore no output of its rule."""
    return f"results/{CONFIG.name}/work/{name}"


def doubled(amount):
    """Megabytes, given as they are or by a function of the wildcards, that double whenever the job is tried again."""
    return lambda wildcards, attempt: (amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)


def one_of(names):
    """A pattern that matches each of ``names`` and nothing else, not even where there are none."""
    return "|".join(names) or "(?!)"


def shards(path, **names):
    """One path per shard."""
    return expand(path, shard=range(CONFIG.text.n_shards), **names)


# Raw files ------------------------------------------------------------------------------------------------------


GENERATED = {
    "stories": "{key}.txt.gz",
    "translations": "{key}.txt.zip",
    "news": "{key}.txt.gz",
    "bitext": "{key}.txt.zip",
    "tests": "dev.tgz",
    "dictionaries": "{key}.txt",
    "similarity": "{key}-SEMEVAL17.txt",
    "evaluation": "XNLI-1.0.zip",
    "training": "XNLI-MT-1.0.zip",
    "glue": "{key}",
}  # collection of the microworld, or its archive of XNLI -> name of its files


def source(corpus):
    """The section that says where a corpus comes from: XNLI's archives, GLUE's tasks, and lists of words count as such."""
    archives = {"xnli_evaluation": CONFIG.xnli.evaluation, "xnli_training": CONFIG.xnli.training}
    archives |= {f"glue/{task}": origin for task, origin in glue_sources().items()}
    archives |= {f"embeddings_{name}": pairs for name, pairs in WORD_LISTS.items()}
    return archives.get(corpus) or CONFIG.corpora[corpus]


def glue_sources():
    """Task of GLUE -> the section that says where it comes from."""
    return CONFIG.glue.tasks if CONFIG.glue else {}


def glue_file(corpus, key):
    """What stands for the official file of that name in the address or path of a task of GLUE, or the name itself."""
    instead = getattr(source(corpus), "files", None)
    official = configuration.GLUE_FILES[corpus.removeprefix("glue/")] if instead else ()
    return dict(zip(official, instead or ())).get(key, key)


def microworld_file(collection, key):
    """What the microworld's generator calls the file of a language, a pair, the test sets or an XNLI archive."""
    name = GENERATED[key if collection == "xnli" else collection]
    return f"<results>/raw/microworld/{collection}/{name.format(key=key)}"


def microworld_files():
    """All that is generated, in the order in which the section names it."""
    return [microworld_file(*file.split("/")) for file in CONFIG.microworld.files]


def places(corpus, key):
    """The addresses or paths of one language or pair of a corpus: by year, and of each year by side."""
    origin = source(corpus)
    pattern = origin.url or origin.path
    languages = sides(key) if "{language}" in pattern else [None]
    years = getattr(origin, "years", None) or [None]
    names = {"key": key, "file": glue_file(corpus, key)}
    return [pattern.format(**names, language=language, year=year) for year in years for language in languages]


def downloaded(url):
    """Where a download lies: as in a mirror, so that what several corpora share is fetched once."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def raw_files(corpus, key):
    """The files of one language or pair of a corpus: generated, downloaded, or where the user has them."""
    origin = source(corpus)
    if origin.microworld:
        return [microworld_file(origin.microworld, key)]
    if origin.url:
        return [f"<results>/raw/web/{downloaded(url)}" for url in places(corpus, key)]
    return places(corpus, key)


def raw_files_of(wildcards):
    return raw_files(wildcards.corpus, wildcards.key)


def corpora_and_keys():
    """All that raw files are read for: corpus and key."""
    keys = {name: corpus.keys for name, corpus in CONFIG.corpora.items()}
    keys |= {"xnli_evaluation": ["evaluation"], "xnli_training": ["training"]}
    keys |= {f"glue/{task}": configuration.GLUE_FILES[task] for task in glue_sources()}
    keys |= {f"embeddings_{name}": pairs.keys for name, pairs in WORD_LISTS.items()}
    return [(corpus, key) for corpus in keys for key in keys[corpus]]


def downloads():
    """place of a download -> its address, and the corpora and keys that read it."""
    found = {}
    for corpus, key in corpora_and_keys():
        for url in places(corpus, key) if source(corpus).url else ():
            found.setdefault(downloaded(url), (url, []))[1].append((corpus, key))
    return found


DOWNLOADS = downloads()


def url_of(wildcards):
    return DOWNLOADS[wildcards.place][0]


def known_of(wildcards, what):
    """A sum or a size that the configuration gives a file, by its key, or by its name where a key has several files."""
    name = Path(wildcards.place).name
    given = [(getattr(source(corpus), what), key) for corpus, key in DOWNLOADS[wildcards.place][1]]
    return next((table[one] for table, key in given for one in (name, key) if one in table), None)


def sha256_of(wildcards):
    return known_of(wildcards, "sha256")


def n_bytes_of(wildcards):
    return known_of(wildcards, "bytes")


def licence_of(wildcards):
    corpus, _ = DOWNLOADS[wildcards.place][1][0]
    return source(corpus).licence


# Text -----------------------------------------------------------------------------------------------------------


def corpora_for(evaluation):
    """A pattern for the corpora to train on, or for those to evaluate on."""
    return one_of([name for name, corpus in CONFIG.corpora.items() if corpus.evaluation == evaluation])


def corpus_of(wildcards):
    return CONFIG.corpora[wildcards.corpus]


def format_of(wildcards):
    return corpus_of(wildcards).format


def lines_of(wildcards):
    """The range of lines that is read of a language or pair, or None."""
    lines = corpus_of(wildcards).lines.get(wildcards.key)
    return lines and list(lines)


def test_set_of(wildcards):
    return corpus_of(wildcards).set


def is_tokenized(wildcards):
    return corpus_of(wildcards).tokenized


def is_for_evaluation(wildcards):
    """Nothing is dropped from what models are evaluated on."""
    return corpus_of(wildcards).evaluation


def is_training_split(wildcards):
    """Whether text comes tokenized: XNLI's training text does, its evaluation text does not."""
    return wildcards.split == "train" and CONFIG.xnli.training_tokenized


def tokenization_params(wildcards):
    """The settings of ``text`` that tokenization depends on."""
    return plain(CONFIG.setup(wildcards.text).text, "n_shards", "valid_share", "test_share", "deduplicate")


def letters_of_text(wildcards):
    """Those of them that matter where every record is kept."""
    return letters(wildcards.text)


def letters(setup):
    """What a setup does to the letters of its text."""
    text = plain(CONFIG.setup(setup).text)
    return {key: text[key] for key in ("lowercase", "strip_accents", "romanian")}


def marks_of_duplicates(wildcards):
    """Which records of a shard are repeated, where such are dropped."""
    wanted = CONFIG.setup(wildcards.text).text.deduplicate and not corpus_of(wildcards).evaluation
    return ["<results>/text/{corpus}/{key}/{shard}.repeated.npy"] if wanted else []


def split_shares(wildcards):
    """The settings of ``text`` that say which lines are held out."""
    text = CONFIG.setup(wildcards.vocabulary).text
    return {"valid_share": text.valid_share, "test_share": text.test_share}


def monolingual_files(setup, language, path, **names):
    """What ``path`` is called for everything that a setup reads in ``language``, pairs it is a side of included."""
    return [
        file
        for corpus in CONFIG.setup(setup).monolingual[language]
        for key in CONFIG.corpora[corpus].keys
        if language in sides(key)
        for file in shards(path, corpus=corpus, key=key, **names)
    ]


# Vocabulary -----------------------------------------------------------------------------------------------------


def vocabulary_file(setup):
    """The vocabulary of a setup."""
    return f"<results>/bpe/{CONFIG.vocabulary_of(setup)}/vocabulary.json"


def vocabulary_of(wildcards):
    return vocabulary_file(wildcards.setup)


def languages_of(wildcards):
    return CONFIG.setup(wildcards.setup).languages


def vocabulary_config(wildcards):
    return CONFIG.setup(wildcards.vocabulary).vocabulary


def vocabulary_languages(wildcards):
    return CONFIG.setup(wildcards.vocabulary).languages


def alpha_of_sample(wildcards):
    return vocabulary_config(wildcards).alpha


def lines_of_sample(wildcards):
    return vocabulary_config(wildcards).sample_lines


def coverage_of(wildcards):
    return vocabulary_config(wildcards).character_coverage


def langsets(vocabulary):
    """language -> name of the sample and model that encode it."""
    setup = CONFIG.setup(vocabulary)
    return {language: "all" if setup.vocabulary.shared else language for language in setup.languages}


def tokens_to_sample(wildcards):
    """language -> token files to learn the encoding of ``langset`` on."""
    path = f"<results>/tokens/{CONFIG.text_of(wildcards.vocabulary)}/{{corpus}}/{{key}}/{{shard}}.tsv"
    return {
        language: monolingual_files(wildcards.vocabulary, language, path)
        for language, langset in langsets(wildcards.vocabulary).items()
        if langset == wildcards.langset
    }


def tokens_to_store(wildcards):
    """The tokens that a vocabulary encodes: those of its text."""
    folder = f"<results>/tokens/{CONFIG.text_of(wildcards.vocabulary)}/{wildcards.corpus}/{wildcards.key}"
    return f"{folder}/{wildcards.shard}.tsv"


def stored_languages(wildcards):
    """The languages of a corpus that a setup has: of translations one, where it reads only that side of them."""
    spoken = CONFIG.setup(wildcards.vocabulary).languages
    return [language for language in sides(wildcards.key) if language in spoken]


def bpe_size(wildcards):
    """Pieces of one model: all of them, or an even share where each language has its own."""
    n_models = len(set(langsets(wildcards.vocabulary).values()))
    return vocabulary_config(wildcards).size // n_models


def memory_to_learn(wildcards):
    """Megabytes: sentencepiece holds its sample, then 600 bytes for each different word, of two or three a line."""
    return 1000 + vocabulary_config(wildcards).sample_lines // 500


def vocabulary_parts(wildcards):
    """Models and samples, in the order of the languages."""
    names = langsets(wildcards.vocabulary).values()
    folder = f"<results>/bpe/{wildcards.vocabulary}"
    return {
        "models": [f"{folder}/{name}.model" for name in names],
        "samples": [f"{folder}/{name}.txt" for name in names],
    }


# Pretraining ----------------------------------------------------------------------------------------------------


def runs_with(test):
    """A pattern for the runs that pass a test."""
    return one_of([name for name, run in CONFIG.runs.items() if test(run)])


def objectives_of(wildcards):
    return CONFIG.runs[wildcards.run].objectives


def model_of(wildcards):
    """The Transformer of a run."""
    return plain(CONFIG.model_of(wildcards.setup, wildcards.run))


def pretraining_of(wildcards):
    return plain(CONFIG.setup(wildcards.setup).pretraining)


def pairs_of(wildcards):
    """The pairs a run reads: all, or none where it does not train on translations."""
    return list(CONFIG.setup(wildcards.setup).parallel) if "tlm" in objectives_of(wildcards) else []


def pretraining_stores(wildcards):
    """Stores a run reads."""
    return named_stores(wildcards.setup, pairs_of(wildcards))


def training_text(wildcards):
    """The training stores of every language of a setup, for vectors of pieces."""
    path = f"<results>/store/{CONFIG.vocabulary_of(wildcards.setup)}/{{corpus}}/{{key}}/{{shard}}/train.store"
    return {language: monolingual_files(wildcards.setup, language, path) for language in languages_of(wildcards)}


def all_stores():
    """Stores that any training reads, each once: every language and pair of every setup, and translators' pairs."""
    setups = {BASE: CONFIG, **CONFIG.setups}
    named = [
        path
        for name, setup in setups.items()
        for paths in named_stores(name, setup.parallel).values()
        for path in paths
    ]
    return list(dict.fromkeys([*named, *(path for plan in TRANSLATORS.values() for path in stored_pairs(plan))]))


def stored_pairs(plan):
    """What a translator reads of translations."""
    path = f"<results>/store/{CONFIG.vocabulary_of(plan.setup)}/{{corpus}}/{{key}}/{{shard}}/train.store"
    return [file for corpus in plan.corpora for file in shards(path, corpus=corpus, key=plan.pair)]


def named_stores(setup, pairs):
    """Stores as ``train_fr`` and ``valid_fr`` for each language, ``train_en_fr`` and ``valid_en_fr`` for each of ``pairs``."""
    path = "<results>/store/{vocabulary}/{corpus}/{key}/{shard}/{split}.store"
    corpora = CONFIG.setup(setup).parallel
    stores = {}
    for split in ("train", "valid"):
        names = {"vocabulary": CONFIG.vocabulary_of(setup), "split": split}
        for language in CONFIG.setup(setup).languages:
            stores[f"{split}_{language}"] = monolingual_files(setup, language, path, **names)
        for pair in pairs:
            stores[f"{split}_{pair.replace('-', '_')}"] = shards(path, corpus=corpora[pair], key=pair, **names)
    return stores


def training_histories(wildcards):
    """run -> the logs of its training, one per seed."""
    path = f"<results>/runs/{BASE}/{{run}}/{{seed}}/history.jsonl"
    return {run: expand(path, run=run, seed=CONFIG.pretraining_seeds(run)) for run in trained_labels()}


def trained_labels():
    """run -> its name in the tables, for the runs that train at all."""
    return {run: label for run, label in xnli_labels().items() if CONFIG.runs[run].objectives}


def drawn_curves():
    """The figure of the trainings of the tables, where there are any."""
    return ["<results>/figures/training_curves.svg"] if trained_labels() else []


def example_stores(wildcards):
    """Training stores of the first language and the first pair, to take the figure's examples from."""
    path = f"<results>/store/{BASE}/{{corpus}}/{{key}}/{{shard}}/train.store"
    stores = {"monolingual": monolingual_files(BASE, CONFIG.xnli.train_language, path)}
    for pair, corpora in list(CONFIG.parallel.items())[:1]:
        stores["parallel"] = shards(path, corpus=corpora, key=pair)
    return stores


def memory_for_copies(n):
    """A function that gives the megabytes of the host for so many copies of a model, beside 4 GB of PyTorch and CUDA."""

    def found(wildcards):
        setup = CONFIG.setup(wildcards.get("setup", BASE))
        model, n_pieces = setup.model, setup.vocabulary.size
        n_weights = model.dim * (n_pieces + model.n_layers * (4 * model.dim + 2 * model.feedforward_dim))
        return 4000 + n * 4 * n_weights // 1_000_000

    return found


# Finished artifacts ---------------------------------------------------------------------------------------------


def vocabularies(imported):
    """A pattern for the vocabularies that are imported, or for those that are learned."""
    setups = {BASE: CONFIG, **CONFIG.setups}
    return one_of([name for name, setup in setups.items() if bool(setup.vocabulary.imported) == imported])


def imported_vocabulary(wildcards):
    return plain(vocabulary_config(wildcards).imported)


def imported_vocabulary_files(wildcards):
    return vocabulary_config(wildcards).imported.files


def imported_model(wildcards):
    return plain(CONFIG.runs[wildcards.run].imported)


def imported_model_files(wildcards):
    return CONFIG.runs[wildcards.run].imported.files


def corpora_of_stores(finished):
    """A pattern for the corpora that come as token ids, or for those that come as text."""
    return one_of([name for name, corpus in CONFIG.corpora.items() if (corpus.format == "store") == finished])


def stores_of(corpus, key, shard):
    """split -> the finished store of one shard."""
    folder = source(corpus).path.format(key=key, shard=shard).rstrip("/")
    return {split: f"{folder}/{split}.store" for split in ("train", "valid", "test")}


def finished_stores(wildcards):
    return stores_of(wildcards.corpus, wildcards.key, wildcards.shard)


def sums_of_stores(wildcards):
    """split -> the sum of this store."""
    sums = corpus_of(wildcards).sha256
    return {split: sums[f"{wildcards.key}/{wildcards.shard}/{split}.store"] for split in finished_stores(wildcards)}


# XNLI -----------------------------------------------------------------------------------------------------------


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


def fewer_seeds():
    """run -> its pretraining seeds, for the runs of the tables that have fewer than the others."""
    return {run: CONFIG.runs[run].seeds for run in CONFIG.xnli.runs if CONFIG.runs[run].seeds}


def retrieval_caption():
    """What the table of sentence retrieval shows."""
    layer, last = CONFIG.retrieval.layer, CONFIG.model.n_layers
    return (
        f"Sentence retrieval (configuration '{CONFIG.name}'): how often the nearest neighbor of a sentence, by cosine of "
        f"mean-pooled states of the pretrained encoder after layer {last if layer is None else layer} of {last}, is its "
        f"translation; centered: less the mean vector of its language."
    )


# GLUE -----------------------------------------------------------------------------------------------------------


def glue_files(wildcards):
    """The official files of a task."""
    corpus = f"glue/{wildcards.task}"
    return [path for file in configuration.GLUE_FILES[wildcards.task] for path in raw_files(corpus, file)]


def glue_parts(wildcards):
    """The training, validation and test sets of a task."""
    return CONFIG.glue.parts(wildcards.task)


def glue_tokens(wildcards):
    return f"<results>/tokens/{CONFIG.text_of(wildcards.vocabulary)}/glue/{wildcards.task}"


def glue_classes(wildcards):
    """Part of a task -> its labels, which is none in test sets; None where they are scores."""
    classes = glue.FORMS[wildcards.task].classes
    return {
        part: [glue.NO_LABEL] if part.startswith("test") else classes and list(classes)
        for part in CONFIG.glue.parts(wildcards.task)
    }


def n_glue_sentences(wildcards):
    return len(glue.FORMS[wildcards.task].sentences)


def glue_stores(setup, task):
    """The folder of the parts of a task, as the models of a setup read them."""
    return f"<results>/store/{CONFIG.vocabulary_of(setup)}/glue/{task}"


def glue_examples(wildcards):
    return glue_stores(wildcards.setup, wildcards.task)


def glue_diagnostics(wildcards):
    """Sentences that the models of a task label beside their own."""
    further = configuration.DIAGNOSTICS
    return [glue_stores(wildcards.setup, further)] if further in CONFIG.glue.test(wildcards.task) else []


def glue_valid(wildcards):
    """Column of the table -> part of a task that it is measured on."""
    return CONFIG.glue.valid(wildcards.task)


def glue_test(wildcards):
    """Set of the leaderboard -> part of a task."""
    return CONFIG.glue.test(wildcards.task)


def glue_finetuning(wildcards):
    return plain(CONFIG.glue.finetuning)


def pretrained_on(wildcards):
    """The language of a setup, or how many it has."""
    languages = CONFIG.setup(wildcards.setup).languages
    return languages[0] if len(languages) == 1 else f"{len(languages)} languages"


def glue_rows(path, **names):
    """What ``path`` is called for every row and seed of the table of GLUE."""
    return [
        file
        for row in CONFIG.glue.rows
        for file in expand(
            path,
            setup=row.setup,
            run=row.run,
            seed=CONFIG.pretraining_seeds(row.run),
            finetuning_seed=CONFIG.seeds.finetuning,
            **names,
        )
    ]


def glue_results(wildcards):
    path = "<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.jsonl"
    return glue_rows(path, task=CONFIG.glue.trained)


def glue_predictions(wildcards):
    """What the models of all tasks say, with one seed of one row."""
    path = "<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.predictions.tsv"
    return expand(path, **wildcards, task=CONFIG.glue.trained)


def glue_table_params(wildcards):
    """What the table of GLUE shows."""
    columns = {
        task: [[column, metric] for column in CONFIG.glue.valid(task) for metric in glue.FORMS[task].metrics]
        for task in CONFIG.glue.trained
    }
    return {
        "labels": {row.name: row.label or CONFIG.runs[row.run].label for row in CONFIG.glue.rows},
        "rows": [[row.name, pretrained_on(row)] for row in CONFIG.glue.rows],
        "columns": columns,
        "missing": CONFIG.glue.missing,
        "fewer_seeds": {row.name: CONFIG.runs[row.run].seeds for row in CONFIG.glue.rows if CONFIG.runs[row.run].seeds},
        "caption": f"GLUE (configuration '{CONFIG.name}')",
    }


def shown_of_glue():
    """All that is shown of GLUE, and what its leaderboard takes."""
    zips = "<results>/submissions/glue/{setup}.{run}.{seed}.{finetuning_seed}.zip"
    return [*table_files("glue"), *glue_rows(zips)] if CONFIG.glue else []


# Translation ----------------------------------------------------------------------------------------------------


def plan_of(wildcards):
    return TRANSLATORS[wildcards.translator]


def translator_inputs(wildcards):
    """What a translator learns from, is validated on, and begins with; a run that learned nothing gives it nothing."""
    plan = plan_of(wildcards)
    path = f"<results>/store/{CONFIG.vocabulary_of(plan.setup)}/{{corpus}}/{{key}}/{{shard}}/train.store"
    inputs = {f"train_{lang}": monolingual_files(plan.setup, lang, path) for lang in translator_texts(wildcards)}
    inputs["pairs"] = stored_pairs(plan)
    inputs["valid"] = validation_text(plan.pair)
    inputs["vocabulary"] = vocabulary_file(plan.setup)
    for half, run in (("encoder", plan.encoder), ("decoder", plan.decoder)):
        if CONFIG.runs[run].has_learned:
            inputs[half] = f"<results>/runs/{plan.setup}/{run}/{wildcards.seed}/model.safetensors"
    return inputs


def translator_texts(wildcards):
    """The languages whose text a translator reads."""
    steps = [step.split(".") for step in plan_of(wildcards).steps]
    return sorted({directions.split("-")[1] for kind, directions in steps if kind != "mt"})


def translator_languages(wildcards):
    return CONFIG.setup(plan_of(wildcards).setup).languages


def translator_steps(wildcards):
    return list(plan_of(wildcards).steps)


def translator_model(wildcards):
    return plain(CONFIG.setup(plan_of(wildcards).setup).model)


def translator_text(wildcards):
    """How the text of a translator is to be prepared, by whoever uses it."""
    return letters(plan_of(wildcards).setup)


def translator_training(wildcards):
    plan = plan_of(wildcards)
    if plan.table == "unsupervised":
        return plain(CONFIG.translation.unsupervised.training)
    return plain(CONFIG.translation.supervised.training_of(len(plan.steps)))


def validation_text(pair):
    """The tokenized validation set of a pair."""
    sets = CONFIG.translation.pairs[pair]
    return f"<results>/tokens/{CONFIG.text_of(sets.setup)}/{sets.valid}/{pair}/0.tsv"


def raw_test_text(pair):
    """The raw test set of a pair."""
    return f"<results>/text/{CONFIG.translation.pairs[pair].test}/{pair}/0.tsv"


def test_text(wildcards):
    return raw_test_text(plan_of(wildcards).pair)


def all_test_sets():
    """Validation and test sets of all pairs that are translated."""
    pairs = CONFIG.translation.pairs if CONFIG.translation else ()
    return [file for pair in pairs for file in (validation_text(pair), raw_test_text(pair))]


def plans_of(table):
    """translator -> plan, for those of a table."""
    return {name: plan for name, plan in TRANSLATORS.items() if plan.table == table}


def seeds_of(table):
    return translators.seeds(CONFIG, plans_of(table).values())


def translation_search(wildcards):
    return plain(CONFIG.translation.search)


def translation_place(wildcards):
    """Where in the tables a score stands."""
    plan = plan_of(wildcards)
    cell = zip(("system", "setting", "column"), plan.cell(wildcards.direction), strict=True)
    return {"table": f"{plan.table}_mt", **dict(cell)}


def translation_results(wildcards):
    """The scores of a table."""
    path = "<results>/results/translation/{translator}/{seed}/{direction}.jsonl"
    return [
        file
        for name, plan in plans_of(wildcards.table).items()
        for file in expand(path, translator=name, seed=seeds_of(wildcards.table), direction=plan.tested)
    ]


def said(translator, seed, direction, part):
    """The lines of a test set, of its translations by people, or of what a translator said."""
    return f"<results>/translations/{translator}/{seed}/{direction}/{part}.txt"


def comparisons(wildcards):
    """Translator, direction, the translator it is compared with, and the seed: for all cells of a table but the first."""
    compared = translators.compared(plans_of(wildcards.table))
    return [(*one, seed) for one in compared for seed in seeds_of(wildcards.table)]


def compared_cells(wildcards):
    """Row, setting and column of what is compared, the seed, and row and setting of what it is compared with."""
    return [
        [*TRANSLATORS[name].cell(direction), str(seed), *TRANSLATORS[other].place]
        for name, direction, other, seed in comparisons(wildcards)
    ]


def compared_files(wildcards):
    """Of each comparison what both said, and what people say."""
    return [
        said(*place, direction, part)
        for name, direction, other, seed in comparisons(wildcards)
        for *place, part in ((name, seed, "hypotheses"), (other, seed, "hypotheses"), (name, seed, "references"))
    ]


def labels_of_rows(wildcards):
    """Run of an encoder, or row of the supervised table -> its label."""
    if wildcards.table == "supervised":
        return translators.row_labels(CONFIG)
    return {plan.encoder: CONFIG.runs[plan.encoder].label for plan in plans_of("unsupervised").values()}


def rows_of(wildcards):
    """The rows of a table, row and setting, each once."""
    return [list(place) for place in dict.fromkeys(plan.place for plan in plans_of(wildcards.table).values())]


def columns_of(wildcards):
    """The columns of a table, each once."""
    cells = (plan.cell(direction) for plan in plans_of(wildcards.table).values() for direction in plan.tested)
    return list(dict.fromkeys(column for _, _, column in cells))


def labels_of_translators(wildcards):
    """translator -> what its curve is called."""
    return {name: plan.label for name, plan in plans_of(wildcards.table).items()}


def translator_histories(wildcards):
    """translator -> the logs of its training, one per seed."""
    path = "<results>/translators/{translator}/{seed}/history.jsonl"
    return {name: expand(path, translator=name, seed=seeds_of(wildcards.table)) for name in plans_of(wildcards.table)}


def sampled(wildcards):
    """direction -> the first and the last translator of a table that were tested in it."""
    of = {}
    for name, plan in plans_of(wildcards.table).items():
        for direction in plan.tested:
            of.setdefault(direction, []).append(name)
    return {direction: list(dict.fromkeys((names[0], names[-1]))) for direction, names in of.items()}


def sampled_labels(wildcards):
    """direction -> what the translators that are shown are called."""
    labels = labels_of_translators(wildcards)
    return {direction: [labels[name] for name in names] for direction, names in sampled(wildcards).items()}


def sampled_translations(wildcards):
    """Of each direction sources, references, and what the translators say, with their first seed."""
    seed = seeds_of(wildcards.table)[0]
    files = []
    for direction, names in sampled(wildcards).items():
        files += [said(names[0], seed, direction, part) for part in ("sources", "references")]
        files += [said(name, seed, direction, "hypotheses") for name in names]
    return files


def shown_of(table):
    """All that is shown of a table of translation."""
    return [
        *table_files(f"{table}_mt"),
        f"<results>/figures/{table}_curves.svg",
        f"<results>/tables/{table}_samples.html",
    ]


def required(section, files):
    """What gives the files of a target, or says that the configuration has no section for it."""

    def found(wildcards):
        value = CONFIG
        for key in section.split("."):
            value = value and getattr(value, key)
        if not value:
            raise WorkflowError(
                f"The configuration '{CONFIG.name}' has no section {section}, so there is no such table. "
                "See config.yaml for one."
            )
        return files

    return found


# Perplexity and ablation ----------------------------------------------------------------------------------------


def table_files(name, differences=True):
    """The files of a table, and of the differences between its rows where it has any; the last says what is behind it."""
    kinds = ("md", "html", "tex", "tidy.csv", *(["differences.csv"] if differences else []), "manifest.json")
    return [f"<results>/tables/{name}.{kind}" for kind in kinds]


def perplexity_text(wildcards):
    """The test stores of the language whose perplexity is measured."""
    path = "<results>/store/{vocabulary}/{{corpus}}/{{key}}/{{shard}}/test.store"
    path = path.format(vocabulary=CONFIG.vocabulary_of(wildcards.setup))
    return monolingual_files(wildcards.setup, CONFIG.perplexity.language, path)


def perplexity_results():
    """The results of every setup and seed of the table."""
    table = CONFIG.perplexity
    path = "<results>/results/perplexity/{setup}.{run}.{seed}.jsonl"
    return expand(path, setup=table.setups, run=table.run, seed=CONFIG.pretraining_seeds(table.run)) if table else []


def perplexity_labels():
    """setup -> its name in the table."""
    table = CONFIG.perplexity
    return {name: table.label(CONFIG.setup(name).languages) for name in table.setups} if table else {}


def perplexity_settings():
    """What the run of the table is called."""
    return [CONFIG.runs[CONFIG.perplexity.run].label] if CONFIG.perplexity else []


def ablation_systems():
    """label -> system, the full one first."""
    table = CONFIG.ablation
    return {"full system": table.full, **table.rows} if table else {}


def ablation_full():
    """What the full system is called in its results."""
    return CONFIG.ablation and configuration.system(CONFIG.ablation.full.setup, CONFIG.ablation.full.run)


def ablation_labels():
    """system -> its name in the table."""
    return {configuration.system(one.setup, one.run): label for label, one in ablation_systems().items()}


def ablation_results():
    """The zero-shot results of all systems; those that another table shows, too, are the same files."""
    path = "<results>/results/xnli/{setup}.{run}.{seed}.zero_shot.{finetuning_seed}.jsonl"
    return [
        file
        for one in ablation_systems().values()
        for file in expand(
            path,
            setup=one.setup,
            run=one.run,
            seed=CONFIG.pretraining_seeds(one.run),
            finetuning_seed=CONFIG.seeds.finetuning,
        )
    ]


# Claims ---------------------------------------------------------------------------------------------------------


def compared_systems():
    """Claim, comparison: of every comparison of every claim."""
    return [(claim, one) for claim in CONFIG.claims for one in claim.compared]


def claim_seeds(compared):
    """The seeds that both systems of a comparison have."""
    if compared.table.endswith("_mt"):
        return seeds_of(compared.table.removesuffix("_mt"))
    runs = [run_of(compared.table, name) for name in (compared.a, compared.b)]
    return [
        seed for seed in CONFIG.seeds.pretraining if all(seed in CONFIG.pretraining_seeds(run) for run in runs if run)
    ]


def run_of(table, name):
    """The run of a system; None of a baseline that is none."""
    if table == "perplexity":
        return CONFIG.perplexity.run
    if table == "embeddings":
        return name if name in CONFIG.runs else None
    return glue_row(name).run if table == "glue" else zero_shot_system(table, name).run


def glue_row(name):
    """The row of the table of GLUE that has this name."""
    return next(row for row in CONFIG.glue.rows if row.name == name)


def zero_shot_system(table, name):
    """A system of the table of XNLI or of the ablation."""
    if table == "xnli":
        return configuration.System(run=name)
    return CONFIG.ablation.full if name == "full" else CONFIG.ablation.rows[name]


def claim_items(table, name, seed):
    """The items of one system with one pretraining seed."""
    if table == "perplexity":
        return [f"<results>/results/perplexity/{name}.{CONFIG.perplexity.run}.{seed}.items.json"]
    if table.endswith("_mt"):
        path = "<results>/results/translation/{}/{}/{}.items.json"
        plans = plans_of(table.removesuffix("_mt")).items()
        mine = [(key, plan) for key, plan in plans if (plan.encoder, plan.decoder) == (name, name)]
        return [path.format(key, seed, direction) for key, plan in mine for direction in plan.tested]
    if table == "embeddings":
        return [f"<results>/results/embeddings/{seed}.items.json"]
    if table == "glue":
        path = "<results>/results/glue/{row}.{seed}.{task}.{finetuning_seed}.items.json"
        return expand(path, row=name, seed=seed, task=CONFIG.glue.trained, finetuning_seed=CONFIG.seeds.finetuning)
    one = zero_shot_system(table, name)
    path = "<results>/results/xnli/{setup}.{run}.{seed}.zero_shot.{finetuning_seed}.items.json"
    return expand(path, setup=one.setup, run=one.run, seed=seed, finetuning_seed=CONFIG.seeds.finetuning)


def claim_columns(compared):
    """The columns that count, as both systems call them: of XNLI the languages without labels; None: all."""
    if compared.table in ("xnli", "ablation"):
        return [[language, language] for language in CONFIG.xnli.others]
    if compared.table == "embeddings":
        rest = [(key, kind) for key in CONFIG.embeddings.dictionary.keys for kind in configuration.WORD_SETTINGS]
        return [[f"{name}, {key}, {kind}" for name in (compared.a, compared.b)] for key, kind in rest]
    return None


def all_claim_items():
    """Of each comparison, of each of its systems, the items of all seeds."""
    return {
        f"{side}_{number}": [file for seed in claim_seeds(one) for file in claim_items(one.table, name, seed)]
        for number, (_, one) in enumerate(compared_systems())
        for side, name in (("a", one.a), ("b", one.b))
    }


def described_claims():
    """Of each comparison the claim's statement, its names, and how many seeds there are."""
    return [
        [claim.statement, one.table, one.a, one.b, one.margin, claim_columns(one), len(claim_seeds(one))]
        for claim, one in compared_systems()
    ]


CLAIM_FILES = [
    *(f"<results>/tables/claims.{kind}" for kind in ("md", "tidy.csv", "manifest.json")),
    "<results>/figures/claims.svg",
]


# Word embeddings ------------------------------------------------------------------------------------------------


def word_pairs_source(wildcards):
    return raw_files(f"embeddings_{wildcards.list}", wildcards.direction)


def text_of_words():
    """How the text of the setup is tokenized."""
    return letters(CONFIG.embeddings.setup)


def text_of_vectors(wildcards):
    """language -> token files that vectors are learned on: of one language, or of all."""
    setup = CONFIG.embeddings.setup
    path = f"<results>/tokens/{CONFIG.text_of(setup)}/{{corpus}}/{{key}}/{{shard}}.tsv"
    languages = CONFIG.embeddings.languages if wildcards.langset == "all" else [wildcards.langset]
    return {language: monolingual_files(setup, language, path) for language in languages}


def memory_of_vectors(wildcards):
    """Megabytes: the counts of all words of Wikipedia, two matrices of vectors, and fastText's two million parts."""
    counts = {"all": 16000}.get(wildcards.langset, 4000)
    vectors = CONFIG.embeddings.vectors
    rows = 2 * vectors.max_words + (2_000_000 if vectors.subwords else 0)
    return 2000 + counts + rows * vectors.dim * 4 // 1_000_000


def memory_of_scores(wildcards, input, attempt):
    """Megabytes: all models and vectors, copies of those that are compared, and their similarities by the part."""
    return (2000 + 6 * int(input.size_mb)) * 2 ** (attempt - 1)


def scored_vectors(wildcards):
    """Vectors of each language, which also say which words its text has, and of all together for Concat."""
    names = [*CONFIG.embeddings.languages, *(["all"] if "concat" in CONFIG.embeddings.rows else [])]
    return {f"vectors_{name}": f"<results>/vectors/{name}/{wildcards.seed}.bin" for name in names}


def scored_word_pairs(wildcards):
    """The lists of words, in the order of their directions."""
    path = "<results>/words/{list}/{direction}.tsv"
    return {name: expand(path, list=name, direction=pairs.keys) for name, pairs in WORD_LISTS.items()}


def embedding_runs_of(wildcards):
    """The runs of the table that have a seed."""
    return [run for run in CONFIG.embeddings.runs if int(wildcards.seed) in CONFIG.pretraining_seeds(run)]


def scored_embedding_models(wildcards):
    path = f"<results>/runs/{CONFIG.embeddings.setup}/{{run}}/{wildcards.seed}/model.safetensors"
    return expand(path, run=embedding_runs_of(wildcards))


def embedding_labels():
    """Row -> what it is called in the table."""
    labels = {**configuration.BASELINES, **{name: run.label for name, run in CONFIG.runs.items()}}
    return {row: labels[row] for row in CONFIG.embeddings.rows}


def fewer_embedding_seeds():
    """Run -> its pretraining seeds, for the runs of the table that have fewer than the others."""
    return {run: CONFIG.runs[run].seeds for run in CONFIG.embeddings.runs if CONFIG.runs[run].seeds}


def drawn_models():
    """The first model of each run whose map is drawn."""
    figure = CONFIG.embeddings.figure
    path = f"<results>/runs/{CONFIG.embeddings.setup}/{{run}}/{{seed}}/model.safetensors"
    return [file for run in figure.runs for file in expand(path, run=run, seed=CONFIG.pretraining_seeds(run)[:1])]


def drawn_dictionaries():
    return expand("<results>/words/dictionary/{direction}.tsv", direction=CONFIG.embeddings.drawn)


def vectors_of_drawn_words():
    """Vectors of each language, which say which words its text has."""
    path = "<results>/vectors/{language}/{seed}.bin"
    return expand(path, language=CONFIG.embeddings.figure.languages, seed=CONFIG.seeds.pretraining[0])


def embedding_files():
    """All that is shown of word embeddings."""
    return table_files("embeddings", differences=False) if CONFIG.embeddings else []


def alignment_files():
    """The map of words."""
    is_drawn = CONFIG.embeddings and CONFIG.embeddings.figure
    return [f"<results>/figures/alignment.{kind}" for kind in ("svg", "png")] if is_drawn else []


# Provenance -----------------------------------------------------------------------------------------------------


TABLES = {
    "xnli": "xnli_table",
    **({"retrieval": "xnli_table"} if retrieval_files() else {}),
    **{f"{table}_mt": f"{table}_mt_table" for table in ("unsupervised", "supervised") if plans_of(table)},
    **({"glue": "glue_table"} if CONFIG.glue else {}),
    **({"perplexity": "perplexity_table"} if CONFIG.perplexity else {}),
    **({"ablation": "ablation_table"} if CONFIG.ablation else {}),
    **({"embeddings": "embedding_table"} if CONFIG.embeddings else {}),
    **({"claims": "claims"} if CONFIG.claims else {}),
}  # table -> the target that makes it


def manifests(*tables):
    """What is behind each of these tables."""
    return [f"<results>/tables/{table}.manifest.json" for table in tables]


@functools.cache
def maker(file):
    """The rule that makes a file, and its wildcards; None for a file that the user has."""
    for one in workflow.rules:
        if one.is_producer(file):
            return one, tuple(one.get_wildcards(file).items())
    return None


def read_by(rule, wildcards):
    """The files that a job reads."""
    return list(map(str, rule.expand_input(dict(wildcards))[0]))


@functools.cache
def behind(rule, wildcards):
    """What stands behind a job, itself included, all the way up: the records of jobs, and the files it began with.

    It is Snakemake that is asked who makes what of what, so that this cannot differ from what is done.
    """
    record = rule.output.get("job")
    records, sources = [str(record.apply_wildcards(dict(wildcards)))] if record else [], []
    for file in read_by(rule, wildcards):
        made = maker(file)
        if made and made[0].input:
            more_records, more_sources = behind(*made)
            records += more_records
            sources += more_sources
        else:  # the user's own, downloaded or generated
            sources.append(file)
    return list(dict.fromkeys(records)), list(dict.fromkeys(sources))


def table_maker(wildcards):
    """The job that makes the numbers of a table."""
    return maker(f"results/{CONFIG.name}/tables/{wildcards.table}.tidy.csv")


def jobs_of_table(wildcards):
    """The records of all jobs behind a table."""
    return behind(*table_maker(wildcards))[0]


def results_of_table(wildcards):
    """The measured numbers that a table is made of; none where it is made of single items."""
    return [file for file in read_by(*table_maker(wildcards)) if file.endswith(".jsonl")]


def jobs_of_results(wildcards):
    """Results -> the records of the jobs behind them."""
    return {file: behind(*maker(file))[0] for file in results_of_table(wildcards)}


def sources_of_table(wildcards):
    """The files that a table began with: where each is, and where it is from."""
    return [described_source(file) for file in behind(*table_maker(wildcards))[1]]


def files_read(corpus, key):
    """The files of one language or pair of a corpus as they are read first; of finished stores those of all shards."""
    if getattr(source(corpus), "format", None) != "store":
        return raw_files(corpus, key)
    return [file for shard in range(CONFIG.text.n_shards) for file in stores_of(corpus, key, shard).values()]


def described_source(file):
    """The path of a file, its origin, its licence, and of a download its address and its record."""
    if made := maker(file):
        place = dict(made[1]).get("place")
        if place not in DOWNLOADS:
            return {"path": file, "origin": "generated", "licence": "MIT"}
        url, readers = DOWNLOADS[place]
        licence, record = source(readers[0][0]).licence, work(f"downloads/{place}.json")
        return {"path": file, "origin": "downloaded", "licence": licence, "url": url, "record": record}
    licences = {path: source(one).licence for one, key in corpora_and_keys() for path in files_read(one, key)}
    return {"path": file, "origin": "local", "licence": licences.get(file, "")}
