"""The section about perplexity: whether other languages help the model of one that has little text (section 5.3)."""

from collections.abc import Sequence

from pydantic import Field

from xlm_core.config.section import StrictModel


class Perplexity(StrictModel):
    """The table: a language, the run, and a setup for each choice of texts to learn from."""

    language: str
    run: str = "clm"
    setups: list[str] = Field(min_length=1)

    def label(self, languages: Sequence[str]) -> str:
        """What the row of a setup with these languages is called: ``ne + hi``, the language itself first."""
        return " + ".join([self.language, *sorted(set(languages) - {self.language})])
