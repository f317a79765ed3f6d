"""Pretraining: what a run reads, and the runs that the figures show."""


def runs_with(test):
    """A pattern for the runs that pass a test."""
    return one_of([name for name, run in CONFIG.runs.items() if test(run)])


def fewer_seeds(runs):
    """run -> its pretraining seeds, for those of a table that have fewer than the others."""
    return {run: CONFIG.runs[run].seeds for run in runs if CONFIG.runs[run].seeds}


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


def training_store(setup):
    """Where the training text of a setup is stored, by corpus, key and shard."""
    return f"<results>/store/{CONFIG.vocabulary_of(setup)}/{{corpus}}/{{key}}/{{shard}}/train.store"


def training_text(wildcards):
    """The training stores of every language of a setup, for vectors of pieces."""
    setup = wildcards.setup
    return {language: monolingual_files(setup, language, training_store(setup)) for language in languages_of(wildcards)}


def all_stores():
    """Stores that any training reads, each once: every language and pair of every setup, and translators' pairs."""
    named = [
        path
        for name, setup in SETUPS.items()
        for paths in named_stores(name, setup.parallel).values()
        for path in paths
    ]
    return list(dict.fromkeys([*named, *(path for plan in TRANSLATORS.values() for path in stored_pairs(plan))]))


def stored_pairs(plan):
    """What a translator reads of translations."""
    path = training_store(plan.setup)
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
    path = training_store(BASE)
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
