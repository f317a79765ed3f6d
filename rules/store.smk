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
        code=code("xlm_core.data.token_store"),
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
        code=code("xlm_core.interop.pretrained"),
    message:
        "Importing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/import_data.py"


rule build_xnli_store:
    """Examples of XNLI, tokenized and encoded: a training set, the evaluation sets of a language, or the translated ones."""
    input:
        records=lambda wildcards: expand("<results>/text/xnli/{part}.tsv", part=XNLI_FOLDERS[wildcards.examples]),
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        store=directory("<results>/store/{vocabulary}/xnli/{examples}"),
    log:
        "<logs>/build_xnli_store/{vocabulary}/{examples}.log",
    wildcard_constraints:
        examples=one_of(XNLI_FOLDERS),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=120,
    params:
        source=f"{PATHS.results}/text/xnli",
        parts=lambda wildcards: {name: xnli_part(*part) for name, part in XNLI_FOLDERS[wildcards.examples].items()},
        n_sentences=2,
        text=lambda wildcards: normalization_params(wildcards.vocabulary),
        code=code("xlm_core.data.token_store", "xlm_core.text.tokenize"),
    message:
        "Storing XNLI ({wildcards.examples})"
    script:
        "../workflow_scripts/build_labelled_store.py"
