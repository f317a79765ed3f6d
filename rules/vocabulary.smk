"""Byte-pair encoding, learned on a smoothed sample of all languages, or of each alone."""


rule sample_bpe_text:
    """Lines to learn the encoding on: languages are drawn by their smoothed shares (paper, section 3.1)."""
    input:
        unpack(lambda wildcards: PATHS.monolingual_tokens(wildcards.vocabulary, PATHS.bpe_languages(**wildcards))),
    output:
        sample="<results>/bpe/{vocabulary}/{langset}.txt",
        statistics="<results>/bpe/{vocabulary}/{langset}.statistics.json",
    log:
        "<logs>/sample_bpe_text/{vocabulary}/{langset}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=720,
    params:
        alpha=lambda wildcards: CONFIG.setup(wildcards.vocabulary).vocabulary.language_sampling_alpha,
        n_lines=lambda wildcards: CONFIG.setup(wildcards.vocabulary).vocabulary.sample_lines,
        corpus_keys=lambda wildcards: PATHS.monolingual_keys(wildcards.vocabulary, PATHS.bpe_languages(**wildcards)),
        fractions=lambda wildcards: split_params(wildcards.vocabulary),
        code=code("workflow_scripts.sample_bpe_text"),
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
        # sentencepiece holds its sample, then 600 bytes for each different word, of two or three a line
        mem_mb=retry_memory(lambda wildcards: 1000 + CONFIG.setup(wildcards.vocabulary).vocabulary.sample_lines // 500),
        runtime=1440,
    params:
        size=lambda wildcards: CONFIG.setup(wildcards.vocabulary).vocabulary.size
        // len(set(PATHS.langsets(wildcards.vocabulary).values())),
        character_coverage=lambda wildcards: CONFIG.setup(wildcards.vocabulary).vocabulary.character_coverage,
        attempts=work("jobs/learn_bpe/{vocabulary}.{langset}.json"),
        code=code("workflow_scripts.learn_bpe"),
    message:
        "Learning byte-pair encoding ({wildcards.vocabulary}, {wildcards.langset})"
    script:
        "../workflow_scripts/learn_bpe.py"


rule build_vocabulary:
    """Pieces, their counts and ids: one file that can encode text."""
    input:
        unpack(lambda wildcards: PATHS.bpe_models(wildcards.vocabulary)),
    output:
        "<results>/bpe/{vocabulary}/vocabulary.json",
    log:
        "<logs>/build_vocabulary/{vocabulary}.log",
    wildcard_constraints:
        vocabulary=one_of(name for name, setup in CONFIG.all_setups.items() if not setup.vocabulary.pretrained),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=retry_memory(1000),
        runtime=120,
    params:
        languages=lambda wildcards: CONFIG.setup(wildcards.vocabulary).languages,
        text=lambda wildcards: normalization_params(wildcards.vocabulary),
        code=code("workflow_scripts.build_vocabulary"),
    message:
        "Building the vocabulary ({wildcards.vocabulary})"
    script:
        "../workflow_scripts/build_vocabulary.py"


rule import_vocabulary:
    """A pretrained vocabulary instead of a learned one."""
    input:
        lambda wildcards: PATHS.pretrained(CONFIG.setup(wildcards.vocabulary).vocabulary.pretrained),
    output:
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
        origin="<results>/bpe/{vocabulary}/origin.json",
    log:
        "<logs>/import_vocabulary/{vocabulary}.log",
    wildcard_constraints:
        vocabulary=one_of(name for name, setup in CONFIG.all_setups.items() if setup.vocabulary.pretrained),
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        artefact="vocabulary",
        pretrained=lambda wildcards: params_of(CONFIG.setup(wildcards.vocabulary).vocabulary.pretrained),
        size=lambda wildcards: CONFIG.setup(wildcards.vocabulary).vocabulary.size,
        languages=lambda wildcards: CONFIG.setup(wildcards.vocabulary).languages,
        text=lambda wildcards: normalization_params(wildcards.vocabulary),
        code=code("workflow_scripts.import_data.import_vocabulary"),
    message:
        "Importing the vocabulary ({wildcards.vocabulary})"
    script:
        "../workflow_scripts/import_data.py"
