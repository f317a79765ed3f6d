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
    """One split of XNLI in one language as token ids and labels."""
    input:
        tokens=lambda wildcards: f"{PATHS.token_folder(wildcards.vocabulary)}/xnli/{wildcards.split}.{wildcards.language}.tsv",
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        store="<results>/store/{vocabulary}/xnli/{split}.{language}.store",
        statistics="<results>/store/{vocabulary}/xnli/{split}.{language}.statistics.json",
    log:
        "<logs>/build_xnli_store/{vocabulary}/{split}.{language}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=60,
    params:
        language=lambda wildcards: xnli_language(wildcards.split, wildcards.language),
        classes=CONFIG.xnli.labels,
        n_sentences=2,
        code=code("xlm_core.data.token_store"),
    message:
        "Storing XNLI ({wildcards.split}, {wildcards.language})"
    script:
        "../workflow_scripts/build_labelled_store.py"
