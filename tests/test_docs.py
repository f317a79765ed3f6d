"""README, docs and CONTRIBUTING name only files, keys, targets, commands and options that exist."""

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser
from snakemake.utils import update_config

from xlm_core import config
from xlm_core.cli import command_line
from xlm_core.errors import ConfigError

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LIVING = [page for page in PAGES if page.parent.name != "notebook"]  # a notebook keeps what was typed then
# What the YAML of a page is laid over, in order; config.yaml where a page is not listed.
LAID_OVER = {"your-languages.md": [], "tutorial.md": [], "real-text.md": ["configs/small.yaml"]}
CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?:^|[|&] +|\$ )((?:snakemake|xlm|python|pytest) [^|&#>]*)")


def prose(text: str) -> str:
    return CODE_BLOCK.sub("", text)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ +(.+)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path, text: str) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "`code`", prose(text))):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if re.match(r"https?:|mailto:", link):
            continue
        if not target.exists():
            yield f"dead link {link}"
        elif anchor and anchor not in anchors(target):
            yield f"no heading for {link}"


def bad_configurations(page: Path, text: str) -> Iterator[str]:
    base: dict = {}
    for name in LAID_OVER.get(page.name, ["config.yaml"]):
        update_config(base, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))
    merged = yaml.safe_dump(base)  # the examples of one page are laid over each other
    for language, block in CODE_BLOCK.findall(text):
        example = yaml.safe_load(block.replace("<64 digits>", "0" * 64)) if language == "yaml" else None
        if isinstance(example, dict):
            settings = yaml.safe_load(merged)
            update_config(settings, example)
            try:
                config.parse(settings)
                merged = yaml.safe_dump(settings)
            except ConfigError as error:
                if re.search(r"unknown (key|name)|missing", str(error)):
                    yield str(error)


def commands(text: str) -> Iterator[str]:
    """Command lines of code blocks, of indented lines and of inline code."""
    blocks = [block for language, block in CODE_BLOCK.findall(text) if language in ("bash", "")]
    indented = re.findall(r"^ {4}(\S.*)$", prose(text), re.MULTILINE)
    inline = re.findall(r"`([^`]+)`", prose(text))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *indented, *(" ".join(code.split()) for code in inline)]:
        yield from COMMAND.findall(line)


@cache
def rules() -> set[str]:
    files = [ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk")]
    return {name for path in files for name in re.findall(r"^ *(?:rule|checkpoint) (\w+):", path.read_text(), re.M)}


@cache
def options_of_commands() -> dict[str, set[str]]:
    """Subcommand of ``xlm`` -> its options."""
    (commands_of,) = (each for each in command_line()._actions if isinstance(each, argparse._SubParsersAction))
    return {
        name: {option for action in parser._actions for option in action.option_strings}
        for name, parser in commands_of.choices.items()
    }


def bad_command(command: str) -> Iterator[str]:
    """A placeholder (capitals, <...>, ...) stands for any word."""
    try:
        program, *words = shlex.split(command)
    except ValueError:  # a quotation that goes on after a pipe
        return
    if program == "snakemake":
        try:
            targets = get_argument_parser().parse_args([word for word in words if word != "..."]).targets
        except SystemExit:
            yield f"no such option: {command}"
            return
        yield from (
            f"no such target: {name}" for name in targets if re.fullmatch(r"[a-z_]+", name) and name not in rules()
        )
    elif program == "xlm" and words and not words[0].startswith(("-", "COMMAND")):
        options = options_of_commands().get(words[0])
        if options is None:
            yield f"no such command: {command}"
        else:
            yield from (f"no such option: {command}" for word in words if word.startswith("--") and word not in options)


def missing_files(text: str) -> Iterator[str]:
    """Python files in code: by their path in the project or in the package, or by their bare name."""
    known = {path.name for folder in ("xlm_core", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")}
    code = " ".join([*re.findall(r"`([^`\n]+)`", prose(text)), *commands(text)])
    for name in re.findall(r"(?<![\w./-])((?:[\w.-]+/)*\w+\.py)\b", code):
        inside = any((root / name).exists() for root in (ROOT, ROOT / "xlm_core"))
        if not (inside or ("/" not in name and name in known)):
            yield f"no such file: {name}"


def mistakes(page: Path, text: str) -> list[str]:
    found = {*bad_configurations(page, text), *missing_files(text)}
    for command in commands(text):
        found.update(bad_command(command.strip()))
    return sorted(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    assert list(dead_links(page, page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", LIVING, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path):
    assert mistakes(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "mistake",
    [
        "```yaml\nglue: {rows: []}\n```",
        "```yaml\nxnli: {runs: [never_trained]}\n```",
        "```bash\nsnakemake xnli_tabel --configfile my.yaml\n```",
        "text `snakemake xnli_table --no-such-option` text",
        "    snakemake --workflow-profile profiles/slurm no_such_table",
        "```bash\necho a | xlm embedd model --language en\n```",
        "`xlm embed model --lang en`",
        "`python benchmarks/no_such.py`",
        "`xlm_core/no_such.py`",
        "`no_such_module.py`",
    ],
)
def test_mistakes_are_seen(mistake: str):
    assert len(mistakes(ROOT / "docs" / "page.md", f"# Page\n\n{mistake}\n")) == 1


@pytest.mark.parametrize("link", ["no_such.md", "models.md#no-such-heading", "#nowhere", "../no_such/"])
def test_dead_links_are_seen(link: str):
    assert len(list(dead_links(ROOT / "docs" / "README.md", f"# Page\n\n[text]({link})\n"))) == 1


def test_every_page_of_the_docs_is_in_their_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in LIVING if page.parent == ROOT / "docs"} - {"README.md"}
    assert pages - set(re.findall(r"\]\(([^)#]+)", index)) == set()
