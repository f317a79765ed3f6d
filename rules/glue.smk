"""GLUE: nine tasks of English sentences, and what its leaderboard takes."""


rule extract_glue:
    """One part of a task, training, validation or test set, out of its official files."""
    input:
        glue_files,
    output:
        records="<results>/text/glue/{task}/{part}.tsv",
        statistics="<results>/text/glue/{task}/{part}.statistics.json",
    log:
        "<logs>/extract_glue/{task}.{part}.log",
    conda:
        "../envs/text.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("xlm_core.text.glue"),
    message:
        "Extracting GLUE ({wildcards.task}, {wildcards.part})"
    script:
        "../workflow_scripts/extract_glue.py"


use rule tokenize_xnli as tokenize_glue with:
    input:
        "<results>/text/glue/{task}/{part}.tsv",
    output:
        tokens="<results>/tokens/{text}/glue/{task}/{part}.tsv",
        statistics="<results>/tokens/{text}/glue/{task}/{part}.statistics.json",
    log:
        "<logs>/tokenize_glue/{text}/{task}.{part}.log",
    params:
        language=configuration.GLUE_LANGUAGE,
        text=letters_of_text,
        already_tokenized=False,
        code=code("xlm_core.text.tokenize"),
    message:
        "Tokenizing GLUE ({wildcards.task}, {wildcards.part})"


use rule build_labelled_store as build_glue_store with:
    input:
        tokens=glue_tokens,
        vocabulary="<results>/bpe/{vocabulary}/vocabulary.json",
    output:
        store="<results>/store/{vocabulary}/glue/{task}/{part}.store",
        statistics="<results>/store/{vocabulary}/glue/{task}/{part}.statistics.json",
    log:
        "<logs>/build_glue_store/{vocabulary}/{task}.{part}.log",
    params:
        language=configuration.GLUE_LANGUAGE,
        classes=glue_classes,
        n_sentences=n_glue_sentences,
        code=code("xlm_core.data.store"),
    message:
        "Storing GLUE ({wildcards.task}, {wildcards.part})"


rule finetune_glue:
    """Fine-tune one encoder on one task; the best mean of the task's metrics in validation is kept."""
    input:
        encoder="<results>/runs/{setup}/{run}/{seed}/model.safetensors",
        train=glue_training_set,
        valid=glue_sets("valid"),
    output:
        model="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/model.safetensors",
        history="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/history.jsonl",
    log:
        "<logs>/finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.log",
    benchmark:
        "<benchmarks>/finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.tsv"
    priority: -2  # after pretraining, as of XNLI
    retries: 2
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=16000,  # the released English model has 667 million weights, of which four copies are held
        runtime=1440,
    params:
        valid=glue_names("valid"),
        finetuning=glue_finetuning,
        precision=CONFIG.compute.precision,
        work=work("finetune_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}"),
        code=code("xlm_core.tasks.glue"),
    message:
        "Fine-tuning {wildcards.run} ({wildcards.setup}) on GLUE ({wildcards.task}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/finetune_glue.py"


rule score_glue:
    """The metrics of a task on its validation sets, and what the model says of these and of the test sets."""
    input:
        model="<results>/runs/{setup}/{run}/{seed}/glue/{task}/{finetuning_seed}/model.safetensors",
        valid=glue_sets("valid"),
        test=glue_sets("test"),
    output:
        results="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.jsonl",
        predictions="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.predictions.tsv",
        kept="<results>/results/glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.items.json",
    log:
        "<logs>/score_glue/{setup}.{run}.{seed}.{task}.{finetuning_seed}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=min(1, LOCAL_GPUS),
        mem_mb=8000,
        runtime=240,
    params:
        valid=glue_names("valid"),
        test=glue_names("test"),
        setting=pretrained_on,
        code=code("xlm_core.tasks.glue"),
    message:
        "Scoring {wildcards.run} ({wildcards.setup}) on GLUE ({wildcards.task}), "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/score_glue.py"


rule make_glue_submission:
    """What GLUE's leaderboard takes: the predictions of all test sets, with one seed of one row."""
    input:
        glue_predictions,
    output:
        "<results>/submissions/glue/{setup}.{run}.{seed}.{finetuning_seed}.zip",
    log:
        "<logs>/make_glue_submission/{setup}.{run}.{seed}.{finetuning_seed}.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("xlm_core.report.submission"),
    message:
        "Packing what {wildcards.run} ({wildcards.setup}) says of GLUE's test sets, "
        "seeds {wildcards.seed} and {wildcards.finetuning_seed}"
    script:
        "../workflow_scripts/make_glue_submission.py"


rule make_glue_table:
    """The metrics of every task beside the published numbers, and the differences between the rows."""
    input:
        glue_results,
    output:
        md=report(
            "<results>/tables/glue.md", caption="../docs/report/glue.rst", category="GLUE", labels={"format": "text"}
        ),
        html=report(
            "<results>/tables/glue.html",
            caption="../docs/report/glue.rst",
            category="GLUE",
            labels={"format": "table"},
        ),
        tex="<results>/tables/glue.tex",
        tidy=report(
            "<results>/tables/glue.tidy.csv",
            caption="../docs/report/glue.rst",
            category="GLUE",
            labels={"format": "data"},
        ),
        differences=report(
            "<results>/tables/glue.differences.csv",
            caption="../docs/report/glue.rst",
            category="GLUE",
            labels={"format": "differences, data"},
        ),
    log:
        "<logs>/make_glue_table.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        shown=glue_table_params,
        code=code("xlm_core.report.tables"),
    message:
        "Making the table of GLUE"
    script:
        "../workflow_scripts/make_glue_table.py"
