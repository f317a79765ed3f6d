"""The graph of the rules behind the XNLI table, in docs/architecture.md, as Snakemake has it today.

    python tests/helpers/rule_graph.py

writes it; ``tests/test_project.py`` compares.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(?<=```mermaid\n).+?(?=```)", re.DOTALL)


def graph() -> str:
    """The graph as Mermaid draws it: one line per edge, in alphabetical order."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "xnli_table", "--rulegraph", "mermaid-js", "--directory", folder]
        text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", text))
    edges = sorted(f"    {names[first]} --> {names[last]}" for first, last in re.findall(r"(id\d+) --> (id\d+)", text))
    return "\n".join(["flowchart LR", *edges, ""])


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(graph(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
