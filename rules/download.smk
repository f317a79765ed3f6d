"""Raw files: downloaded from their publishers, or generated."""


rule download:
    """Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""
    output:
        file="<results>/raw/{corpus}/{key}/{file}",
    log:
        "<logs>/download/{corpus}/{key}/{file}.log",
    wildcard_constraints:
        key=r"[a-z]{2,3}(-[a-z]{2,3})?|evaluation|training",
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
        record=work("downloads/{corpus}/{key}/{file}.json"),
    message:
        "Downloading {wildcards.file} of {wildcards.corpus} ({wildcards.key})"
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
        conda:
            "../envs/text.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            world=plain(CONFIG.microworld),
            languages=CONFIG.languages,
            code=code("xlm_core.microworld"),
        message:
            "Generating the microworld"
        script:
            "../workflow_scripts/make_microworld.py"
