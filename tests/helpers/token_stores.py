"""Token stores in memory."""

from collections.abc import Sequence

import numpy as np

from xlm_core.data.token_store import TokenStore


def make_store(*columns: Sequence[Sequence[int]]) -> TokenStore:
    """A store from its columns, each a list of sentences, each a list of ids."""
    return TokenStore(
        tokens=tuple(np.array([token for row in rows for token in row], dtype=np.uint16) for rows in columns),
        offsets=tuple(np.cumsum([0, *map(len, rows)]).astype(np.int64) for rows in columns),
        languages=("de", "en")[: len(columns)],
        labels=None,
        vocabulary="digest",
        digest="content",
    )
