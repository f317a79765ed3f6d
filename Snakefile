"""Cross-lingual Language Model Pretraining, from raw text to the last table cell: the table of contents.

    snakemake xnli_table                                      the embedded microworld, nothing to download
    snakemake xnli_table --configfile configs/small.yaml      real text

Everything a configuration makes lies under results/<its name>/.
"""

from snakemake.utils import min_version

min_version("9.27")


if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config.yaml"


report: "docs/report/workflow.rst"


include: "rules/common.smk"


pathvars:
    results=f"results/{CONFIG.name}",
    logs=f"results/{CONFIG.name}/logs",
    benchmarks=f"results/{CONFIG.name}/benchmarks",


wildcard_constraints:
    corpus=r"[A-Za-z0-9_]+",
    key=r"[a-z]{2,3}(-[a-z]{2,3})?",
    place=r".+",
    language=r"[a-z]{2,3}",
    langset=r"all|[a-z]{2,3}",
    setup=r"[A-Za-z0-9_]+",
    text=r"[A-Za-z0-9_]+",
    vocabulary=r"[A-Za-z0-9_]+",
    shard=r"\d+",
    split=r"train|valid|test|translated",
    run=r"[A-Za-z0-9_]+",
    translator=r"[A-Za-z0-9_.-]+",
    list="dictionary|similarity",
    direction=r"[a-z]{2,3}-[a-z]{2,3}",
    source=r"[a-z]{2,3}",
    target=r"[a-z]{2,3}",
    seed=r"\d+",
    finetuning_seed=r"\d+",
    task=r"[A-Za-z0-9-]+",
    protocol=r"zero_shot|few_shot|translate_test|translate_train_([a-z]{2,3})",


include: "rules/download.smk"
include: "rules/extract.smk"
include: "rules/tokenize.smk"
include: "rules/vocabulary.smk"
include: "rules/store.smk"
include: "rules/pretrain.smk"
include: "rules/xnli.smk"
include: "rules/glue.smk"
include: "rules/translation.smk"
include: "rules/perplexity.smk"
include: "rules/claims.smk"
include: "rules/embeddings.smk"
include: "rules/report.smk"
include: "rules/provenance.smk"


localrules:
    all,
    xnli_table,
    unsupervised_mt_table,
    supervised_mt_table,
    perplexity_table,
    ablation_table,
    claims,
    glue_table,
    embedding_table,
    alignment_figure,
    objectives_figure,
    prepare_data,
    provenance,
    # On a cluster these run where you type the command: what needs the internet, and what takes seconds.
    download,
    make_xnli_table,
    plot_xnli_heatmap,
    plot_confusions,
    make_retrieval_table,
    plot_retrieval_by_layer,
    plot_training_curves,
    plot_objectives,
    make_translation_table,
    plot_bleu_curves,
    show_translations,
    make_perplexity_table,
    make_ablation_table,
    make_claims_page,
    make_glue_table,
    make_glue_submission,
    make_embedding_table,
    plot_alignment,


rule all:
    """Every table and figure."""
    default_target: True
    input:
        rules.make_xnli_table.output,
        rules.plot_xnli_heatmap.output,
        rules.plot_confusions.output,
        retrieval_files(),
        drawn_curves(),
        manifests("xnli"),
        rules.plot_objectives.output,
        [shown_of(table) for table in ("unsupervised", "supervised") if plans_of(table)],
        table_files("perplexity") if CONFIG.perplexity else [],
        table_files("ablation", differences=False) if CONFIG.ablation else [],
        CLAIM_FILES if CONFIG.claims else [],
        shown_of_glue(),
        embedding_files(),
        alignment_files(),


rule xnli_table:
    """Cross-lingual classification, the paper's Table 1, with the sentence retrieval of the models behind it."""
    input:
        rules.make_xnli_table.output,
        rules.plot_xnli_heatmap.output,
        rules.plot_confusions.output,
        retrieval_files(),
        drawn_curves(),
        manifests("xnli"),


rule unsupervised_mt_table:
    """Translation learned from text in two languages and no translation, the paper's Table 2."""
    input:
        required("translation.unsupervised", shown_of("unsupervised")),


rule supervised_mt_table:
    """Translation learned from translations, the paper's Table 3."""
    input:
        required("translation.supervised", shown_of("supervised")),


rule perplexity_table:
    """Whether other languages help the model of one that has little text, the paper's Table 4."""
    input:
        required("perplexity", table_files("perplexity")),


rule ablation_table:
    """What each part of the full system adds to its zero-shot transfer on XNLI."""
    input:
        required("ablation", table_files("ablation", differences=False)),


rule claims:
    """What the paper claims, and what our runs say."""
    input:
        required("claims", CLAIM_FILES),


rule glue_table:
    """Understanding of English sentences, GLUE, and what its leaderboard takes of each row."""
    input:
        required("glue", shown_of_glue()),


rule embedding_table:
    """Word embeddings across languages, the paper's Table 5."""
    input:
        required("embeddings", embedding_files()),


rule alignment_figure:
    """Words and their translations on a map, before and after TLM."""
    input:
        required("embeddings.figure", alignment_files()),


rule objectives_figure:
    """Real CLM, MLM and TLM batches, drawn like the paper's Figure 1."""
    input:
        rules.plot_objectives.output,


rule prepare_data:
    """All that trainings read: texts as token ids, and the test sets of translation; up to where a GPU is of use."""
    input:
        all_stores(),
        all_test_sets(),
