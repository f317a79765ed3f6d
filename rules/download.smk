"""Raw files: downloaded from their publishers, or generated."""


rule download:
    """Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""
    output:
        file="<results>/raw/{corpus}/{key}/{file}",
    log:
        "<logs>/download/{corpus}/{key}/{file}.log",
    message:
        "Downloading {wildcards.file} of {wildcards.corpus} ({wildcards.key})"
    wildcard_constraints:
        key=r"[a-z]{2,3}(-[a-z]{2,3})?|evaluation|training",
    params:
        url=url_of,
        sha256=sha256_of,
        n_bytes=n_bytes_of,
        licence=licence_of,
        record=work("downloads/{corpus}/{key}/{file}.json"),
    resources:
        mem_mb=500,
        runtime=720,
    retries: 3
    conda:
        "../envs/text.yaml"
    script:
        "../workflow_scripts/download.py"


if CONFIG.microworld:

    rule make_microworld:
        """Generate the embedded small world: text in real languages, translations, and pairs to classify."""
        output:
            **{
                key.replace("-", "_"): microworld_file(key)
                for key in (*CONFIG.microworld.sentences, *CONFIG.microworld.pairs, "evaluation", "training")
            },
        log:
            "<logs>/make_microworld.log",
        message:
            "Generating the microworld"
        params:
            world=plain(CONFIG.microworld),
            languages=CONFIG.languages,
            code=code("xlm_core.microworld"),
        resources:
            mem_mb=1000,
            runtime=30,
        conda:
            "../envs/text.yaml"
        script:
            "../workflow_scripts/make_microworld.py"
