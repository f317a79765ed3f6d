"""How the stages of the text grow: the small cases behind docs/scaling.md, and the straight lines through them.

    python benchmarks/scale.py                                  # 12, 25, 50 and 100 MB of the microworld's text
    python benchmarks/scale.py --megabytes 100 250 500 1000     # needs five times the largest on the disk
    python benchmarks/scale.py --megabytes 100 200 1000 --alone # memory, for which the machine need not be idle
    python benchmarks/scale.py --until mark                     # leaves out the stages after it
    python benchmarks/scale.py --text my/sentences.txt --output scale.json

Each stage runs on each size in a process of its own, as in ``benchmarks/text.py``, and on the largest also in two
processes at once where the workflow runs it shard by shard. Bytes are those of the plain text. A line, fixed seconds
and seconds per byte, is put through the times, each weighed by its inverse. Two errors are given: how far the
furthest time is from the line, and how far the time of the largest size is from the line through the smaller ones,
which is what extrapolating by as much again would have cost. Learning the vocabulary reads a sample whose size is
always the same, so that it has no rate.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from fresh import Cost, side_by_side
from text import STAGES, lines_of_size, write_dump

SAMPLE = 30_000  # lines
CONSTANT = "learn"


@dataclass(frozen=True)
class Growth:
    """Of one stage, over all sizes.

    text_bytes, seconds, peak_bytes  by size
    bytes_per_second                 the slope of the line
    fixed_seconds                    what it begins with
    error                            of the time that is furthest from the line, as a share of it
    extrapolation_error              of the largest size, by the line through the others; with its sign
    memory_per_byte                  what a byte of text adds to the peak, by a line likewise
    efficiency_of_two                rate of two processes at once over twice that of one
    """

    text_bytes: list[int]
    seconds: list[float]
    peak_bytes: list[int]
    bytes_per_second: float
    fixed_seconds: float
    error: float
    extrapolation_error: float
    memory_per_byte: float
    efficiency_of_two: float | None


def main() -> None:
    """Measure and print, and write what was measured where that is wanted."""
    arguments = parse()
    sizes = sorted(arguments.megabytes)
    sized: list[int] = []
    stages = list(STAGES)[: list(STAGES).index(arguments.until) + 1]
    by_stage: dict[str, list[Cost]] = {name: [] for name in stages}
    both: dict[str, list[Cost]] = {}
    for megabytes in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_dump(folder / "pages.xml", lines_of_size(arguments.text, megabytes * 1e6))
            for stage in stages:
                work, _, by_shard = STAGES[stage]
                by_stage[stage] += side_by_side(work, [(folder, "0", SAMPLE)])
                if by_shard and megabytes == sizes[-1] and not arguments.alone:
                    both[stage] = side_by_side(work, [(folder, shard, SAMPLE) for shard in ("1", "2")])
            sized.append((folder / "0.tsv").stat().st_size)
        times = ", ".join(f"{stage} {costs[-1].seconds:.1f} s" for stage, costs in by_stage.items())
        print(f"{megabytes} MB: {times}", flush=True)
    grown = {stage: growth(sized, costs, both.get(stage)) for stage, costs in by_stage.items()}
    for stage, line in grown.items():
        print(shown(stage, line))
    if arguments.output:
        results = {stage: asdict(line) for stage, line in grown.items()}
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[12, 25, 50, 100], help="three sizes or more")
    parser.add_argument("--alone", action="store_true", help="leave out the two processes at once")
    parser.add_argument("--until", choices=STAGES, default=list(STAGES)[-1], help="the last stage")
    parser.add_argument("--text", type=Path, help="one sentence per line, read again from its start where it is short")
    parser.add_argument("--output", type=Path, help="JSON")
    arguments = parser.parse_args()
    if len(set(arguments.megabytes)) < 3:
        parser.error("a line through two points has no error: give three sizes or more")
    return arguments


def growth(sized: list[int], costs: list[Cost], both: list[Cost] | None) -> Growth:
    """The lines through what was measured."""
    seconds = np.array([cost.seconds for cost in costs])
    peaks = np.array([cost.peak_bytes for cost in costs])
    slope, fixed = line(sized, seconds)
    smaller_slope, smaller_fixed = line(sized[:-1], seconds[:-1])
    predicted = smaller_slope * sized[-1] + smaller_fixed
    return Growth(
        text_bytes=sized,
        seconds=seconds.tolist(),
        peak_bytes=peaks.tolist(),
        bytes_per_second=1 / slope,
        fixed_seconds=fixed,
        error=float(np.abs((slope * np.array(sized) + fixed) / seconds - 1).max()),
        extrapolation_error=float(predicted / seconds[-1] - 1),
        memory_per_byte=line(sized, peaks)[0],
        efficiency_of_two=seconds[-1] / max(cost.seconds for cost in both) if both else None,
    )


def line(sized: list[int], measured: np.ndarray) -> tuple[float, float]:
    """Slope and start of the line whose relative errors have the least squares."""
    slope, start = np.polyfit(sized, measured, 1, w=1 / measured)
    return float(slope), float(start)


def shown(stage: str, grown: Growth) -> str:
    """One row of the table that is printed."""
    small, large = grown.peak_bytes[0] / 1e6, grown.peak_bytes[-1] / 1e6
    memory = f"{small:5.0f} to {large:5.0f} MB ({grown.memory_per_byte:+.3f} bytes per byte)"
    if stage == CONSTANT:
        return f"{stage:9s}{max(grown.seconds):6.1f} s whatever the size{memory:>45s}"
    rate = f"{grown.bytes_per_second / 1e6:7.2f} MB/s + {grown.fixed_seconds:5.1f} s"
    errors = f"off the line {grown.error:4.0%}, extrapolated {grown.extrapolation_error:+4.0%}"
    two = "" if grown.efficiency_of_two is None else f"; two at once {grown.efficiency_of_two:.0%}"
    return f"{stage:9s}{rate}; {errors}; {memory}{two}"


if __name__ == "__main__":
    main()
