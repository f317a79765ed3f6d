"""Pretraining: causal, masked and translation language modeling (paper, sections 3.2 to 3.4)."""


rule pretrain:
    """One model; killed, it goes on where it was. A run without objectives is a model with random weights."""
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
    message:
        "Pretraining {wildcards.run}, seed {wildcards.seed}"
    params:
        languages=CONFIG.languages,
        pairs=pairs_of,
        objectives=objectives_of,
        model=plain(CONFIG.model),
        pretraining=plain(CONFIG.pretraining),
        save_minutes=CONFIG.save_minutes,
        work=work("pretrain/{run}.{seed}"),
        code=code("xlm_core.tasks.pretraining"),
    threads: 1
    retries: 2
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=4000,
        runtime=1440,
    conda:
        "../envs/torch.yaml"
    script:
        "../workflow_scripts/pretrain.py"
