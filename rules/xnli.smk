"""Cross-lingual classification (paper, section 4.1) and the alignment of sentences behind it."""


rule finetune_xnli:
    """Fine-tune one encoder on the pairs that a protocol trains on; zero-shot: on the pairs of one language alone."""
    input:
        examples=lambda wildcards: [path for stores in xnli_stores(wildcards).values() for path in stores.values()],
        encoder="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
    output:
        model="<results>/runs/{setup}/{run}/{seed}/xnli/{protocol}/{finetuning_seed}/model.safetensors",
        selected="<results>/runs/{setup}/{run}/{seed}/xnli/{protocol}/{finetuning_seed}/selected.json",
        history="<results>/runs/{setup}/{run}/{seed}/xnli/{protocol}/{finetuning_seed}/history.jsonl",
        job="<results>/runs/{setup}/{run}/{seed}/xnli/{protocol}/{finetuning_seed}/job.json",
    log:
        "<logs>/finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.log",
    benchmark:
        "<benchmarks>/finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.tsv"
    priority: -2  # after pretraining, which takes longer: what takes long is not to begin last
    retries: CONFIG.compute.retries
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=memory_of_models(4),
        runtime=1440,
    params:
        dataset="xnli",
        stores=xnli_stores,
        classes=CONFIG.xnli.labels,
        finetuning=params_of(CONFIG.xnli.finetuning),
        n_train=lambda wildcards: PATHS.protocols[wildcards.protocol].n_train,
        precision=CONFIG.compute.precision,
        work=work("finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}"),
        attempts=work("jobs/finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.json"),
        code=code("workflow_scripts.finetune.finetune_xnli"),
    message:
        "Fine-tuning {wildcards.run} ({wildcards.setup}) on XNLI ({wildcards.protocol}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/finetune.py"


rule score_xnli:
    """Accuracy of one pretrained model by all protocols of its rows; zero-shot, which classes were taken for which."""
    input:
        models=lambda wildcards: [test["model"] for test in PATHS.xnli_tests(**wildcards)],
        selected=lambda wildcards: [test["selected"] for test in PATHS.xnli_tests(**wildcards) if test["selected"]],
        examples=lambda wildcards: list(
            dict.fromkeys(path for test in PATHS.xnli_tests(**wildcards) for path in test["test"].values())
        ),
    output:
        results="<results>/results/xnli/{setup}.{run}.{seed}.{finetuning_seed}.jsonl",
        confusion="<results>/results/xnli/{setup}.{run}.{seed}.{finetuning_seed}.confusion.json",
        statistics="<results>/results/xnli/{setup}.{run}.{seed}.{finetuning_seed}.statistics.json",
        job="<results>/results/xnli/{setup}.{run}.{seed}.{finetuning_seed}.job.json",
    log:
        "<logs>/score_xnli/{setup}.{run}.{seed}.{finetuning_seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2)),
        runtime=240,
    params:
        tests=lambda wildcards: PATHS.xnli_tests(**wildcards),
        cell=lambda wildcards: {
            "table": "xnli",
            "system": configuration.SystemConfig(setup=wildcards.setup, run=wildcards.run).name,
            "setting": "",
        },
        classes=CONFIG.xnli.labels,
        setting_selected=configuration.SETTINGS["selected_per_language"],
        attempts=work("jobs/score_xnli/{setup}.{run}.{seed}.{finetuning_seed}.json"),
        code=code("workflow_scripts.score_xnli"),
    message:
        "Scoring {wildcards.run} ({wildcards.setup}) on XNLI, seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/score_xnli.py"


rule score_retrieval:
    """How often a sentence's nearest neighbor in another language is its translation, by mean-pooled states."""
    input:
        models=lambda wildcards: [system["model"] for system in PATHS.retrieved(wildcards.seed).values()],
        examples=lambda wildcards: list(
            dict.fromkeys(
                path for system in PATHS.retrieved(wildcards.seed).values() for path in system["test"].values()
            )
        ),
    output:
        results="<results>/results/retrieval/{seed}.jsonl",
        job="<results>/results/retrieval/{seed}.job.json",
    log:
        "<logs>/score_retrieval/{seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2, [row.setup for row in CONFIG.xnli.runs])),
        runtime=240,
    params:
        systems=lambda wildcards: PATHS.retrieved(wildcards.seed),
        n_sentences=CONFIG.retrieval.n_sentences,
        layer=CONFIG.retrieval.layer,
        pivot=CONFIG.xnli.pivot,
        cell={"table": "retrieval", "system": "", "setting": ""},
        attempts=work("jobs/score_retrieval/{seed}.json"),
        code=code("workflow_scripts.score_retrieval"),
    message:
        "Scoring sentence retrieval, seed {wildcards.seed}"
    script:
        "../workflow_scripts/score_retrieval.py"
