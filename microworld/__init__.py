"""The microworld: text in real languages about a small closed world, generated from a seed.

Nothing needs to be downloaded to see the whole workflow run, and a run of minutes shows what the paper claims. A frame
(``frames``) says who does what where; a small grammar per language (``english``, ``french``, ``spanish``, ``german``
and ``hindi``) renders it from ``lexicon.yaml`` and ``grammar.<language>.yaml``. From frames come stories whose
sentences bear on each other (``stories``), their translations, and labelled pairs of sentences (``inference``), all
written in the formats of the corpora that they stand for (``corpora``).

Four languages share the Latin script, an order of words and many words. Hindi is the distant one: another script, the
verb last, postpositions. Only names, cities and digits are kept in the Latin script there, as anchors.
"""

from microworld.corpora import write

__all__ = ["write"]
