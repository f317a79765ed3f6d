"""Text: how a corpus is read, filtered and tokenized, and which files a setup reads of it."""

from xlm_core.languages import sides


def corpora_for(evaluation):
    """A pattern for the corpora to train on, or for those to evaluate on."""
    return one_of([name for name, corpus in CONFIG.corpora.items() if corpus.eval_only == evaluation])


def corpus_of(wildcards):
    return CONFIG.corpora[wildcards.corpus]


def format_of(wildcards):
    return corpus_of(wildcards).format


def lines_of(wildcards):
    """The range of lines that is read of a language or pair, or None."""
    lines = corpus_of(wildcards).line_range.get(wildcards.key)
    return lines and list(lines)


def test_set_of(wildcards):
    return corpus_of(wildcards).set


def is_tokenized(wildcards):
    return corpus_of(wildcards).tokenized


def is_for_evaluation(wildcards):
    """Nothing is dropped from what models are evaluated on."""
    return corpus_of(wildcards).eval_only


def is_training_split(wildcards):
    """Whether text comes tokenized: XNLI's training text does, its evaluation text does not."""
    return wildcards.split == "train" and CONFIG.xnli.training_tokenized


def tokenization_params(wildcards):
    """The settings of ``text`` that tokenization depends on."""
    return plain(CONFIG.setup(wildcards.text).text, "n_shards", "valid_fraction", "test_fraction", "deduplicate")


def letters_of_text(wildcards):
    """Those of them that matter where every record is kept."""
    return letters(wildcards.text)


def letters(setup):
    """What a setup does to the letters of its text."""
    text = plain(CONFIG.setup(setup).text)
    return {key: text[key] for key in ("lowercase", "strip_accents", "romanian")}


def marks_of_duplicates(wildcards):
    """Which records of a shard are repeated, where such are dropped."""
    wanted = CONFIG.setup(wildcards.text).text.deduplicate and not corpus_of(wildcards).eval_only
    return ["<results>/text/{corpus}/{key}/{shard}.repeated"] if wanted else []


def split_shares(wildcards):
    """The settings of ``text`` that say which lines are held out."""
    text = CONFIG.setup(wildcards.vocabulary).text
    return {"valid_fraction": text.valid_fraction, "test_fraction": text.test_fraction}


def monolingual_files(setup, language, path, **names):
    """What ``path`` is called for everything that a setup reads in ``language``, pairs it is a side of included."""
    return [
        file
        for corpus in CONFIG.setup(setup).monolingual[language]
        for key in CONFIG.corpora[corpus].keys
        if language in sides(key)
        for file in shards(path, corpus=corpus, key=key, **names)
    ]
