"""Raw files: downloaded from their publishers, or generated."""


rule download:
    """Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""
    output:
        file="<results>/raw/web/{location}",
    log:
        "<logs>/download/{location}.log",
    retries: 3
    localrule: True
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=500,
        runtime=720,
    params:
        url=lambda wildcards: PATHS.downloads[wildcards.location].url,
        sha256=lambda wildcards: PATHS.downloads[wildcards.location].sha256,
        n_bytes=lambda wildcards: PATHS.downloads[wildcards.location].n_bytes,
        licence=lambda wildcards: PATHS.downloads[wildcards.location].licence,
        record=work("downloads/{location}.json"),
    message:
        "Downloading {wildcards.location}"
    script:
        "../workflow_scripts/download.py"


if CONFIG.microworld:

    rule generate_microworld:
        """Generate the embedded small world: text in real languages, translations, test sets and pairs to classify."""
        output:
            PATHS.all_generated(),
        log:
            "<logs>/generate_microworld.log",
        conda:
            "../envs/text.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            world=params_of(CONFIG.microworld),
            languages=CONFIG.languages,
            code=code("workflow_scripts.generate_microworld"),
        message:
            "Generating the microworld"
        script:
            "../workflow_scripts/generate_microworld.py"
