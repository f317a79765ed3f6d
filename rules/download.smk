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


for COLLECTION, FILES in PATHS.generated_files.items():

    rule:
        name:
            f"generate_{COLLECTION}"
        output:
            FILES,
        log:
            f"<logs>/generate_microworld/{COLLECTION}.log",
        conda:
            "../envs/text.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            collection=COLLECTION,
            world=CONFIG.microworld.params(COLLECTION),
            languages=CONFIG.languages if COLLECTION == "xnli" else [],
            code=code(f"microworld.corpora.write_{COLLECTION}"),
        message:
            f"Generating the microworld ({COLLECTION})"
        script:
            "../workflow_scripts/generate_microworld.py"
