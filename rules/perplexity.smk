"""Perplexity of one language, by the languages that its model learned from (paper, section 5.3 and Table 4)."""


rule score_perplexity:
    """The perplexity of a causal language model on held-out text, per word, per piece, and in bits per byte."""
    input:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        vocabulary=lambda wildcards: PATHS.vocabulary(wildcards.setup),
        test=lambda wildcards: PATHS.monolingual_stores(wildcards.setup, CONFIG.perplexity.language, "test"),
    output:
        results="<results>/results/perplexity/{setup}.{run}.{seed}.jsonl",
        statistics="<results>/results/perplexity/{setup}.{run}.{seed}.statistics.json",
        job="<results>/results/perplexity/{setup}.{run}.{seed}.job.json",
    log:
        "<logs>/score_perplexity/{setup}.{run}.{seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2)),
        runtime=240,
    params:
        language=lambda wildcards: CONFIG.perplexity.language,
        seq_len=lambda wildcards: CONFIG.setup(wildcards.setup).pretraining.seq_len,
        cell=lambda wildcards: {"table": "perplexity", "system": wildcards.setup, "setting": wildcards.run},
        attempts=work("jobs/score_perplexity/{setup}.{run}.{seed}.json"),
        code=code("workflow_scripts.score_perplexity"),
    message:
        "Measuring the perplexity of {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/score_perplexity.py"


use rule make_ablation_table as make_perplexity_table with:
    """Perplexity of one language, by the languages its model learned from, beside the published numbers."""
    input:
        results=PATHS.perplexity_results(),
        filter_statistics=filter_statistics(PATHS, "perplexity"),
    output:
        **table_outputs("perplexity", "Perplexity"),
    log:
        "<logs>/make_perplexity_table.log",
    localrule: True
    params:
        table=describe("perplexity", CONFIG),
    message:
        "Making the perplexity table"
