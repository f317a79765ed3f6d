"""The configuration, the paths and the experiments of this run, and the functions that several rules use."""

import os
import shutil
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod
from snakemake_interface_executor_plugins.settings import ExecMode

from xlm_core import config as configuration
from xlm_core.errors import ConfigError
from xlm_core.languages import CODE, sides
from xlm_core.text.formats.glue import GLUE_TASKS, NO_LABEL
from xlm_core.workflow import code_digest
from xlm_core.workflow.console import Console, StepConsole
from xlm_core.workflow.experiment_paths import ExperimentPaths
from xlm_core.workflow.step import WORKFLOW, n_local_gpus
from xlm_core.workflow.tables import claim_tests, describe, filter_statistics, retrieval_rows
from xlm_core.workflow.targets import JobGraph, finished_tables, tables, targets, task_stores


def checked_config():
    """Read the configuration, or end with one short message before anything else happens."""
    configuration.restore_types(config, workflow.config_settings.config or {})
    try:
        parsed = configuration.parse(config)
        configuration.check_local_files(parsed)
        environments = workflow.deployment_settings.deployment_method
        if DeploymentMethod.APPTAINER in environments:
            configuration.check_container(parsed.compute.container)
        if not environments:  # else jobs have environments of their own
            configuration.check_segmenters(parsed)
            configuration.check_transformers(parsed)
        return parsed
    except ConfigError as error:
        raise WorkflowError(f"The configuration cannot be used.\n{error}") from None


CONFIG = checked_config()
BASE = configuration.BASE  # the setup of XNLI, retrieval and the figures about objectives
PATHS = ExperimentPaths(CONFIG)
TARGETS, TABLES = targets(PATHS), tables(PATHS)  # target -> files, table -> target
JOBS = JobGraph(workflow.rules, PATHS.results)
SHARDS = range(CONFIG.text.n_shards)
ROOT = Path(workflow.current_basedir).parent
os.environ[WORKFLOW] = str(os.getpid())  # jobs inherit it, and end when this process is killed
LOCAL_GPUS = n_local_gpus()
GPUS = min(1, LOCAL_GPUS) if CONFIG.compute.gpus is None else CONFIG.compute.gpus  # of one machine, for one pretraining
PROCESSES = GPUS or CONFIG.compute.processes  # likewise
ONE_GPU = min(1, max(GPUS, LOCAL_GPUS))  # where there are any: a cluster's login node may have none
# Slurm's plugin starts a job on the first of its machines alone where it may start steps of its own on all of them
# ("mpi"). "gpu" counts the GPUs of the whole job, "gres" of each machine.
if CONFIG.compute.nodes == 1:
    HARDWARE = {"gpu": GPUS}
else:
    HARDWARE = {"nodes": CONFIG.compute.nodes, "mpi": "srun", "tasks_per_node": 2}
    HARDWARE |= {"gres": f"gpu:{GPUS}"} if GPUS else {}


if workflow.exec_mode == ExecMode.DEFAULT:
    for line in configuration.language_warnings(CONFIG):
        logger.warning(line)


def check_executor():
    """Refuse, before any job, Slurm where there is none, and trainings on several machines where there is no Slurm."""
    n_nodes, executor = CONFIG.compute.nodes, workflow.executor_plugin.name
    if executor == "slurm" and shutil.which("sbatch") is None:
        raise WorkflowError(
            "found no sbatch on the PATH, expected Slurm's commands; run on a login node of the cluster"
        )
    # Within a job of Slurm, a training on this machine starts itself on the others of the job.
    n_given = int(os.environ.get("SLURM_JOB_NUM_NODES", "1")) if executor == "local" else 1
    if executor in ("slurm", "touch") or n_nodes <= n_given:
        return
    if waiting := sum("nodes" in job.rule.resources for job in workflow.dag.needrun_jobs()):
        raise WorkflowError(
            f"compute.nodes is {n_nodes}, and {waiting} trainings wait, but executor '{executor}' gives a job {n_given}; "
            "only Slurm's asks for several. Use --workflow-profile profiles/slurm, or lay compute: {nodes: 1} over the "
            "configuration"
        )


def show_finished_tables():
    """The tables that were asked for, as text."""
    return finished_tables(PATHS, workflow.dag_settings.targets)


# Other workflows that use this one as a module have a screen of their own.
if workflow.modifier.is_main_snakefile() and not (workflow.output_settings.dryrun or workflow.output_settings.verbose):
    CONSOLE = {ExecMode.DEFAULT: Console, ExecMode.SUBPROCESS: StepConsole}.get(workflow.exec_mode)
    if CONSOLE:
        CONSOLE(show_finished_tables).attach(logger)


def params_of(section, *leave_out):
    """Write a section of the configuration as plain data, the only form in which Snakemake can compare parameters."""
    return {key: value for key, value in configuration.to_dict(section).items() if key not in leave_out}


def text_params(setup, *keys):
    """Settings of the section ``text`` of a setup."""
    text = params_of(CONFIG.setup(setup).text)
    return {key: text[key] for key in keys}


def normalization_params(setup):
    """The settings that change the letters of a text."""
    return text_params(setup, "tokenization", "lowercase", "strip_accents", "romanian", "moses")


def extraction_settings(wildcards):
    """How the text of a corpus and key is extracted."""
    corpus = params_of(CONFIG.corpora[wildcards.corpus])
    same = {name: corpus[name] for name in ("keep_lost_words", "member_codes", "invalid_utf8")}
    return {"line_range": corpus["line_range"].get(wildcards.key), "test_set": corpus["set"], **same}


def tokenization_params(setup):
    """The settings that tokenization depends on."""
    text = CONFIG.setup(setup).text
    return params_of(text, "n_shards", "valid_fraction", "test_fraction", "deduplicate")


def split_params(setup):
    """The settings that say which lines are held out."""
    return text_params(setup, "valid_fraction", "test_fraction")


def code(*names):
    """Digest of the code that scripts or functions reach: a change of it, and only that, runs a step again."""
    return lambda wildcards: code_digest.of_code(ROOT, *names)


def work(name):
    """Path of what must survive a killed job, and is therefore no output of its rule."""
    return f"{PATHS.results}/work/{name}"


def retry_memory(amount):
    """Megabytes, given as they are or by a function of the wildcards, that double whenever the job is tried again."""
    return lambda wildcards, attempt: (amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)


def memory_of_models(n, setups=None):
    """Give a function of the megabytes for ``n`` copies of the model of the job's setup, or of the largest of ``setups``.

    PyTorch and CUDA take 4 GB beside them.
    """

    def memory(wildcards):
        return 4000 + n * max(megabytes_of_model(setup) for setup in setups or [wildcards.setup])

    return memory


def megabytes_of_model(name):
    """Megabytes of the weights of a model of a setup."""
    setup = CONFIG.setup(name)
    model = setup.model
    n_weights = model.dim * (setup.vocabulary.size + model.n_layers * (4 * model.dim + 2 * model.feedforward_dim))
    return 4 * n_weights // 1_000_000


def one_of(names):
    """A pattern that matches each of ``names`` and nothing else, not even where there are none."""
    return "|".join(names) or "(?!)"


def required(section, target):
    """Give a function of the files of a target; it says so where the configuration has no section for it."""

    def files(wildcards):
        if not TARGETS[target]:
            raise WorkflowError(
                f"The configuration '{CONFIG.name}' has no section {section}, so there is no such table. "
                "See config.yaml for one."
            )
        return TARGETS[target]

    return files


def table_outputs(name, category, differences=True, caption=None):
    """The outputs of a rule that makes a table, as the report shows them; the caption has the name of the table, or its own."""
    caption = f"../docs/report/{caption or name}.rst"
    shown = {"md": ("md", "text"), "html": ("html", "table"), "tidy": ("tidy.csv", "data")}
    if differences:
        shown["differences"] = ("differences.csv", "differences, data")
    outputs = {
        key: report(f"<results>/tables/{name}.{form}", caption=caption, category=category, labels={"format": label})
        for key, (form, label) in shown.items()
    }
    return {**outputs, "tex": f"<results>/tables/{name}.tex"}


def xnli_parts(parts):
    """How parts of XNLI, splits and languages, are read: translated test sets are in the language of the training set."""
    return {
        f"{split}.{language}": {
            "language": CONFIG.xnli.train_language if split == "translated" else language,
            "already_tokenized": split == "train" and CONFIG.xnli.training_tokenized,
            "classes": CONFIG.xnli.labels,
        }
        for split, language in parts
    }


def xnli_files(folder, parts):
    """The store of each part of XNLI, its records and its tokens, and the statistics of all three."""
    kinds = ("store", "records.tsv", "tsv", "records.json", "tokens.json", "statistics.json")
    return [f"{folder}/{part}.{kind}" for part in parts for kind in kinds]


def xnli_stores(wildcards):
    """Split -> language -> store of a fine-tuning on XNLI."""
    return PATHS.xnli_finetuning(wildcards.setup, wildcards.run, wildcards.protocol)


def embedding_runs(wildcards):
    """The runs of the table of word embeddings that have a seed."""
    return [
        run
        for run in CONFIG.embeddings.systems
        if run in CONFIG.runs and int(wildcards.seed) in CONFIG.pretraining_seeds(run)
    ]


def glue_parts(task):
    """How each part of a task of GLUE is read; test sets have no label, and some tasks scores in place of classes."""
    classes = GLUE_TASKS[task].classes
    return {
        part: {
            "language": configuration.GLUE_LANGUAGE,
            "already_tokenized": False,
            "classes": [NO_LABEL] if part.startswith("test") else classes and list(classes),
        }
        for part in CONFIG.glue.parts(task)
    }


def table_numbers(table):
    """The file of the numbers of a table."""
    return f"{PATHS.results}/tables/{table}.tidy.csv"


def results_of_table(table):
    """The results that a table is made of; none where it is made of statistics of single examples."""
    return [path for path in JOBS.inputs(table_numbers(table)) if path.endswith(".jsonl")]


def word_vector_memory(wildcards):
    """Megabytes: the counts of all words of Wikipedia, two matrices of vectors, and fastText's two million subwords."""
    vectors = CONFIG.embeddings.vectors
    n_rows = 2 * vectors.max_words + (2_000_000 if vectors.subwords else 0)
    return 2000 + (16000 if wildcards.langset == "all" else 4000) + n_rows * vectors.dim * 4 // 1_000_000
