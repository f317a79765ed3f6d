"""Tables and figures of XNLI, of retrieval, of training and of the ablation."""

XNLI_LABELS = {row.name: row.label or CONFIG.runs[row.run].label for row in CONFIG.xnli.runs}  # of its rows


rule sample_objective_batches:
    """One real row of a CLM, an MLM and a TLM batch."""
    input:
        **PATHS.stores_of_objectives_figure(),
        vocabulary=PATHS.vocabulary(BASE),
    output:
        "<results>/figures/objectives.json",
    log:
        "<logs>/sample_objective_batches.log",
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        language=CONFIG.xnli.train_language,
        languages=CONFIG.languages,
        pairs=list(CONFIG.parallel)[:1],
        masking=params_of(CONFIG.pretraining.masking),
        code=code("workflow_scripts.sample_objective_batches"),
    message:
        "Taking examples of the objectives' batches"
    script:
        "../workflow_scripts/sample_objective_batches.py"


rule plot_objectives:
    """Real CLM, MLM and TLM batches, drawn like the paper's Figure 1."""
    input:
        "<results>/figures/objectives.json",
    output:
        report(
            "<results>/figures/objectives.svg",
            caption="../docs/report/objectives.rst",
            category="Training",
            labels={"figure": "objectives"},
        ),
    log:
        "<logs>/plot_objectives.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        figure="objectives",
        code=code("xlm_core.report.plots.objectives.plot"),
    message:
        "Drawing the objectives"
    script:
        "../workflow_scripts/plot.py"


rule make_ablation_table:
    """What each part of the full system adds to its zero-shot transfer on XNLI."""
    input:
        results=PATHS.ablation_results(),
        filter_statistics=filter_statistics(PATHS, "ablation"),
    output:
        **table_outputs("ablation", "Ablation", differences=False),
    log:
        "<logs>/make_ablation_table.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        table=describe("ablation", CONFIG),
        code=code("workflow_scripts.make_table.make_table"),
    message:
        "Making the ablation table"
    script:
        "../workflow_scripts/make_table.py"


use rule make_ablation_table as make_xnli_table with:
    """Accuracy per language beside the published numbers, the differences between the rows, and the same as figures."""
    input:
        **PATHS.confusions(),
        results=PATHS.xnli_results(),
        filter_statistics=filter_statistics(PATHS, "xnli"),
    output:
        **table_outputs("xnli", "XNLI"),
        heatmap=report(
            "<results>/figures/xnli_heatmap.svg",
            caption="../docs/report/xnli_heatmap.rst",
            category="XNLI",
            labels={"figure": "heat map"},
        ),
        confusions=report(
            "<results>/figures/confusions.svg",
            caption="../docs/report/confusions.rst",
            category="XNLI",
            labels={"figure": "confusions"},
        ),
    log:
        "<logs>/make_xnli_table.log",
    localrule: True
    params:
        table=describe("xnli", CONFIG),
        labels=XNLI_LABELS,
        languages=CONFIG.xnli.languages,
        classes=CONFIG.xnli.labels,
        code=code("workflow_scripts.make_table.make_table", "workflow_scripts.make_table.plot_xnli"),
    message:
        "Making the XNLI table"


use rule make_ablation_table as make_retrieval_table with:
    """How often a sentence's nearest neighbor in another language is its translation, and that over the layers."""
    input:
        results=PATHS.retrieval_results(),
        filter_statistics=filter_statistics(PATHS, "retrieval"),
    output:
        **table_outputs("retrieval", "Sentence retrieval", differences=False),
        by_layer=report(
            "<results>/figures/retrieval_by_layer.svg",
            caption="../docs/report/retrieval_by_layer.rst",
            category="Sentence retrieval",
            labels={"figure": "by layer"},
        ),
    log:
        "<logs>/make_retrieval_table.log",
    localrule: True
    params:
        table=describe("retrieval", CONFIG),
        rows=retrieval_rows(CONFIG),
        n_layers={row.name: CONFIG.setup(row.setup).model.n_layers for row in CONFIG.xnli.runs},
        code=code("workflow_scripts.make_table.make_table", "workflow_scripts.make_table.plot_retrieval"),
    message:
        "Making the table of sentence retrieval"


use rule plot_objectives as plot_training_curves with:
    """Loss and validation perplexity of every pretraining run."""
    input:
        **PATHS.histories(),
    output:
        report(
            "<results>/figures/training_curves.svg",
            caption="../docs/report/training_curves.rst",
            category="Training",
            labels={"figure": "pretraining curves"},
        ),
    log:
        "<logs>/plot_training_curves.log",
    localrule: True
    params:
        figure="training_curves",
        labels={name: XNLI_LABELS[name] for name in PATHS.histories()},
        code=code("xlm_core.report.plots.curves.plot_training"),
    message:
        "Drawing the training curves"
