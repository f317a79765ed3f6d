"""The section about word embeddings across languages: what they are measured on, and the baselines beside them."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from xlm_core.config.corpora import CorpusSource
from xlm_core.config.setups import BASE
from xlm_core.config.strict_model import RunName, SetupName, StrictModel, VectorsName, check_exists
from xlm_core.languages import sides

if TYPE_CHECKING:
    from xlm_core.config import Config

WORD_SETTINGS = ("all words", "spelled differently")  # which pairs of words the table is about
BASELINES = {"muse": "MUSE", "concat": "Concat"}  # row that is no run -> its label


def word_pair_column(system: str, direction: str, setting: str) -> str:
    """Return the column of the sample statistics that holds the cosines of a system's word pairs."""
    return f"{system}, {direction}, {setting}"


class WordPairs(CorpusSource):
    """Pairs of words, one file or member of an archive per direction."""

    keys: list[str] = Field(min_length=1)


class WordVectors(StrictModel):
    """Skip-gram vectors of words, of which both baselines are made."""

    dim: int = Field(300, gt=0)
    epochs: int = Field(5, gt=0)
    window: int = Field(5, gt=0)
    negative: int = Field(10, gt=0)
    min_count: int = Field(5, gt=0)
    max_words: int = Field(200_000, gt=0)
    subwords: bool = True
    threads: int = Field(1, gt=0)


class Refinement(StrictModel):
    """How MUSE turns the vectors of one language into the space of another."""

    rounds: int = Field(5, ge=0)
    max_dictionary_words: int = Field(15_000, gt=0)
    neighbors: int = Field(10, gt=0)


class AlignmentFigure(StrictModel):
    """The picture of words and their translations."""

    languages: list[str] = Field(min_length=2)
    runs: list[RunName] = Field(min_length=1)
    n_words: int = Field(12, gt=2)
    perplexity: float = Field(5.0, gt=0)
    seed: int = 0


class Embeddings(StrictModel):
    """The table of cross-lingual word embeddings, and the picture of their alignment."""

    setup: SetupName = BASE
    systems: list[VectorsName] = Field(min_length=1)
    dictionary: WordPairs
    similarity: WordPairs | None = None
    candidates: int = Field(200_000, gt=0)
    vectors: WordVectors = WordVectors()
    refinement: Refinement = Refinement()
    alignment_figure: AlignmentFigure | None = None

    @property
    def runs(self) -> list[str]:
        """The rows whose vectors are those of a model's pieces."""
        return [row for row in self.systems if row not in BASELINES]

    @property
    def lists(self) -> dict[str, WordPairs]:
        """The lists of words by their keys, "dictionary" and "similarity"."""
        return {"dictionary": self.dictionary, **({"similarity": self.similarity} if self.similarity else {})}

    @property
    def directions(self) -> list[str]:
        """All directions that words are paired in, those of the dictionary first."""
        return list(dict.fromkeys(key for pairs in self.lists.values() for key in pairs.keys))

    @property
    def languages(self) -> list[str]:
        """The languages of all words."""
        return sorted({language for key in self.directions for language in sides(key)})

    @property
    def drawn(self) -> list[str]:
        """The directions whose dictionaries the picture shows: from its first language to each other."""
        pivot, *others = self.alignment_figure.languages if self.alignment_figure else [""]
        return [f"{pivot}-{other}" for other in others]

    @model_validator(mode="after")
    def _has_its_dictionaries(self) -> Self:
        for key in (*self.directions, *self.drawn):
            if len(set(sides(key))) != 2:
                raise ValueError(
                    f"'{key}' is no direction; expected one such as en-fr, the first word's language first"
                )
        for key in self.drawn:
            check_exists(key, self.dictionary.keys, "alignment_figure.languages, dictionary")
        return self


def check_embeddings(config: "Config") -> None:
    """Refuse languages that the setup lacks, and runs with the name of a baseline."""
    if config.embeddings is None:
        return
    name = config.embeddings.setup
    for language in config.embeddings.languages:
        check_exists(language, config.setup(name).languages, f"embeddings, languages of '{name}'")
    for baseline in BASELINES:
        if baseline in config.runs:
            raise ValueError(f"runs.{baseline}: a baseline of the section embeddings has this name; take another")
