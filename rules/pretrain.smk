"""Pretraining: causal, masked and translation language modeling (paper, sections 3.2 to 3.4)."""


rule init_random_model:
    """A model with random weights: the baseline without pretraining."""
    input:
        vocabulary=vocabulary_of,
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/init_random_model/{setup}.{run}.{seed}.log",
    wildcard_constraints:
        run=runs_with(lambda run: not run.has_learned),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=memory_for_copies(2),
        runtime=30,
    params:
        languages=languages_of,
        model=model_of,
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("xlm_core.tasks.pretraining.train"),
    message:
        "Initializing {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/init_random_model.py"


rule pretrain:
    """One model; killed, it goes on where it was."""
    input:
        unpack(pretraining_stores),
        vocabulary=vocabulary_of,
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        history="<results>/runs/{setup}/{run}/{seed}/history.jsonl",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/pretrain/{setup}.{run}.{seed}.log",
    benchmark:
        "<benchmarks>/pretrain/{setup}.{run}.{seed}.tsv"
    wildcard_constraints:
        run=runs_with(lambda run: run.objectives and run.objectives != ["skipgram"]),
    priority: -1  # after the text, so that of all trainings the longest can begin first
    retries: CONFIG.compute.retries
    conda:
        "../envs/torch.yaml"
    threads: PROCESSES
    resources:
        **HARDWARE,
        # of one machine; 100 million pairs take 6 GB of each process, CUDA and a checkpoint some more (docs/scaling.md)
        mem_mb=PROCESSES * (12000 if GPUS else 4000),
        runtime=1440,
    params:
        languages=languages_of,
        pairs=pairs_of,
        objectives=objectives_of,
        model=model_of,
        pretraining=pretraining_of,
        precision=CONFIG.compute.precision,
        work=work("pretrain/{setup}.{run}.{seed}"),
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("xlm_core.tasks.pretraining.train"),
    message:
        "Pretraining {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain.py"


rule train_subword_vectors:
    """Skip-gram vectors of the pieces of all languages, in a model whose other weights are random: EMB of Table 2."""
    input:
        unpack(training_text),
        vocabulary=vocabulary_of,
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/train_subword_vectors/{setup}.{run}.{seed}.log",
    benchmark:
        "<benchmarks>/train_subword_vectors/{setup}.{run}.{seed}.tsv"
    wildcard_constraints:
        run=runs_with(lambda run: run.objectives == ["skipgram"]),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=doubled(4000),
        runtime=2880,
    params:
        languages=languages_of,
        model=model_of,
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("xlm_core.tasks.word_embeddings.skipgram"),
    message:
        "Training vectors for {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/train_subword_vectors.py"


rule import_model:
    """A given model instead of a trained one."""
    input:
        files=pretrained_model_files,
        vocabulary=vocabulary_of,
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
    log:
        "<logs>/import_model/{setup}.{run}.{seed}.log",
    wildcard_constraints:
        run=runs_with(lambda run: run.pretrained),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        pretrained=pretrained_model,
        languages=languages_of,
        model=model_of,
        code=code("xlm_core.interop.convert"),
    message:
        "Importing {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/import_model.py"
