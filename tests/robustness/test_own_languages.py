"""What docs/your-languages.md and docs/pretrained.md say can be done, by their own words."""

import hashlib
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from xlm_core import config
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import ConfigError
from xlm_core.text.vocabulary import Vocabulary

ROOT = Path(__file__).parent.parent.parent
PARTS = ("Snakefile", "rules", "workflow_scripts", "xlm_core", "microworld", "docs", "envs", "profiles", "config.yaml")
WORDS = {
    "it": (
        ["il cane", "la gatta", "il bambino", "la nonna"],
        ["vede", "cerca", "ama"],
        ["il mare", "la casa", "il pane"],
    ),
    "pt": (["o cão", "a gata", "o menino", "a avó"], ["vê", "procura", "ama"], ["o mar", "a casa", "o pão"]),
}


def blocks(page: str) -> list[dict]:
    """The YAML of a page."""
    text = (ROOT / "docs" / page).read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)]


def sentence(language: str, number: int) -> str:
    subjects, verbs, objects = WORDS[language]
    first, second, third = number % 4, number // 4 % 3, number // 12 % 3
    return f"{subjects[first].capitalize()} {verbs[second]} {objects[third]} e {verbs[number % 3]} {number}."


def write_text(folder: Path, n: int = 400) -> None:
    """Text, translations and a task, as the page says they are to be."""
    folder.mkdir()
    for language in WORDS:
        lines = [f"{sentence(language, number)}\n" for number in range(2 * n)]
        (folder / f"{language}.txt").write_text("".join(lines[:n]))
        (folder / f"it-pt.{language}.txt").write_text("".join(lines[n:]))
    with zipfile.ZipFile(folder / "task.zip", "w") as file:
        for split, first in (("dev", 0), ("test", 60)):
            rows = [
                (
                    language,
                    "same" if number % 2 else "different",
                    sentence(language, number),
                    sentence(language, number + 1),
                )
                for language in WORDS
                for number in range(first, first + 60)
            ]
            header = ("language", "gold_label", "sentence1", "sentence2")
            file.writestr(f"xnli.{split}.tsv", "".join("\t".join(row) + "\n" for row in [header, *rows]))
        rows = [(sentence("it", n), sentence("it", n + n % 2), ["same", "different"][n % 2]) for n in range(120, 300)]
        file.writestr(
            "multinli.train.it.tsv", "".join("\t".join(r) + "\n" for r in [("premise", "hypo", "label"), *rows])
        )


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory) -> Path:
    """The project with the files of the page beside it."""
    folder = tmp_path_factory.mktemp("mine")
    for name in PARTS:
        (folder / name).symlink_to(ROOT / name)
    write_text(folder / "my")
    return folder


def jobs(folder: Path, settings: dict, target: str = "xnli_table") -> Counter[str]:
    """Rule -> jobs that a run would have."""
    (folder / "my.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", target, "-n", "--configfile", "my.yaml"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    table = re.search(r"Job stats:\njob +count\n[- ]+\n(.+?)\ntotal", run.stdout + run.stderr, re.DOTALL)
    return Counter({name: int(count) for name, count in map(str.split, table.group(1).splitlines())})


def sums(folder: Path, **content: bytes) -> dict[str, str]:
    """Files with this content, and their sums."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}


def test_the_configuration_of_the_page_lists_its_jobs(project_folder):
    (settings,) = blocks("your-languages.md")
    counts = jobs(project_folder, settings)
    assert (counts["extract"], counts["tokenize"], counts["build_store"]) == (3, 3, 3)
    assert (counts["pretrain"], counts["init_random_model"], counts["finetune_xnli"], counts["score_xnli"]) == (
        1,
        1,
        2,
        2,
    )
    assert config.parse(settings).xnli.labels == ["different", "same"]


@pytest.mark.parametrize("train_language", ["it", "pt"])
def test_a_task_in_one_language_asks_for_no_retrieval(project_folder, train_language):
    (settings,) = blocks("your-languages.md")
    assert (jobs(project_folder, settings)["score_retrieval"], jobs(project_folder, settings)["make_manifest"]) == (
        1,
        2,
    )
    settings["xnli"] |= {"languages": ["it"], "train_language": train_language}
    for target in ("xnli_table", "all"):
        counts = jobs(project_folder, settings, target)
        assert (counts["score_xnli"], counts["make_xnli_table"], counts["make_manifest"]) == (2, 1, 1)
        assert not counts.keys() & {"score_retrieval", "make_retrieval_table"}


def test_a_setup_of_one_language_reads_its_side_of_translations(project_folder):
    (settings,) = blocks("your-languages.md")
    (pairs,) = settings["parallel"]["it-pt"]
    alone = {"languages": ["it"], "monolingual": {"it": [pairs]}, "parallel": {}, "vocabulary": {"size": 60}}
    settings |= {"name": "side", "setups": {"alone": alone}}
    (project_folder / "side.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    folder = f"results/side/store/alone/{pairs}/it-pt/0"
    command = [sys.executable, "-m", "snakemake", f"{folder}/train.store", "--configfile", "side.yaml"]
    run = subprocess.run(command, cwd=project_folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    vocabulary = Vocabulary.read(project_folder / "results/side/bpe/alone/vocabulary.json")
    store = TokenStore.open(project_folder / folder / "train.store", vocabulary.digest)
    assert store.languages == ("it",) and len(store) > 100


def test_an_imported_run_is_not_pretrained_and_reads_no_text(project_folder):
    (settings,) = blocks("your-languages.md")
    vocabulary, model, _ = blocks("pretrained.md")
    wanted = vocabulary["vocabulary"]["pretrained"]
    wanted |= {"path": "models", "sha256": sums(project_folder / "models", codes_xnli_15=b"1", vocab_xnli_15=b"2")}
    run = model["runs"]["theirs"]
    run["pretrained"]["sha256"] = sums(project_folder / "models", **{"mlm_tlm_xnli15_1024.pth": b"3"})
    settings |= {"vocabulary": vocabulary["vocabulary"], "runs": {"none": settings["runs"]["none"], "theirs": run}}
    settings["xnli"]["runs"] = ["none", "theirs"]
    counts = jobs(project_folder, settings)
    assert (counts["import_model"], counts["import_vocabulary"], counts["init_random_model"]) == (1, 1, 1)
    absent = ("pretrain", "learn_bpe", "build_vocabulary", "build_store", "extract", "plot_training_curves")
    assert not any(counts[rule] for rule in absent)
    assert (counts["finetune_xnli"], counts["build_xnli_store"], counts["build_xnli_evaluation_store"]) == (2, 1, 2)


def test_an_imported_store_needs_no_text(project_folder):
    (settings,) = blocks("your-languages.md")
    folder, names = project_folder / "old", ("train.store", "valid.store", "test.store")
    settings["corpora"]["text"] = {
        "format": "store",
        "keys": ["it", "pt"],
        "path": "old/{key}/{shard}",
        "sha256": {
            f"{key}/0/{name}": sum_
            for key in ("it", "pt")
            for name, sum_ in sums(folder / key / "0", **dict.fromkeys(names, b"4")).items()
        },
    }
    settings["vocabulary"]["pretrained"] = {
        "format": "xlm_core",
        "path": "old",
        "sha256": sums(folder, **{"vocabulary.json": b"5"}),
    }
    counts = jobs(project_folder, settings)
    assert (counts["import_store"], counts["build_store"], counts["extract"], counts["import_vocabulary"]) == (
        2,
        1,
        1,
        1,
    )
    assert not counts["learn_bpe"]


STORES = {f"it/0/{name}.store": "0" * 64 for name in ("train", "valid", "test")}
SUM = {"model.safetensors": "0" * 64}
GIVEN = {"format": "xlm_core", "path": "models", "sha256": SUM}
STORE = {"format": "store", "keys": ["it"], "path": "old", "sha256": {"it/0/train.store": "0" * 64}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda s: s["runs"]["none"].update(pretrained=GIVEN | {"sha256": {"a": "f00"}}),
            "runs.none.pretrained.sha256.a",
        ),
        (lambda s: s["runs"]["mlm_tlm"].update(pretrained=GIVEN), "give no 'objectives'"),
        (lambda s: s["runs"]["none"].pop("objectives"), "give 'objectives', which may be [], or 'pretrained'"),
        (
            lambda s: s["runs"]["none"].update(pretrained=GIVEN | {"sha256": SUM | {"b": "0" * 64}}),
            "is one file, found",
        ),
        (lambda s: s["runs"]["none"].update(pretrained=GIVEN | {"format": "fairseq"}), "found 'fairseq'"),
        (
            lambda s: (s["runs"]["none"].update(pretrained=GIVEN), s.update(seeds={"pretraining": [0, 1]})),
            "runs.none: pretrained is one model, seeds are [0, 1]; give it one, as seeds: [0]",
        ),
        (
            lambda s: s["vocabulary"].update(pretrained=GIVEN | {"format": "published"}),
            "under 'codes' and 'vocab'",
        ),
        (lambda s: s["vocabulary"].update(pretrained=GIVEN | {"codes": "a"}), "are of the format published"),
        (lambda s: s["corpora"].update(text=STORE | {"line_range": {"it": [0, 1]}}), "taken as it is"),
        (lambda s: s["corpora"].update(text=STORE | {"keys": ["it", "pt"]}), "put '{key}' into the 'path'"),
        (
            lambda s: s["corpora"].update(own=STORE | {"sha256": {}}),
            "corpora.own.sha256: no sum of it/0/train.store",
        ),
        (
            lambda s: (s["corpora"].update(own=STORE), s["text"].update(n_shards=2)),
            "text.n_shards is 2: put '{shard}'",
        ),
        (
            lambda s: (
                s["corpora"].update(own=STORE | {"sha256": STORES}),
                s["monolingual"].update(it=["own"]),
            ),
            "corpora.own is a store of token ids, from which no vocabulary can be learned: give the one",
        ),
    ],
)
def test_imports_that_do_not_fit_are_refused(change, expected):
    (settings,) = blocks("your-languages.md")
    change(settings)
    with pytest.raises(ConfigError) as error:
        config.parse(settings)
    assert expected in str(error.value)
