"""Memory-mapped token ids, split into train, valid and test by a hash of the line."""


rule build_store:
    """One shard of a corpus as token ids."""
    input:
        tokens=lambda wildcards: PATHS.tokens(wildcards.vocabulary, wildcards.corpus, wildcards.key, wildcards.shard),
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        train="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/train.store",
        valid="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/valid.store",
        test="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/test.store",
        statistics="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/statistics.json",
    log:
        "<logs>/build_store/{vocabulary}/{corpus}/{key}/{shard}.log",
    benchmark:
        "<benchmarks>/build_store/{vocabulary}/{corpus}/{key}/{shard}.tsv"
    wildcard_constraints:
        corpus=one_of(name for name, corpus in CONFIG.corpora.items() if corpus.format != "store"),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=720,
    params:
        languages=lambda wildcards: sides(wildcards.key),
        stored=lambda wildcards: [
            language for language in sides(wildcards.key) if language in CONFIG.setup(wildcards.vocabulary).languages
        ],
        fractions=lambda wildcards: split_params(wildcards.vocabulary),
        code=code("workflow_scripts.build_store"),
    message:
        "Storing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/build_store.py"


rule import_store:
    """One shard of a corpus that comes as token ids."""
    input:
        unpack(lambda wildcards: CONFIG.corpora[wildcards.corpus].store_paths(wildcards.key, wildcards.shard)),
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        train="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/train.store",
        valid="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/valid.store",
        test="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/test.store",
        statistics="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/statistics.json",
    log:
        "<logs>/import_store/{vocabulary}/{corpus}/{key}/{shard}.log",
    wildcard_constraints:
        corpus=one_of(name for name, corpus in CONFIG.corpora.items() if corpus.format == "store"),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        artefact="store",
        sha256=lambda wildcards: CONFIG.corpora[wildcards.corpus].store_sums(wildcards.key, wildcards.shard),
        code=code("workflow_scripts.import_data.import_store"),
    message:
        "Importing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/import_data.py"


XNLI_STORE_PARAMS = {
    "dataset": "xnli",
    "labels": CONFIG.xnli.labels,
    "n_sentences": 2,
    "text": lambda wildcards: normalization_params(wildcards.vocabulary),
    "code": code("workflow_scripts.build_labelled_store.build_xnli"),
}


rule build_xnli_store:
    """A training set of XNLI, extracted, tokenized and encoded. Stores are files: a folder has no content to compare."""
    input:
        archive=PATHS.files("xnli.training")[0],
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        xnli_files("<results>/store/{vocabulary}/xnli", ["train.{language}"]),
    log:
        "<logs>/build_xnli_store/{vocabulary}/{language}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=120,
    params:
        **XNLI_STORE_PARAMS,
        parts=lambda wildcards: xnli_parts([("train", wildcards.language)]),
    message:
        "Storing XNLI (training, {wildcards.language})"
    script:
        "../workflow_scripts/build_labelled_store.py"


use rule build_xnli_store as build_xnli_evaluation_store with:
    """The validation and the test set of a language."""
    input:
        archive=PATHS.files("xnli.evaluation")[0],
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        xnli_files("<results>/store/{vocabulary}/xnli", ["valid.{language}", "test.{language}"]),
    log:
        "<logs>/build_xnli_evaluation_store/{vocabulary}/{language}.log",
    params:
        **XNLI_STORE_PARAMS,
        parts=lambda wildcards: xnli_parts([("valid", wildcards.language), ("test", wildcards.language)]),
    message:
        "Storing XNLI (evaluation, {wildcards.language})"


if CONFIG.xnli.translate_test:

    use rule build_xnli_store as build_xnli_translated_store with:
        """The test sets that were translated to the training language."""
        output:
            xnli_files(
                "<results>/store/{vocabulary}/xnli", [f"translated.{other}" for other in sorted(CONFIG.xnli.others)]
            ),
        log:
            "<logs>/build_xnli_translated_store/{vocabulary}.log",
        params:
            **XNLI_STORE_PARAMS,
            parts=xnli_parts([("translated", language) for language in sorted(CONFIG.xnli.others)]),
        message:
            "Storing XNLI (translated test sets)"
