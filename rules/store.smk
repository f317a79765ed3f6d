"""Memory-mapped token ids, split into train, valid and test by a hash of the line."""


rule build_store:
    """One shard of a corpus as token ids."""
    input:
        tokens=tokens_to_store,
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
        corpus=corpora_of_stores(pretrained=False),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=doubled(1000),
        runtime=720,
    params:
        stored=stored_languages,
        shares=split_shares,
        code=code("xlm_core.data.token_store"),
    message:
        "Storing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/build_store.py"


rule import_store:
    """One shard of a corpus that comes as token ids."""
    input:
        unpack(pretrained_stores),
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        train="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/train.store",
        valid="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/valid.store",
        test="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/test.store",
        statistics="<results>/store/{vocabulary}/{corpus}/{key}/{shard}/statistics.json",
    log:
        "<logs>/import_store/{vocabulary}/{corpus}/{key}/{shard}.log",
    wildcard_constraints:
        corpus=corpora_of_stores(pretrained=True),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        sha256=sums_of_stores,
        code=code("xlm_core.interop.pretrained"),
    message:
        "Importing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/import_store.py"


rule build_xnli_store:
    """One split of XNLI in one language as token ids and labels."""
    input:
        tokens=xnli_tokens,
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        store="<results>/store/{vocabulary}/xnli/{split}.{language}.store",
        statistics="<results>/store/{vocabulary}/xnli/{split}.{language}.statistics.json",
    log:
        "<logs>/build_xnli_store/{vocabulary}/{split}.{language}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=doubled(1000),
        runtime=60,
    params:
        language=language_of_xnli,
        classes=CONFIG.xnli.labels,
        code=code("xlm_core.data.token_store"),
    message:
        "Storing XNLI ({wildcards.split}, {wildcards.language})"
    script:
        "../workflow_scripts/build_xnli_store.py"
