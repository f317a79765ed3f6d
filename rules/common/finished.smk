"""Finished artifacts, which are used instead of being made."""


def vocabularies(imported):
    """A pattern for the vocabularies that are imported, or for those that are learned."""
    return one_of([name for name, setup in SETUPS.items() if bool(setup.vocabulary.imported) == imported])


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
    return source(corpus).store_paths(key, shard)


def finished_stores(wildcards):
    return stores_of(wildcards.corpus, wildcards.key, wildcards.shard)


def sums_of_stores(wildcards):
    """split -> the sum of this store."""
    sums = corpus_of(wildcards).sha256
    return {split: sums[f"{wildcards.key}/{wildcards.shard}/{split}.store"] for split in finished_stores(wildcards)}
