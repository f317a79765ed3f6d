"""The configuration: typed, frozen, strict. One class per section of the YAML file, one field per key.

What each key means, its unit and its place in the paper stand beside the key in ``config.yaml``.
"""

from xlm_core.config.corpora import (
    GLUE_FILES,
    TEST_SETS,
    Corpus,
    CorpusSource,
    GeneratedFile,
    Microworld,
    Text,
    VocabularyConfig,
)
from xlm_core.config.embeddings import (
    BASELINES,
    WORD_SETTINGS,
    AlignmentFigure,
    Embeddings,
    Refinement,
    WordPairs,
    WordVectors,
    word_pair_column,
)
from xlm_core.config.glue import DIAGNOSTICS, GLUE_LANGUAGE, Glue, GlueRow, GlueTaskFiles
from xlm_core.config.loading import load, parse
from xlm_core.config.pretrained import PretrainedFiles, PretrainedModel, PretrainedVocabulary
from xlm_core.config.schema import Config, Run, Seeds
from xlm_core.config.setups import BASE, Setup
from xlm_core.config.strict_model import StrictModel, read, to_dict
from xlm_core.config.tables import Ablation, ClaimConfig, ComparisonConfig, Perplexity, Retrieval, SystemConfig, system
from xlm_core.config.training import Compute, Finetuning, Masking, ModelConfig, Optim, Pretraining
from xlm_core.config.translation import (
    DecodingConfig,
    EvaluationSets,
    LossWeights,
    Noise,
    SupervisedMt,
    TranslationConfig,
    TranslationObjective,
    TranslationTraining,
    UnsupervisedMt,
)
from xlm_core.config.xnli import SETTINGS, FewShot, Xnli
