"""Byte-pair encoding, learned on a smoothed sample of all languages, or of each alone."""


rule sample_bpe_text:
    """Lines to learn the encoding on: languages are drawn by their smoothed shares (paper, section 3.1)."""
    input:
        unpack(tokens_to_sample),
    output:
        sample="<results>/bpe/{vocabulary}/{langset}.txt",
        statistics="<results>/bpe/{vocabulary}/{langset}.statistics.json",
    log:
        "<logs>/sample_bpe_text/{vocabulary}/{langset}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=doubled(1000),
        runtime=720,
    params:
        alpha=alpha_of_sample,
        n_lines=lines_of_sample,
        shares=split_shares,
        code=code("xlm_core.text.bpe"),
    message:
        "Sampling text for byte-pair encoding ({wildcards.vocabulary}, {wildcards.langset})"
    script:
        "../workflow_scripts/sample_bpe_text.py"


rule learn_bpe:
    """Merges of frequent pieces (sentencepiece)."""
    input:
        "<results>/bpe/{vocabulary}/{langset}.txt",
    output:
        model="<results>/bpe/{vocabulary}/{langset}.model",
        job="<results>/bpe/{vocabulary}/{langset}.job.json",
    log:
        "<logs>/learn_bpe/{vocabulary}/{langset}.log",
    benchmark:
        "<benchmarks>/learn_bpe/{vocabulary}/{langset}.tsv"
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=doubled(memory_to_learn),
        runtime=1440,
    params:
        size=bpe_size,
        character_coverage=coverage_of,
        attempts=work("jobs/learn_bpe/{vocabulary}.{langset}.json"),
        code=code("xlm_core.text.bpe"),
    message:
        "Learning byte-pair encoding ({wildcards.vocabulary}, {wildcards.langset})"
    script:
        "../workflow_scripts/learn_bpe.py"


rule build_vocabulary:
    """Pieces, their counts and ids: one file that can encode text."""
    input:
        unpack(vocabulary_parts),
    output:
        "<results>/bpe/{vocabulary}/vocabulary.json",
    log:
        "<logs>/build_vocabulary/{vocabulary}.log",
    wildcard_constraints:
        vocabulary=vocabularies(pretrained=False),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=doubled(1000),
        runtime=120,
    params:
        languages=vocabulary_languages,
        code=code("xlm_core.text.vocabulary"),
    message:
        "Building the vocabulary ({wildcards.vocabulary})"
    script:
        "../workflow_scripts/build_vocabulary.py"


rule import_vocabulary:
    """A pretrained vocabulary instead of a learned one."""
    input:
        pretrained_vocabulary_files,
    output:
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
        origin="<results>/bpe/{vocabulary}/origin.json",
    log:
        "<logs>/import_vocabulary/{vocabulary}.log",
    wildcard_constraints:
        vocabulary=vocabularies(pretrained=True),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        pretrained=pretrained_vocabulary,
        size=lambda wildcards: vocabulary_config(wildcards).size,
        languages=vocabulary_languages,
        code=code("xlm_core.interop.pretrained"),
    message:
        "Importing the vocabulary ({wildcards.vocabulary})"
    script:
        "../workflow_scripts/import_vocabulary.py"
