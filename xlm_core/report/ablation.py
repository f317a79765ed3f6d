"""The numbers of the ablation: zero-shot results on XNLI, put beside those of the full system."""

from collections.abc import Sequence
from dataclasses import replace

from xlm_core.errors import CorpusError
from xlm_core.results import Result

TABLE = "ablation"
TRANSFER, FULL, DIFFERENCE = "transfer", "full system", "difference"
SETTING = "zero-shot"


def compared(results: Sequence[Result], full: str, train: str) -> list[Result]:
    """Of each system and seed its accuracy on ``train``, its transfer, that of the full system, and the difference.

    Transfer is the mean accuracy over the system's languages but ``train``; that of the ``full`` system is the mean
    over the same ones. So the difference is one between equal seeds and equal test sets.

    Raises:
        CorpusError: a seed or a language of a system is one that the full system has no result for.
    """
    zero_shot = [result for result in results if (result.table, result.setting) == ("xnli", SETTING)]
    by_run: dict[tuple[str, str], dict[str, Result]] = {}
    for result in zero_shot:
        by_run.setdefault((result.system, result.seed), {})[result.column] = result
    found = []
    for (system, seeds), of_language in by_run.items():
        others = [language for language in of_language if language != train]
        base = by_run.get((full, seeds), {})
        if missing := [language for language in of_language if language not in base]:
            raise CorpusError(
                f"table '{TABLE}': system '{system}', seed {seeds}, has results in {', '.join(missing)}, but the full "
                f"system '{full}' has none; score it, too"
            )
        mean, mean_of_full = (_mean(one, others) for one in (of_language, base))
        first = of_language[others[0]]
        n = sum(of_language[language].n for language in others)
        warnings = list(dict.fromkeys(warning for one in of_language.values() for warning in one.warnings))
        numbers = {TRANSFER: mean, FULL: mean_of_full, DIFFERENCE: mean - mean_of_full}
        found.append(replace(of_language[train], table=TABLE, warnings=[]))
        found += [
            replace(first, table=TABLE, column=column, value=value, n=n, warnings=warnings * (column == TRANSFER))
            for column, value in numbers.items()
        ]
    return found


def _mean(of_language: dict[str, Result], languages: Sequence[str]) -> float:
    return sum(of_language[language].value for language in languages) / len(languages)
