"""Evaluate a translator on a test set (paper, section 5.2).

Sources, translations and references are written as lines of text beside the scores, so that
``sacrebleu references.txt < hypotheses.txt`` gives the same number.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from xlm_core import digests, results, tsv
from xlm_core.config import DecodingConfig
from xlm_core.io import write_text
from xlm_core.languages import direction_key, pair, sides
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.bleu import bleu, bleu_statistics, chrf, tokenized_bleu
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.inference import TranslationPipeline

LINES = ("sources", "hypotheses", "references", "tokenized_hypotheses", "tokenized_references")


def score(
    *,
    model: Path,
    vocabulary: Path,
    test: Path,
    direction: Sequence[str],
    decoding: DecodingConfig,
    micro_batch_tokens: int,
    context: ResultContext,
    column: str,
    outputs: Mapping[str, Path],
) -> None:
    """Translate a test set and write the translations, BLEU, tokenized BLEU and chrF.

    Args:
        test: raw records of both languages of the pair, in the order of its name.
        direction: source and target.
        context, column: of the results.
        outputs: "results" (JSON lines), "statistics" (of BLEU, named by the direction), and each of ``LINES``.

    Raises:
        ConfigError: the translator was not trained in this direction.
    """
    pipeline = TranslationPipeline(model, vocabulary)
    lines = _translated(pipeline, test, direction, decoding, micro_batch_tokens)
    for name in LINES:
        write_text(outputs[name], "".join(line + "\n" for line in lines[name]))
    metadata, n_empty = pipeline.metadata, lines["hypotheses"].count("")
    data_digest = digests.of_value([metadata["data"], digests.of_file(test)])
    scores = {
        "BLEU": bleu(lines["hypotheses"], lines["references"]),
        "tokenized BLEU": tokenized_bleu(lines["tokenized_hypotheses"], lines["tokenized_references"]),
        "chrF": chrf(lines["hypotheses"], lines["references"]),
    }
    search = f"beam of {decoding.beam_size}, length penalty {decoding.length_penalty:g}"
    signature = "{} {}, " + ("greedy" if decoding.beam_size == 1 else search)
    measured = [
        Result(
            **vars(context), column=column, metric=metric, value=value, n=len(lines["sources"]),
            config_digest=metadata["config"], data_digest=data_digest, signature=signature.format(metric, scorer),
            warnings=[f"{n_empty} empty translations"] if n_empty else [],
        )
        for metric, (value, scorer) in scores.items()
    ]  # fmt: skip
    results.write(measured, outputs["results"])
    statistics = bleu_statistics(lines["hypotheses"], lines["references"])
    sample_statistics.write(outputs["statistics"], {direction_key(*direction): statistics})


def _translated(
    pipeline: TranslationPipeline,
    test: Path,
    direction: Sequence[str],
    decoding: DecodingConfig,
    micro_batch_tokens: int,
) -> dict[str, list[str]]:
    """Translate the test set, and return each of ``LINES`` with one line per sentence."""
    source, target = direction
    columns = sides(pair(source, target))
    rows = list(tsv.read(test, len(columns)))
    sources, raw = ([row[columns.index(language)] for row in rows] for language in (source, target))
    best = [hypotheses[0] for hypotheses in pipeline.translate(sources, source, target, decoding, micro_batch_tokens)]
    references = [pipeline.reference(sentence, target) for sentence in raw]
    return {
        "sources": sources,
        "hypotheses": [hypothesis.text for hypothesis in best],
        "references": [text for _, text in references],
        "tokenized_hypotheses": [hypothesis.tokens for hypothesis in best],
        "tokenized_references": [tokens for tokens, _ in references],
    }
