import pytest
from small_translator import write_corpus
from small_world import world

__all__ = ["world"]


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Text of two languages that are translated word by word."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))
