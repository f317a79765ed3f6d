"""Raw files: downloaded from their publishers, or generated."""


rule download:
    """Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""
    output:
        file="<results>/raw/web/{place}",
    log:
        "<logs>/download/{place}.log",
    retries: 3
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=500,
        runtime=720,
    params:
        url=url_of,
        sha256=sha256_of,
        n_bytes=n_bytes_of,
        licence=licence_of,
        record=work("downloads/{place}.json"),
    message:
        "Downloading {wildcards.place}"
    script:
        "../workflow_scripts/download.py"


if CONFIG.microworld:

    rule generate_microworld:
        """Generate the embedded small world: text in real languages, translations, test sets and pairs to classify."""
        output:
            microworld_files(),
        log:
            "<logs>/generate_microworld.log",
        conda:
            "../envs/text.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            world=plain(CONFIG.microworld),
            languages=CONFIG.languages,
            code=code("microworld"),
        message:
            "Generating the microworld"
        script:
            "../workflow_scripts/generate_microworld.py"
