"""The microworld: text in real languages about a small closed world, generated from a seed.

It is the data of the default configuration: nothing needs to be downloaded to see the whole workflow run. A frame
(``lexicon``) is the meaning of a sentence; a small grammar per language (``render``) makes text of it. Frames are
sampled and changed (``sampling``) to make documents, their translations, labelled pairs of sentences (``nli``), text
for machine translation (``translation_corpora``), the tasks of GLUE and lists of words, all in the formats of the
corpora that they stand for (``corpora``).

Four languages share the Latin script, an order of words and many words. Hindi is the distant one: another script, the
verb last, postpositions. Only names, cities and digits are in the Latin script there, as anchors.
"""

from microworld.corpora import write

__all__ = ["write"]
