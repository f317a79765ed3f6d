"""Normalized, tokenized text, lower-cased and without accents where the configuration says so."""


rule mark_duplicates:
    """Which records of a corpus are the same as an earlier one, in whatever shard. Three passes, on disk."""
    input:
        expand("<results>/text/{{corpus}}/{{key}}/{shard}.tsv", shard=SHARDS),
    output:
        expand("<results>/text/{{corpus}}/{{key}}/{shard}.repeated", shard=SHARDS),
    log:
        "<logs>/mark_duplicates/{corpus}/{key}.log",
    benchmark:
        "<benchmarks>/mark_duplicates/{corpus}/{key}.tsv"
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=720,
    params:
        code=code("workflow_scripts.mark_duplicates"),
    message:
        "Looking for duplicates in {wildcards.corpus} ({wildcards.key})"
    script:
        "../workflow_scripts/mark_duplicates.py"


rule tokenize:
    """One shard of a corpus; what the section text of the configuration does not let through is dropped and counted."""
    input:
        records="<results>/text/{corpus}/{key}/{shard}.tsv",
        repeated=lambda wildcards: PATHS.duplicates(**wildcards),
    output:
        tokens="<results>/tokens/{text}/{corpus}/{key}/{shard}.tsv",
        statistics="<results>/tokens/{text}/{corpus}/{key}/{shard}.statistics.json",
    log:
        "<logs>/tokenize/{text}/{corpus}/{key}/{shard}.log",
    benchmark:
        "<benchmarks>/tokenize/{text}/{corpus}/{key}/{shard}.tsv"
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=720,
    params:
        languages=lambda wildcards: sides(wildcards.key),
        n_fields=lambda wildcards: len(sides(wildcards.key)),
        text=lambda wildcards: tokenization_params(wildcards.text),
        already_tokenized=lambda wildcards: CONFIG.corpora[wildcards.corpus].tokenized,
        keep_all=lambda wildcards: CONFIG.corpora[wildcards.corpus].eval_only,
        code=code("workflow_scripts.tokenize"),
    message:
        "Tokenizing {wildcards.corpus} ({wildcards.key}), shard {wildcards.shard}"
    script:
        "../workflow_scripts/tokenize.py"
