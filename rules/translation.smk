"""Translation, unsupervised and supervised (paper, sections 4.2, 4.3 and 5.2, Tables 2 and 3)."""


rule train_translator:
    """Denoising, back-translation and translations by people, on one machine; killed, it goes on where it was."""
    input:
        unpack(lambda wildcards: PATHS.translator_inputs(**wildcards)),
    output:
        model="<results>/translators/{translator}/{seed}/model.safetensors",
        vocabulary="<results>/translators/{translator}/{seed}/vocabulary.json",
        history="<results>/translators/{translator}/{seed}/history.jsonl",
        job="<results>/translators/{translator}/{seed}/job.json",
    log:
        "<logs>/train_translator/{translator}.{seed}.log",
    benchmark:
        "<benchmarks>/train_translator/{translator}.{seed}.tsv"
    priority: -2  # after pretraining, on which most translators wait
    retries: CONFIG.compute.retries
    conda:
        "../envs/torch.yaml"
    threads: PROCESSES
    resources:
        gpu=GPUS,
        mem_mb=PROCESSES * (16000 if GPUS else 4000),
        runtime=2880,
    params:
        pair=lambda wildcards: PATHS.translators[wildcards.translator].pair,
        texts=lambda wildcards: PATHS.translator_languages(wildcards.translator),
        languages=lambda wildcards: CONFIG.setup(PATHS.translators[wildcards.translator].setup).languages,
        objectives=lambda wildcards: list(map(params_of, PATHS.translators[wildcards.translator].objectives)),
        model=lambda wildcards: params_of(CONFIG.setup(PATHS.translators[wildcards.translator].setup).model),
        training=lambda wildcards: params_of(PATHS.translators[wildcards.translator].training),
        precision=CONFIG.compute.precision,
        work=work("train_translator/{translator}.{seed}"),
        attempts=work("jobs/train_translator/{translator}.{seed}.json"),
        code=code("workflow_scripts.train_translator"),
    message:
        "Training the translator {wildcards.translator}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/train_translator.py"


rule score_translation:
    """What a translator says of a test set, and its BLEU."""
    input:
        model="<results>/translators/{translator}/{seed}/model.safetensors",
        vocabulary="<results>/translators/{translator}/{seed}/vocabulary.json",
        test=lambda wildcards: PATHS.test_set(PATHS.translators[wildcards.translator].pair),
    output:
        **{
            part: f"<results>/translations/{{translator}}/{{seed}}/{{source}}-{{target}}/{part}.txt"
            for part in ("sources", "hypotheses", "references", "tokenized_hypotheses", "tokenized_references")
        },
        results="<results>/results/translation/{translator}/{seed}/{source}-{target}.jsonl",
        statistics="<results>/results/translation/{translator}/{seed}/{source}-{target}.statistics.json",
        job="<results>/results/translation/{translator}/{seed}/{source}-{target}.job.json",
    log:
        "<logs>/score_translation/{translator}.{seed}.{source}-{target}.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=ONE_GPU,
        mem_mb=retry_memory(8000),
        runtime=240,
    params:
        decoding=lambda wildcards: params_of(CONFIG.translation.decoding),
        micro_batch_tokens=lambda wildcards: PATHS.translators[wildcards.translator].training.micro_batch_tokens,
        cell=lambda wildcards: PATHS.translators[wildcards.translator].cell((wildcards.source, wildcards.target)),
        attempts=work("jobs/score_translation/{translator}.{seed}.{source}-{target}.json"),
        code=code("workflow_scripts.score_translation"),
    message:
        "Translating with {wildcards.translator}, seed {wildcards.seed}, {wildcards.source}-{wildcards.target}"
    script:
        "../workflow_scripts/score_translation.py"


rule bootstrap_translations:
    """Which rows of a table differ from its first one by more than chance (paired bootstrap)."""
    input:
        unpack(lambda wildcards: PATHS.bootstrap_inputs(wildcards.table)),
    output:
        "<results>/tables/{table}_mt.significance.csv",
    log:
        "<logs>/bootstrap_translations/{table}.log",
    wildcard_constraints:
        table="unsupervised|supervised",
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=retry_memory(2000),
        runtime=240,
    params:
        cells=lambda wildcards: PATHS.compared_cells(wildcards.table),
        code=code("workflow_scripts.bootstrap_translations"),
    message:
        "Comparing the rows of {wildcards.table} translation"
    script:
        "../workflow_scripts/bootstrap_translations.py"


use rule make_ablation_table as make_translation_table with:
    """BLEU of translation beside the published numbers, and the differences between the rows."""
    input:
        results=lambda wildcards: PATHS.translation_results(wildcards.table),
        filter_statistics=lambda wildcards: filter_statistics(PATHS, f"{wildcards.table}_mt"),
        significance=["<results>/tables/{table}_mt.significance.csv"],
    output:
        **table_outputs("{table}_mt", "Translation, {table}", caption="translation"),
    log:
        "<logs>/make_translation_table/{table}.log",
    wildcard_constraints:
        table="unsupervised|supervised",
    localrule: True
    params:
        table=lambda wildcards: describe(f"{wildcards.table}_mt", CONFIG),
    message:
        "Making the table of {wildcards.table} translation"


use rule plot_objectives as plot_bleu_curves with:
    """Validation BLEU over the training of every translator of a table."""
    input:
        unpack(lambda wildcards: PATHS.translator_histories(wildcards.table)),
    output:
        report(
            "<results>/figures/{table}_curves.svg",
            caption="../docs/report/bleu_curves.rst",
            category="Translation, {table}",
            labels={"figure": "validation BLEU"},
        ),
    log:
        "<logs>/plot_bleu_curves/{table}.log",
    wildcard_constraints:
        table="unsupervised|supervised",
    localrule: True
    params:
        figure="bleu_curves",
        labels=lambda wildcards: {name: plan.label for name, plan in PATHS.translators_of(wildcards.table).items()},
        code=code("xlm_core.report.plots.curves.plot_bleu"),
    message:
        "Drawing the BLEU of {wildcards.table} translators over their training"


rule show_translations:
    """What the first and the last row of a table say of the same sentences, beside what people said."""
    input:
        lambda wildcards: [
            path for files in PATHS.shown_translations(wildcards.table).values() for path in files.values()
        ],
    output:
        report(
            "<results>/tables/{table}_samples.html",
            caption="../docs/report/samples.rst",
            category="Translation, {table}",
            labels={"format": "samples"},
        ),
    log:
        "<logs>/show_translations/{table}.log",
    wildcard_constraints:
        table="unsupervised|supervised",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        labels=lambda wildcards: {
            direction: list(files) for direction, files in PATHS.shown_translations(wildcards.table).items()
        },
        code=code("workflow_scripts.show_translations"),
    message:
        "Showing samples of {wildcards.table} translation"
    script:
        "../workflow_scripts/show_translations.py"
