"""Pretraining: causal, masked and translation language modeling (paper, sections 3.2 to 3.4)."""


rule init_random_model:
    """A model with random weights: the baseline without pretraining."""
    input:
        vocabulary=lambda wildcards: PATHS.vocabulary(wildcards.setup),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/init_random_model/{setup}.{run}.{seed}.log",
    wildcard_constraints:
        run=one_of(name for name, run in CONFIG.runs.items() if not run.has_learned),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=memory_of_models(2),
        runtime=30,
    params:
        languages=lambda wildcards: CONFIG.setup(wildcards.setup).languages,
        model=lambda wildcards: params_of(CONFIG.model_of(wildcards.setup, wildcards.run)),
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("workflow_scripts.init_random_model"),
    message:
        "Initializing {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/init_random_model.py"


rule pretrain:
    """One model; killed, or with more updates than it had, it goes on where it was."""
    input:
        unpack(
            lambda wildcards: PATHS.setup_stores(wildcards.setup, PATHS.pairs_of_run(wildcards.setup, wildcards.run))
        ),
        vocabulary=lambda wildcards: PATHS.vocabulary(wildcards.setup),
        init=lambda wildcards: PATHS.initial_model(wildcards.setup, wildcards.run, wildcards.seed),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        history="<results>/runs/{setup}/{run}/{seed}/history.jsonl",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/pretrain/{setup}.{run}.{seed}.log",
    benchmark:
        "<benchmarks>/pretrain/{setup}.{run}.{seed}.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in CONFIG.runs.items() if {"clm", "mlm", "tlm"} & set(run.objectives)),
    priority: -1  # after the text, so that the longest training can begin first
    retries: CONFIG.compute.retries
    conda:
        "../envs/torch.yaml"
    threads: PROCESSES
    resources:
        **HARDWARE,
        # of one machine; 100 million pairs take 6 GB of each process, CUDA and a checkpoint some more (docs/scaling.md)
        mem_mb=lambda wildcards: PROCESSES * (12000 if GPUS else memory_of_models(4)(wildcards)),
        runtime=1440,
    params:
        languages=lambda wildcards: CONFIG.setup(wildcards.setup).languages,
        pairs=lambda wildcards: PATHS.pairs_of_run(wildcards.setup, wildcards.run),
        objectives=lambda wildcards: CONFIG.runs[wildcards.run].objectives,
        model=lambda wildcards: params_of(CONFIG.model_of(wildcards.setup, wildcards.run)),
        pretraining=lambda wildcards: params_of(CONFIG.setup(wildcards.setup).pretraining),
        precision=CONFIG.compute.precision,
        work=work("pretrain/{setup}.{run}.{seed}"),
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("workflow_scripts.pretrain"),
    message:
        "Pretraining {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain.py"


rule train_subword_vectors:
    """Skip-gram vectors of the pieces of all languages, in a model whose other weights are random: EMB of Table 2."""
    input:
        unpack(
            lambda wildcards: {
                language: PATHS.monolingual_stores(wildcards.setup, language)
                for language in CONFIG.setup(wildcards.setup).languages
            }
        ),
        vocabulary=lambda wildcards: PATHS.vocabulary(wildcards.setup),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        job="<results>/runs/{setup}/{run}/{seed}/job.json",
    log:
        "<logs>/train_subword_vectors/{setup}.{run}.{seed}.log",
    benchmark:
        "<benchmarks>/train_subword_vectors/{setup}.{run}.{seed}.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in CONFIG.runs.items() if run.objectives == ["skipgram"]),
    conda:
        "../envs/torch.yaml"
    threads: lambda wildcards: CONFIG.setup(wildcards.setup).skipgram.threads
    resources:
        mem_mb=retry_memory(4000),
        runtime=2880,
    params:
        unit="pieces",
        languages=lambda wildcards: CONFIG.setup(wildcards.setup).languages,
        model=lambda wildcards: params_of(CONFIG.model_of(wildcards.setup, wildcards.run)),
        skipgram=lambda wildcards: params_of(CONFIG.setup(wildcards.setup).skipgram, "threads"),
        attempts=work("jobs/pretrain/{setup}.{run}.{seed}.json"),
        code=code("workflow_scripts.train_word_vectors.train_subword_vectors"),
    message:
        "Training vectors for {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/train_word_vectors.py"


rule import_model:
    """A given model instead of a trained one."""
    input:
        files=lambda wildcards: PATHS.pretrained(CONFIG.runs[wildcards.run].pretrained),
        vocabulary=lambda wildcards: PATHS.vocabulary(wildcards.setup),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
    log:
        "<logs>/import_model/{setup}.{run}.{seed}.log",
    wildcard_constraints:
        run=one_of(name for name, run in CONFIG.runs.items() if run.pretrained),
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=lambda wildcards: max(8000, memory_of_models(3)(wildcards)),
        runtime=30,
    params:
        pretrained=lambda wildcards: params_of(CONFIG.runs[wildcards.run].pretrained),
        languages=lambda wildcards: CONFIG.setup(wildcards.setup).languages,
        model=lambda wildcards: params_of(CONFIG.model_of(wildcards.setup, wildcards.run)),
        code=code("workflow_scripts.import_model"),
    message:
        "Importing {wildcards.run} ({wildcards.setup}), seed {wildcards.seed}"
    script:
        "../workflow_scripts/import_model.py"
