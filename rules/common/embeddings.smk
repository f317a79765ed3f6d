"""Word embeddings: vectors, pairs of words, the table and the map."""

from xlm_core import config as configuration


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
    names = [*CONFIG.embeddings.languages, *(["all"] if "concat" in CONFIG.embeddings.systems else [])]
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
    return {row: labels[row] for row in CONFIG.embeddings.systems}


def drawn_models():
    """The first model of each run whose map is drawn."""
    figure = CONFIG.embeddings.alignment_figure
    path = f"<results>/runs/{CONFIG.embeddings.setup}/{{run}}/{{seed}}/model.safetensors"
    return [file for run in figure.runs for file in expand(path, run=run, seed=CONFIG.pretraining_seeds(run)[:1])]


def drawn_dictionaries():
    return expand("<results>/words/dictionary/{direction}.tsv", direction=CONFIG.embeddings.drawn)


def vectors_of_drawn_words():
    """Vectors of each language, which say which words its text has."""
    path = "<results>/vectors/{language}/{seed}.bin"
    return expand(path, language=CONFIG.embeddings.alignment_figure.languages, seed=CONFIG.seeds.pretraining[0])


def embedding_files():
    """All that is shown of word embeddings."""
    return table_files("embeddings", differences=False) if CONFIG.embeddings else []


def alignment_files():
    """The map of words."""
    is_drawn = CONFIG.embeddings and CONFIG.embeddings.alignment_figure
    return [f"<results>/figures/alignment.{kind}" for kind in ("svg", "png")] if is_drawn else []
