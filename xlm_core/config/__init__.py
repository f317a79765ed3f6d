"""The configuration: typed, frozen, strict. One class per section of the YAML file, one field per key.

What each key means, its unit and its place in the paper stand beside the key in ``config.yaml``.
"""

from xlm_core.config.classification import DIAGNOSTICS, GLUE_LANGUAGE, METRICS, SETTINGS, TASKS, Finetuning, Xnli
from xlm_core.config.configuration import Compute, Config, check_transformers, parse
from xlm_core.config.language_check import check_segmenters, language_warnings
from xlm_core.config.local_files import check_container, check_local_files
from xlm_core.config.setups import BASE, Masking, ModelConfig, Optim, Pretraining, Setup, Skipgram, Text
from xlm_core.config.sources import GLUE_FILES, TEST_SETS, Corpus, Download, GeneratedFile, Microworld, SourceFiles
from xlm_core.config.strict_model import read, restore_types, to_dict
from xlm_core.config.tables import BASELINES, WORD_SETTINGS, AlignmentFigure, Refinement, SystemConfig, WordVectors
from xlm_core.config.translation import DecodingConfig, LossWeights, Noise, TranslationObjective, TranslationTraining
