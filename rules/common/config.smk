"""The configuration in use, typed, and what many stages ask of it."""

import os
from pathlib import Path

from snakemake.exceptions import WorkflowError

from xlm_core import config as configuration
from xlm_core import digests
from xlm_core.config.local_files import check_local_files
from xlm_core.workflow import experiments
from xlm_core.errors import ConfigError
from xlm_core.workflow.step import WORKFLOW


def checked_config():
    """The configuration, typed; or one short message before anything else happens."""
    try:
        found = configuration.parse(config)
        check_local_files(found)
        return found
    except ConfigError as error:
        raise WorkflowError(f"The configuration cannot be used.\n{error}") from None


CONFIG = checked_config()
BASE = configuration.BASE  # the setup of XNLI, retrieval and the figures about objectives
SETUPS = {BASE: CONFIG, **CONFIG.setups}
TRANSLATORS = experiments.translators(CONFIG)
WORD_LISTS = CONFIG.embeddings.lists if CONFIG.embeddings else {}  # "dictionary" and "similarity": pairs of words
ROOT = Path(workflow.current_basedir).parents[1]
os.environ[WORKFLOW] = str(os.getpid())  # jobs inherit it, and end when this process is killed
LOCAL_GPUS = len(list(Path("/dev").glob("nvidia[0-9]*")))
GPUS = min(1, LOCAL_GPUS) if CONFIG.compute.gpus is None else CONFIG.compute.gpus  # of one machine, for one pretraining
PROCESSES = GPUS or CONFIG.compute.processes  # likewise
ONE_GPU = min(1, max(GPUS, LOCAL_GPUS))  # where there are any: a cluster's login node may have none
# Slurm's plugin starts a job on the first of its machines alone where it may start steps of its own on all of them
# ("mpi"). GPUs are those of the whole job as "gpu", and those of each machine as "gres".
if CONFIG.compute.nodes == 1:
    HARDWARE = {"gpu": GPUS}
else:
    HARDWARE = {"nodes": CONFIG.compute.nodes, "mpi": "srun", "tasks_per_node": 2}
    HARDWARE |= {"gres": f"gpu:{GPUS}"} if GPUS else {}


def plain(section, *leave_out):
    """A section of the configuration as plain data, the only form in which Snakemake can compare parameters."""
    return {key: value for key, value in configuration.to_dict(section).items() if key not in leave_out}


def code(*modules):
    """Digest of the code behind a step, so that a change of it, and only that, runs the step again."""
    return digests.of_code(ROOT, *modules)


def work(name):
    """Path of what must survive a killed job, and is therefore no output of its rule."""
    return f"results/{CONFIG.name}/work/{name}"


def doubled(amount):
    """Megabytes, given as they are or by a function of the wildcards, that double whenever the job is tried again."""
    return lambda wildcards, attempt: (amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)


def one_of(names):
    """A pattern that matches each of ``names`` and nothing else, not even where there are none."""
    return "|".join(names) or "(?!)"


def shards(path, **names):
    """One path per shard."""
    return expand(path, shard=range(CONFIG.text.n_shards), **names)


def table_files(name, differences=True):
    """The files of a table, and of the differences between its rows where it has any; the last says what is behind it."""
    kinds = ("md", "html", "tex", "tidy.csv", *(["differences.csv"] if differences else []), "manifest.json")
    return [f"<results>/tables/{name}.{kind}" for kind in kinds]


def required(section, files):
    """What gives the files of a target, or says that the configuration has no section for it."""

    def found(wildcards):
        value = CONFIG
        for key in section.split("."):
            value = value and getattr(value, key)
        if not value:
            raise WorkflowError(
                f"The configuration '{CONFIG.name}' has no section {section}, so there is no such table. "
                "See config.yaml for one."
            )
        return files

    return found
