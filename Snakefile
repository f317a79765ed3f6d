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


if CONFIG.compute.container:

    container: CONFIG.compute.container


pathvars:
    results=PATHS.results,
    logs=f"{PATHS.results}/logs",
    benchmarks=f"{PATHS.results}/benchmarks",


wildcard_constraints:
    corpus=r"[A-Za-z0-9_]+",
    key=f"{CODE}(-{CODE})?",
    location=r".+",
    language=CODE,
    langset=f"all|{CODE}",
    setup=r"[A-Za-z0-9_]+",
    text=r"[A-Za-z0-9_]+",
    vocabulary=r"[A-Za-z0-9_]+",
    shard=r"\d+",
    split=r"train|valid|test|translated",
    run=r"[A-Za-z0-9_]+",
    translator=r"[A-Za-z0-9_.-]+",
    list="dictionary|similarity",
    direction=f"{CODE}-{CODE}",
    source=CODE,
    target=CODE,
    seed=r"\d+",
    finetuning_seed=r"\d+",
    task=r"[A-Za-z0-9-]+",
    protocol=f"zero_shot|few_shot|translate_train_{CODE}",


include: "rules/download.smk"
include: "rules/extract.smk"
include: "rules/tokenize.smk"
include: "rules/vocabulary.smk"
include: "rules/store.smk"
include: "rules/pretrain.smk"
include: "rules/xnli.smk"
include: "rules/report.smk"
include: "rules/glue.smk"
include: "rules/translation.smk"
include: "rules/perplexity.smk"
include: "rules/claims.smk"
include: "rules/embeddings.smk"
include: "rules/provenance.smk"


onstart:
    check_executor()
    # Snakemake's limit of jobs per second is for clusters. It looks for jobs anew each second once for every job that has
    # finished: after 200 of 336 jobs that was a third of a core.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    print(show_finished_tables())


rule all:
    """Every table and figure."""
    default_target: True
    input:
        *TARGETS.values(),
    localrule: True


rule xnli_table:
    """Cross-lingual classification, the paper's Table 1, with the sentence retrieval of the models behind it."""
    input:
        TARGETS["xnli_table"],
    localrule: True


rule unsupervised_mt_table:
    """Translation learned from text in two languages and no translation, the paper's Table 2."""
    input:
        required("translation.unsupervised", "unsupervised_mt_table"),
    localrule: True


rule supervised_mt_table:
    """Translation learned from translations, the paper's Table 3."""
    input:
        required("translation.supervised", "supervised_mt_table"),
    localrule: True


rule perplexity_table:
    """Whether other languages help the model of one that has little text, the paper's Table 4."""
    input:
        required("perplexity", "perplexity_table"),
    localrule: True


rule ablation_table:
    """What each part of the full system adds to its zero-shot transfer on XNLI."""
    input:
        required("ablation", "ablation_table"),
    localrule: True


rule claims:
    """What the paper claims, and what our runs say."""
    input:
        required("claims", "claims"),
    localrule: True


rule glue_table:
    """Understanding of English sentences, GLUE, and what its leaderboard takes of each row."""
    input:
        required("glue", "glue_table"),
    localrule: True


rule embedding_table:
    """Word embeddings across languages, the paper's Table 5."""
    input:
        required("embeddings", "embedding_table"),
    localrule: True


rule alignment_figure:
    """Words and their translations on a map, before and after TLM."""
    input:
        required("embeddings.alignment_figure", "alignment_figure"),
    localrule: True


rule objectives_figure:
    """Real CLM, MLM and TLM batches, drawn like the paper's Figure 1."""
    input:
        TARGETS["objectives_figure"],
    localrule: True


rule prepare_data:
    """All data: texts and tasks as token ids, test sets of translation, lists of words; up to where a GPU is of use."""
    input:
        PATHS.all_stores(),
        PATHS.all_test_sets(),
        task_stores(PATHS),
        *PATHS.word_lists().values(),
    localrule: True
