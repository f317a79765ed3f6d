"""Cross-lingual classification (paper, section 4.1) and the alignment of sentences behind it."""


rule finetune_xnli:
    """Fine-tune one encoder on English pairs; zero-shot: it sees no label of another language."""
    input:
        encoder="<results>/runs/{run}/{seed}/model.safetensors",
        train=xnli_stores("train", [CONFIG.xnli.train_language]),
        valid=xnli_stores("valid", CONFIG.xnli.languages),
    output:
        model="<results>/runs/{run}/{seed}/xnli/{finetuning_seed}/model.safetensors",
        history="<results>/runs/{run}/{seed}/xnli/{finetuning_seed}/history.jsonl",
    log:
        "<logs>/finetune_xnli/{run}.{seed}.{finetuning_seed}.log",
    benchmark:
        "<benchmarks>/finetune_xnli/{run}.{seed}.{finetuning_seed}.tsv"
    retries: 2
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=4000,
        runtime=1440,
    params:
        language=CONFIG.xnli.train_language,
        languages=CONFIG.xnli.languages,
        finetuning=plain(CONFIG.xnli.finetuning),
        n_train=CONFIG.xnli.n_train,
        precision=CONFIG.compute.precision,
        work=work("finetune_xnli/{run}.{seed}.{finetuning_seed}"),
        code=code("xlm_core.tasks.xnli"),
    message:
        "Fine-tuning {wildcards.run} on XNLI, seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/finetune_xnli.py"


rule score_xnli:
    """Accuracy on the test set of every language."""
    input:
        model="<results>/runs/{run}/{seed}/xnli/{finetuning_seed}/model.safetensors",
        test=xnli_stores("test", CONFIG.xnli.languages),
    output:
        "<results>/results/xnli/{run}.{seed}.{finetuning_seed}.jsonl",
    log:
        "<logs>/score_xnli/{run}.{seed}.{finetuning_seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=4000,
        runtime=120,
    params:
        languages=CONFIG.xnli.languages,
        code=code("xlm_core.tasks.xnli"),
    message:
        "Scoring {wildcards.run} on XNLI, seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/score_xnli.py"


rule score_retrieval:
    """How often a sentence's nearest neighbor in another language is its translation, by mean-pooled states."""
    input:
        model="<results>/runs/{run}/{seed}/model.safetensors",
        test=xnli_stores("test", CONFIG.xnli.languages),
    output:
        "<results>/results/retrieval/{run}.{seed}.jsonl",
    log:
        "<logs>/score_retrieval/{run}.{seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=4000,
        runtime=120,
    params:
        n_sentences=CONFIG.retrieval.n_sentences,
        languages=CONFIG.xnli.languages,
        pivot=CONFIG.xnli.train_language,
        code=code("xlm_core.tasks.retrieval"),
    message:
        "Scoring the sentence retrieval of {wildcards.run}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/score_retrieval.py"
