"""Vocabularies: what they are learned on, and what they encode."""

from xlm_core.languages import sides


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
    return vocabulary_config(wildcards).language_sampling_alpha


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
