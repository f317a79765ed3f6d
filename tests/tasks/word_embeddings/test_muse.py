"""Procrustes and CSLS against closed forms and hand-written matrices."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from xlm_core.config import Refinement
from xlm_core.errors import CorpusError
from xlm_core.tasks.word_embeddings.vectors import (
    WordEmbeddings,
    align,
    cosine,
    csls,
    csls_neighborhood,
    mutual_neighbors,
    procrustes,
)

RNG = np.random.default_rng(0)


def test_a_rotation_is_recovered():
    turned = ortho_group.rvs(6, random_state=0)
    vectors = RNG.normal(size=(40, 6))
    rotation = procrustes(vectors, vectors @ turned)
    assert np.allclose(rotation, turned) and np.allclose(rotation @ rotation.T, np.eye(6))


def test_in_the_plane_it_is_the_angle_between_two_vectors():
    rotation = procrustes(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[0.0, 3.0], [-1.0, 0.0]]))
    assert np.allclose(rotation, [[0, 1], [-1, 0]])


def test_csls_of_a_matrix_by_hand():
    source = np.array([[1.0, 0.0], [0.0, 1.0]])
    target = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    similarity = cosine(source, target)
    assert np.allclose(similarity, [[1, 0.6, -1], [0, 0.8, 0]])
    of_source = csls_neighborhood(source, target, 2)  # means of the two highest of a row
    of_target = csls_neighborhood(target, source, 2)  # and of all of a column
    assert np.allclose(of_source, [0.8, 0.4]) and np.allclose(of_target, [0.5, 0.7, -0.5])
    expected = [[2 - 0.8 - 0.5, 1.2 - 0.8 - 0.7, -2 - 0.8 + 0.5], [0 - 0.4 - 0.5, 1.6 - 0.4 - 0.7, 0 - 0.4 + 0.5]]
    assert np.allclose(csls(similarity, of_source, of_target), expected)


def test_a_hub_is_nobody_s_neighbor_by_csls():
    """The first target is the nearest of both sources by cosine; less its nearness to all, each has its own."""
    source = np.array([[1.0, 0.5], [1.0, -0.5]])
    target = np.array([[1.0, 0.0], [1.0, 1.8], [1.0, -1.8]])
    assert cosine(source, target).argmax(axis=1).tolist() == [0, 0]
    rows, columns = mutual_neighbors(source, target, 2)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 2])


def test_blocks_change_nothing(monkeypatch):
    source, target = RNG.normal(size=(50, 8)), RNG.normal(size=(40, 8))
    whole = (csls_neighborhood(source, target, 5), *mutual_neighbors(source, target, 5))
    monkeypatch.setattr("xlm_core.tasks.word_embeddings.vectors.BLOCK", 7)
    parts = (csls_neighborhood(source, target, 5), *mutual_neighbors(source, target, 5))
    assert all(np.allclose(expected, block) for expected, block in zip(whole, parts, strict=True))


def test_a_vector_of_zeros_is_near_nothing():
    assert cosine(np.zeros((1, 2)), np.eye(2)).tolist() == [[0, 0]]


def words(names, vectors) -> WordEmbeddings:
    return WordEmbeddings(tuple(names), np.asarray(vectors))


def test_refinement_comes_nearer_to_a_rotation_than_words_spelled_alike():
    """Eight dimensions, noise, and twelve words to begin with of two hundred."""
    turned, rng = ortho_group.rvs(8, random_state=1), np.random.default_rng(0)
    vectors, noise = rng.normal(size=(2, 200, 8))
    source = words([f"same{i}" if i < 12 else f"a{i}" for i in range(200)], vectors)
    target = words([f"same{i}" if i < 12 else f"b{i}" for i in range(200)], (vectors + 0.2 * noise) @ turned)
    errors = [np.abs(align(source, target, Refinement(rounds=n)) - turned).max() for n in (0, 5)]
    assert errors[1] < 0.05 < 0.09 < errors[0]


def test_only_frequent_words_are_looked_at():
    source = words(["a", "same"], [[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(CorpusError, match="none of the 1 and 1 most frequent words is spelled alike"):
        align(source, WordEmbeddings(("b", "same"), source.vectors), Refinement(max_dictionary_words=1))
