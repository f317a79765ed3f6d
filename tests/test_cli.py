"""The command line: what each command writes, and that errors end it with one message."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_model import write_model, write_vocabulary
from small_translator import write_translator

from xlm_core.cli import main
from xlm_core.interop.huggingface import export_model, import_model

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    words = write_vocabulary(folder)
    return [str(write_model(folder / "model.safetensors", words, likely="▁dog")), "--vocabulary", str(words)]


def typed(monkeypatch, content: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_vectors_of_typed_sentences_as_text(files, monkeypatch, capsys):
    typed(monkeypatch, b"The cat!\n\nLe chien dort.\n")
    main(["embed", *files, "--language", "en"])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [len(row) for row in rows] == [16, 16, 16]
    assert all(np.isfinite(float(value)) for row in rows for value in row)


def test_vectors_of_a_file_as_an_array(files, tmp_path, monkeypatch, capsys):
    (tmp_path / "sentences").write_text("the cat sees a dog .\nthe\u2028cat\n")
    arguments = ["embed", *files, "--language", "fr", "--pooling", "first", "--input", str(tmp_path / "sentences")]
    main([*arguments, "--output", str(tmp_path / "vectors.npy")])
    vectors = np.load(tmp_path / "vectors.npy")
    assert (vectors.shape, vectors.dtype) == ((2, 16), np.float32)
    assert capsys.readouterr().out == ""
    main(arguments)
    shown = np.array([line.split("\t") for line in capsys.readouterr().out.splitlines()], dtype=float)
    assert np.abs(shown - vectors).max() < 1e-5


def test_raw_text_is_cleaned_unless_it_is_said_to_be_tokenized(files, monkeypatch, capsys):
    def vector(text: str, *options: str) -> str:
        typed(monkeypatch, text.encode())
        main(["embed", *files, "--language", "en", *options])
        return capsys.readouterr().out

    assert vector("The dog.") == vector("the dog .", "--tokenized") != vector("The dog.", "--tokenized")
    assert vector("The dog.", "--keep-case") == vector("The dog .", "--tokenized")
    assert vector("the dög.", "--keep-accents") == vector("the dög .", "--tokenized") != vector("the dög.")


DECOMPOSED = "the dog sees an a\u0308nt ."
COMPOSED = "the dog sees an änt ."


@pytest.mark.parametrize("options", [[], ["--keep-accents"], ["--keep-accents", "--tokenized"]])
def test_decomposed_letters_are_composed_before_a_text_is_cut(files, monkeypatch, capsys, options):
    shown = []
    for text in (DECOMPOSED, COMPOSED):
        typed(monkeypatch, text.encode())
        main(["embed", *files, "--language", "en", *options])
        main(["fill-mask", *files, "--language", "en", *options, f"<mask> {text}"])
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


def test_decomposed_letters_are_translated_as_composed_ones(translator, monkeypatch, capsys):
    shown = []
    for text in (DECOMPOSED, COMPOSED):
        typed(monkeypatch, text.encode())
        main(["translate", "--model", str(translator), "--from", "en", "--to", "de"])
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """The folder of a translator from English to German."""
    return write_translator(tmp_path_factory.mktemp("translator"))[0].parent


def test_lines_are_translated_one_by_one(translator, monkeypatch, capsys):
    typed(monkeypatch, b"Ant bee, cat!\n\ndog.")
    main(["translate", "--model", str(translator), "--from", "en", "--to", "de", "--batch-lines", "2"])
    assert capsys.readouterr().out == "Ameise biene, katze!\n\nhund.\n"


def test_the_best_of_a_beam_have_scores(translator, tmp_path, capsys):
    (tmp_path / "text").write_text("cat dog\nbee\n")
    files = ["--model", str(translator / "model.safetensors"), "--vocabulary", str(translator / "vocabulary.json")]
    direction = ["--from", "en", "--to", "de", "--input", str(tmp_path / "text")]
    main(["translate", *files, *direction, "--beam", "3", "--n-best", "2"])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows[::2]] == ["katze hund", "biene"]
    assert all(float(best[0]) > float(second[0]) for best, second in zip(rows[::2], rows[1::2], strict=True))


def test_translations_come_before_the_input_ends(translator):
    command = [sys.executable, "-m", "xlm_core", "translate", "--model", str(translator), "--from", "en", "--to", "de"]
    pipe = subprocess.Popen(
        [*command, "--batch-lines", "1"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for english, german in (("dog", "hund"), ("cat", "katze")):
        pipe.stdin.write(f"{english}\n")
        pipe.stdin.flush()
        assert pipe.stdout.readline() == f"{german}\n"
    pipe.stdin.close()
    assert pipe.wait(timeout=60) == 0


def test_masks_are_filled(files, capsys):
    main(["fill-mask", *files, "--language", "en", "--n-best", "2", "The <mask> sees a <mask>."])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["1", "1", "2", "2"]
    assert [line[1:] for line in lines[::2]] == [["▁dog", "1.0000"]] * 2


def test_a_model_goes_to_hugging_face_and_back(files, tmp_path):
    main(["export-huggingface", *files, "--output", str(tmp_path / "theirs")])
    main(["import-huggingface", str(tmp_path / "theirs"), "--output", str(tmp_path / "ours")])
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == ["model.safetensors", "vocabulary.json"]
    export_model(*import_model(tmp_path / "theirs")[:2], tmp_path / "again", causal=False)
    written = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("theirs", "again")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "FILES", "--language", "de"], "ConfigError: language 'de'"),
        (["embed", "FILES", "--language", "en", "--input", "no such file"], "CorpusError: no such file"),
        (["fill-mask", "FILES", "--language", "en", "no mask"], "CorpusError: 'no mask': expected a text with <mask>"),
        (
            ["import-published", "none.pth", "--codes", "c", "--vocab", "v", "--output", "o"],
            "CheckpointError: none.pth",
        ),
        (["import-huggingface", "none", "--output", "o"], "CheckpointError: none/config.json is missing"),
        (["translate", "--model", "none", "--from", "en", "--to", "de"], "CheckpointError: none is missing"),
        (
            ["translate", "--model", "FILES", "--from", "en", "--to", "de"],
            "CheckpointError: ENCODER: found a language model alone; expected a translator",
        ),
        (
            ["translate", "--model", "TRANSLATOR", "--from", "de", "--to", "en"],
            "ConfigError: from 'de' to 'en': the model was trained for en-de",
        ),
        (
            ["translate", "--model", "TRANSLATOR", "--from", "en", "--to", "de", "--n-best", "2"],
            "ConfigError: translate: n_best is 2, but beam_size is 1",
        ),
    ],
)
def test_an_error_ends_with_one_message_and_status_one(files, translator, arguments, message):
    meant = {"FILES": files, "TRANSLATOR": [str(translator)]}
    words = [word for argument in arguments for word in meant.get(argument, [argument])]
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert str(caught.value.code).startswith(message.replace("ENCODER", files[0]))
    assert "\n" not in str(caught.value.code)


@pytest.mark.parametrize("content", [b"", b"\xff\n"])
def test_no_sentences_and_no_text_are_refused(files, monkeypatch, content):
    typed(monkeypatch, content)
    with pytest.raises(SystemExit, match=r"CorpusError: (no sentences|the standard input)"):
        main(["embed", *files, "--language", "en"])


@pytest.mark.parametrize(
    "arguments",
    [[], ["embed", "m", "--vocabulary", "v"], ["fill-mask", "m", "--vocabulary", "v", "--n-best", "0", "x"]],
)
def test_wrong_arguments_are_explained_by_the_parser(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.robustness  # the start of a program takes seconds; one that translates has started above
def test_it_runs_as_a_program(files):
    command = [sys.executable, "-m", "xlm_core", "fill-mask", *files, "--language", "en"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    good = subprocess.run([*command, "<mask>"], capture_output=True, cwd=ROOT, env=environment, timeout=60)
    assert (good.returncode, good.stdout.decode().split("\t")[1]) == (0, "▁dog")
    bad = subprocess.run([*command, "x"], capture_output=True, cwd=ROOT, env=environment, timeout=60)
    assert bad.returncode == 1
    assert bad.stderr.decode().strip().splitlines() == [bad.stderr.decode().strip()]
