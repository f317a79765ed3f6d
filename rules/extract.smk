"""Plain records out of the publishers' formats."""


rule extract:
    """Sentences or paragraphs of one language, or sentence pairs, out of a dump, an archive or plain files."""
    input:
        lambda wildcards: PATHS.files(f"corpora.{wildcards.corpus}", wildcards.key),
    output:
        shards=expand("<results>/text/{{corpus}}/{{key}}/{shard}.tsv", shard=SHARDS),
        statistics="<results>/text/{corpus}/{key}/statistics.json",
    log:
        "<logs>/extract/{corpus}/{key}.log",
    benchmark:
        "<benchmarks>/extract/{corpus}/{key}.tsv"
    wildcard_constraints:
        corpus=one_of(name for name, corpus in CONFIG.corpora.items() if not corpus.eval_only),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=1440,
    params:
        source="corpus",
        format=lambda wildcards: CONFIG.corpora[wildcards.corpus].format,
        settings=extraction_settings,
        code=code("workflow_scripts.extract.extract_corpus"),
    message:
        "Extracting {wildcards.corpus} ({wildcards.key})"
    script:
        "../workflow_scripts/extract.py"


rule extract_test_set:
    """A validation or test set, in one file, for nothing but its order tells which line translates which."""
    input:
        lambda wildcards: PATHS.files(f"corpora.{wildcards.corpus}", wildcards.key),
    output:
        shards=["<results>/text/{corpus}/{key}/0.tsv"],
        statistics="<results>/text/{corpus}/{key}/statistics.json",
    log:
        "<logs>/extract_test_set/{corpus}/{key}.log",
    wildcard_constraints:
        corpus=one_of(name for name, corpus in CONFIG.corpora.items() if corpus.eval_only),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=60,
    params:
        source="corpus",
        format=lambda wildcards: CONFIG.corpora[wildcards.corpus].format,
        settings=extraction_settings,
        code=code("workflow_scripts.extract.extract_corpus"),
    message:
        "Extracting the test set {wildcards.corpus} ({wildcards.key})"
    script:
        "../workflow_scripts/extract.py"
