"""GLUE: nine tasks of English sentences, and what its leaderboard takes."""


rule extract_glue:
    """The parts of a task, training, validation and test sets, out of its official files."""
    input:
        lambda wildcards: PATHS.files(f"glue.tasks.{wildcards.task}"),
    output:
        folder=directory("<results>/text/glue/{task}"),
    log:
        "<logs>/extract_glue/{task}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        source="glue",
        parts=lambda wildcards: CONFIG.glue.parts(wildcards.task),
        code=code("workflow_scripts.extract.extract_glue"),
    message:
        "Extracting GLUE ({wildcards.task})"
    script:
        "../workflow_scripts/extract.py"


rule build_glue_store:
    """The parts of a task, tokenized and encoded; nothing is dropped."""
    input:
        records="<results>/text/glue/{task}",
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        store=directory("<results>/store/{vocabulary}/glue/{task}"),
    log:
        "<logs>/build_glue_store/{vocabulary}/{task}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        dataset="glue",
        parts=lambda wildcards: glue_parts(wildcards.task),
        n_sentences=lambda wildcards: len(GLUE_TASKS[wildcards.task].sentences),
        text=lambda wildcards: normalization_params(wildcards.vocabulary),
        code=code("workflow_scripts.build_labelled_store.build_glue"),
    message:
        "Storing GLUE ({wildcards.task})"
    script:
        "../workflow_scripts/build_labelled_store.py"


rule finetune_glue:
    """Fine-tune one encoder on one task; the best mean of the task's metrics in validation is kept."""
    input:
        encoder="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        examples=lambda wildcards: PATHS.glue_store(wildcards.setup, wildcards.task),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/model.safetensors",
        history="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/history.jsonl",
        job="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/job.json",
    log:
        "<logs>/finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.log",
    benchmark:
        "<benchmarks>/finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.tsv"
    priority: -2  # after pretraining, as of XNLI
    retries: CONFIG.compute.retries
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=memory_of_models(4),
        runtime=1440,
    params:
        dataset="glue",
        stores=lambda wildcards: PATHS.glue_finetuning(wildcards.setup, wildcards.task),
        finetuning=lambda wildcards: params_of(CONFIG.glue.finetuning),
        precision=CONFIG.compute.precision,
        work=work("finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}"),
        attempts=work("jobs/finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.json"),
        code=code("workflow_scripts.finetune.finetune_glue"),
    message:
        "Fine-tuning {wildcards.run} ({wildcards.setup}) on GLUE ({wildcards.task}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/finetune.py"


rule score_glue:
    """The metrics of a task on its validation sets, and what the model says of these and of the test sets."""
    input:
        model="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/model.safetensors",
        examples=lambda wildcards: PATHS.glue_store(wildcards.setup, wildcards.task),
        diagnostics=lambda wildcards: PATHS.glue_diagnostics(wildcards.setup, wildcards.task),
    output:
        results="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.jsonl",
        predictions="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.predictions.tsv",
        statistics="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.statistics.json",
        job="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.job.json",
    log:
        "<logs>/score_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(memory_of_models(2)),
        runtime=240,
    params:
        valid=lambda wildcards: CONFIG.glue.valid(wildcards.task),
        test=lambda wildcards: CONFIG.glue.test(wildcards.task),
        cell=lambda wildcards: {
            "table": "glue",
            "system": configuration.SystemConfig(setup=wildcards.setup, run=wildcards.run).name,
            "setting": CONFIG.setup(wildcards.setup).language_summary,
        },
        attempts=work("jobs/score_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.json"),
        code=code("workflow_scripts.score_glue"),
    message:
        "Scoring {wildcards.run} ({wildcards.setup}) on GLUE ({wildcards.task}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/score_glue.py"


rule make_glue_submission:
    """What GLUE's leaderboard takes: the predictions of all test sets, with one seed of one row."""
    input:
        lambda wildcards: expand(
            "<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.predictions.tsv",
            **wildcards,
            task=CONFIG.glue.trained,
        ),
    output:
        "<results>/submissions/glue/{setup}.{run}.{seed}.{finetuning_seed}.zip",
    log:
        "<logs>/make_glue_submission/{setup}.{run}.{seed}.{finetuning_seed}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("workflow_scripts.make_glue_submission"),
    message:
        "Packing what {wildcards.run} ({wildcards.setup}) says of GLUE's test sets, "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/make_glue_submission.py"


use rule make_ablation_table as make_glue_table with:
    """The metrics of every task beside the published numbers, and the differences between the rows."""
    input:
        results=PATHS.glue_results(),
        filter_statistics=filter_statistics(PATHS, "glue"),
    output:
        **table_outputs("glue", "GLUE"),
    log:
        "<logs>/make_glue_table.log",
    localrule: True
    params:
        table=describe("glue", CONFIG),
    message:
        "Making the table of GLUE"
