"""Cross-lingual classification (paper, section 4.1) and the alignment of sentences behind it."""


rule finetune_xnli:
    """Fine-tune one encoder on the pairs that a protocol trains on; zero-shot: on those of one language alone."""
    input:
        stores=lambda wildcards: [path for stores in xnli_stores(wildcards).values() for path in stores.values()],
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
        stores=xnli_stores,
        classes=CONFIG.xnli.labels,
        finetuning=params_of(CONFIG.xnli.finetuning),
        n_train=lambda wildcards: PATHS.protocols[wildcards.protocol].n_train,
        precision=CONFIG.compute.precision,
        work=work("finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}"),
        attempts=work("jobs/finetune_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.json"),
        code=code("xlm_core.tasks.classification.finetune"),
    message:
        "Fine-tuning {wildcards.run} ({wildcards.setup}) on XNLI ({wildcards.protocol}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/finetune.py"


rule score_xnli:
    """Accuracy on the test sets of a protocol, and which classes were taken for which."""
    input:
        unpack(lambda wildcards: PATHS.xnli_classifier(**wildcards)),
        test=lambda wildcards: PATHS.xnli_tests(wildcards.setup, wildcards.protocol),
    output:
        results="<results>/results/xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.jsonl",
        confusion="<results>/results/xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.confusion.json",
        statistics="<results>/results/xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.statistics.json",
        job="<results>/results/xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.job.json",
    log:
        "<logs>/score_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2)),
        runtime=120,
    params:
        languages=lambda wildcards: PATHS.xnli_tested(wildcards.setup, wildcards.protocol),
        cell=lambda wildcards: {
            "table": "xnli",
            "system": configuration.SystemConfig(setup=wildcards.setup, run=wildcards.run).name,
            "setting": configuration.SETTINGS[PATHS.protocols[wildcards.protocol].kind],
        },
        classes=CONFIG.xnli.labels,
        setting_selected=configuration.SETTINGS["selected_per_language"],
        attempts=work("jobs/score_xnli/{setup}.{run}.{seed}.{protocol}.{finetuning_seed}.json"),
        code=code("xlm_core.tasks.classification.evaluate"),
    message:
        "Scoring {wildcards.run} ({wildcards.setup}) on XNLI ({wildcards.protocol}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/score_xnli.py"


rule score_retrieval:
    """How often a sentence's nearest neighbor in another language is its translation, by mean-pooled states."""
    input:
        model="<results>/runs/base/{run}/{seed}/model.safetensors",
        test=[PATHS.xnli_store(BASE, "test", language) for language in CONFIG.xnli.languages],
    output:
        results="<results>/results/retrieval/{run}.{seed}.jsonl",
        job="<results>/results/retrieval/{run}.{seed}.job.json",
    log:
        "<logs>/score_retrieval/{run}.{seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2)),
        runtime=120,
    params:
        n_sentences=CONFIG.retrieval.n_sentences,
        layer=CONFIG.retrieval.layer,
        languages=CONFIG.xnli.languages,
        pivot=CONFIG.xnli.pivot,
        cell=lambda wildcards: {"table": "retrieval", "system": wildcards.run, "setting": ""},
        attempts=work("jobs/score_retrieval/{run}.{seed}.json"),
        code=code("xlm_core.tasks.retrieval"),
    message:
        "Scoring the sentence retrieval of {wildcards.run}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/score_retrieval.py"
