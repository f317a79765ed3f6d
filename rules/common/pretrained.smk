"""Pretrained models, vocabularies and token stores, which are used instead of being made."""


def vocabularies(pretrained):
    """A pattern for the vocabularies that are given, or for those that are learned."""
    return one_of([name for name, setup in SETUPS.items() if bool(setup.vocabulary.pretrained) == pretrained])


def pretrained_vocabulary(wildcards):
    return plain(vocabulary_config(wildcards).pretrained)


def pretrained_vocabulary_files(wildcards):
    return vocabulary_config(wildcards).pretrained.files


def pretrained_model(wildcards):
    return plain(CONFIG.runs[wildcards.run].pretrained)


def pretrained_model_files(wildcards):
    return CONFIG.runs[wildcards.run].pretrained.files


def corpora_of_stores(pretrained):
    """A pattern for the corpora that come as token ids, or for those that come as text."""
    return one_of([name for name, corpus in CONFIG.corpora.items() if (corpus.format == "store") == pretrained])


def stores_of(corpus, key, shard):
    """split -> the given store of one shard."""
    return source(corpus).store_paths(key, shard)


def pretrained_stores(wildcards):
    return stores_of(wildcards.corpus, wildcards.key, wildcards.shard)


def sums_of_stores(wildcards):
    """split -> the sum of this store."""
    sums = corpus_of(wildcards).sha256
    return {split: sums[f"{wildcards.key}/{wildcards.shard}/{split}.store"] for split in pretrained_stores(wildcards)}
