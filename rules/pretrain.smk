"""Pretraining: causal, masked and translation language modeling (paper, sections 3.2 to 3.4)."""


rule initialize:
    """A model with random weights: the baseline without pretraining."""
    input:
        vocabulary=f"<results>/bpe/{VOCABULARY}/vocabulary.json",
    output:
        model="<results>/runs/{run}/{seed}/model.safetensors",
    log:
        "<logs>/initialize/{run}.{seed}.log",
    wildcard_constraints:
        run=one_of(run for run in CONFIG.runs if not CONFIG.runs[run].objectives),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        languages=CONFIG.languages,
        model=model_of,
        code=code("xlm_core.tasks.pretraining"),
    message:
        "Initializing {wildcards.run}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/initialize.py"


rule pretrain:
    """One model; killed, it goes on where it was."""
    input:
        unpack(pretraining_stores),
        vocabulary=f"<results>/bpe/{VOCABULARY}/vocabulary.json",
    output:
        model="<results>/runs/{run}/{seed}/model.safetensors",
        history="<results>/runs/{run}/{seed}/history.jsonl",
    log:
        "<logs>/pretrain/{run}.{seed}.log",
    benchmark:
        "<benchmarks>/pretrain/{run}.{seed}.tsv"
    wildcard_constraints:
        run=one_of(run for run in CONFIG.runs if CONFIG.runs[run].objectives),
    priority: -1  # after the text, so that of all trainings the longest can begin first
    retries: 2
    conda:
        "../envs/torch.yaml"
    threads: PROCESSES
    resources:
        **SEVERAL_NODES,
        gpu=GPUS,
        # of one machine; 100 million pairs take 6 GB of each process, CUDA and a checkpoint some more (docs/scaling.md)
        mem_mb=PROCESSES * (12000 if GPUS else 4000),
        runtime=1440,
    params:
        languages=CONFIG.languages,
        pairs=pairs_of,
        objectives=objectives_of,
        model=model_of,
        pretraining=plain(CONFIG.pretraining),
        precision=CONFIG.compute.precision,
        work=work("pretrain/{run}.{seed}"),
        code=code("xlm_core.tasks.pretraining"),
    message:
        "Pretraining {wildcards.run}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain.py"
