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
        source=lambda wildcards: PATHS.downloads[wildcards.location]._asdict(),
        record=work("downloads/{location}.json"),
    message:
        "Downloading {wildcards.location}"
    script:
        "../workflow_scripts/download.py"


rule check_sources:
    """Whether every address of the configuration answers, asked for headers alone, and with the size that is known."""
    log:
        "<logs>/check_sources.log",
    localrule: True
    conda:
        "../envs/text.yaml"
    params:
        sources={
            work(f"downloads/{location}.json"): download._asdict() for location, download in PATHS.downloads.items()
        },
    message:
        f"Asking for {len(PATHS.downloads)} files"
    script:
        "../workflow_scripts/check_sources.py"


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
