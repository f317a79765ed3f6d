"""The command line: what each command writes, and that errors end it with one message."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_model import write_model, write_vocabulary
from small_translator import write_translator

from xlm_core.cli import main
from xlm_core.config import Text
from xlm_core.interop import huggingface
from xlm_core.interop.huggingface import export_model, import_model
from xlm_core.model import checkpoint
from xlm_core.model.heads import ClassificationHead

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return model_with(folder, Text())


def model_with(folder, text):
    """The arguments of a model whose vocabulary says that text is prepared so."""
    folder.mkdir(exist_ok=True)
    words = write_vocabulary(folder, text)
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


def test_raw_text_is_prepared_as_the_vocabulary_says(tmp_path, monkeypatch, capsys):
    def vector(text: str, *options: str, **settings: object) -> str:
        typed(monkeypatch, text.encode())
        main(["embed", *model_with(tmp_path / str(settings), Text(**settings)), "--language", "en", *options])
        return capsys.readouterr().out

    tokenized = "--tokenized"
    assert vector("The dog.") == vector("the dog .", tokenized) != vector("The dog.", tokenized)
    assert vector("The dog.", lowercase=False) == vector("The dog .", tokenized, lowercase=False)
    kept = {"strip_accents": False}
    assert vector("the dög.", **kept) == vector("the dög .", tokenized, **kept) != vector("the dög.")
    assert vector("The dog.", tokenization="none") == vector("The dog.", tokenized, tokenization="none")


def test_a_vocabulary_that_does_not_say_how_reads_tokenized_text_alone(tmp_path, monkeypatch, capsys):
    model = model_with(tmp_path, None)
    typed(monkeypatch, b"the dog .")
    main(["embed", *model, "--language", "en", "--tokenized"])
    assert len(capsys.readouterr().out.split("\t")) == 16
    typed(monkeypatch, b"The dog.")
    with pytest.raises(SystemExit, match=r"CorpusError: .*vocabulary\.json does not say how raw text is prepared"):
        main(["embed", *model, "--language", "en"])


DECOMPOSED = "the dog sees an a\u0308nt ."
COMPOSED = "the dog sees an änt ."


@pytest.mark.parametrize(("keeps", "options"), [(False, []), (True, []), (True, ["--tokenized"])])
def test_decomposed_letters_are_composed_before_a_text_is_cut(tmp_path, monkeypatch, capsys, keeps, options):
    shown, files = [], model_with(tmp_path, Text(strip_accents=not keeps))
    for text in (DECOMPOSED, COMPOSED):
        typed(monkeypatch, text.encode())
        main(["embed", *files, "--language", "en", *options])
        main(["fill-mask", *files, "--language", "en", *options, "--text", f"<mask> {text}"])
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
    main(["fill-mask", *files, "--language", "en", "--n-best", "2", "--text", "The <mask> sees a <mask>."])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["1", "1", "2", "2"]
    assert [line[1:] for line in lines[::2]] == [["▁dog", "1.0000"]] * 2


def test_masks_of_many_lines_are_filled(files, monkeypatch, capsys):
    typed(monkeypatch, b"The <mask>.\na <mask> sees <mask>\n")
    main(["fill-mask", *files, "--language", "en", "--n-best", "1"])
    lines = [line.split("\t")[:3] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["1", "1", "▁dog"], ["2", "1", "▁dog"], ["2", "2", "▁dog"]]


def test_pairs_and_layers_have_vectors_too(files, monkeypatch, capsys):
    shown = []
    for text, options in ((b"the cat\tthe dog", []), (b"the cat\tthe dog", ["--layer", "1"]), (b"the cat", [])):
        typed(monkeypatch, text)
        main(["embed", *files, "--language", "en", "--format", "jsonl", *options])
        shown.append(json.loads(capsys.readouterr().out))
    assert [len(vector) for vector in shown] == [16] * 3 and shown[0] != shown[1] != shown[2] != shown[0]
    typed(monkeypatch, b"the cat\tthe dog\nthe cat\n")
    with pytest.raises(SystemExit, match="CorpusError: line 2: 1 fields, expected 2 as before"):
        main(["embed", *files, "--language", "en"])
    typed(monkeypatch, b"the cat")
    with pytest.raises(SystemExit, match="ConfigError: layer 3: the model has 2; 0 is the embeddings"):
        main(["embed", *files, "--language", "en", "--layer", "3"])


def test_classes_have_their_names(files, tmp_path, monkeypatch, capsys):
    model, metadata = checkpoint.load(Path(files[0]))
    torch.manual_seed(0)
    head = ClassificationHead(16, 3, 0.1)
    named = metadata | {"labels": ["no", "maybe", "yes"], "max_tokens": 20}
    checkpoint.save(tmp_path / "c", model, named, head=head)
    lines = []
    for options in ([], ["--format", "jsonl"], ["--line-buffered"]):
        typed(monkeypatch, b"The cat.\tThe dog.\nThe dog sees.\tA cat.\n")
        main(["classify", str(tmp_path / "c"), *files[1:], "--language", "en", *options])
        lines.append(capsys.readouterr().out.splitlines())
    assert lines[0] == lines[2]
    for line, record in zip(lines[0], map(json.loads, lines[1]), strict=True):
        label, probability = line.split("\t")
        assert label == record["label"] == max(record["probabilities"], key=record["probabilities"].get)
        assert float(probability) == round(record["probabilities"][label], 4)
        assert sum(record["probabilities"].values()) == pytest.approx(1)
    with pytest.raises(SystemExit, match=r"CheckpointError: .*without a classification head"):
        main(["classify", *files, "--language", "en"])
    checkpoint.save(tmp_path / "c", model, metadata | {"max_tokens": 20}, head=head)
    with pytest.raises(SystemExit, match=r"CheckpointError: .* does not name its classes"):
        main(["classify", str(tmp_path / "c"), *files[1:], "--language", "en"])


def test_translations_as_json_have_their_lines(translator, monkeypatch, capsys):
    typed(monkeypatch, b"cat dog\n\nbee\n")
    direction = ["--from", "en", "--to", "de", "--beam", "2", "--n-best", "2", "--format", "jsonl"]
    main(["translate", "--model", str(translator), *direction])
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["line"] for record in records] == [1, 2, 3]
    assert records[0]["translations"][0]["text"] == "katze hund" and len(records[2]["translations"]) == 2
    assert records[1]["translations"] == [{"text": "", "score": None}]


def test_a_model_goes_to_hugging_face_and_back(files, tmp_path):
    main(["export-huggingface", *files, "--output", str(tmp_path / "theirs")])
    main(["import-huggingface", str(tmp_path / "theirs"), "--output", str(tmp_path / "ours")])
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == ["model.safetensors", "vocabulary.json"]
    huggingface.write_weights(export_model(*import_model(tmp_path / "theirs")[:2]).weights, tmp_path / "again")
    written = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("theirs", "again")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "FILES", "--language", "de"], "ConfigError: language 'de'"),
        (["embed", "FILES", "--language", "en", "--input", "no such file"], "CorpusError: no such file"),
        (
            ["fill-mask", "FILES", "--language", "en", "--text", "no mask"],
            "CorpusError: 'no mask': expected a text with <mask>",
        ),
        (
            ["import-published", "none.pth", "--codes", "c", "--vocab", "v", "--output", "o"],
            "CheckpointError: none.pth",
        ),
        (["import-huggingface", "none", "--output", "o"], "CheckpointError: none/config.json does not exist"),
        (["translate", "--model", "none", "--from", "en", "--to", "de"], "CheckpointError: none does not exist"),
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
    with pytest.raises(SystemExit, match=r"CorpusError: the standard input"):
        main(["embed", *files, "--language", "en"])


def test_the_version_is_said_also_without_an_installation(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0 and capsys.readouterr().out.startswith("xlm-core")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["embed", "m", "--vocabulary", "v"],
        ["fill-mask", "m", "--vocabulary", "v", "--n-best", "0"],
        ["embed", "m", "--device", "moon"],
    ],
)
def test_wrong_arguments_are_explained_by_the_parser(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.robustness  # the start of a program takes seconds; one that translates has started above
def test_it_runs_as_a_program(files):
    command = [sys.executable, "-m", "xlm_core", "fill-mask", *files, "--language", "en"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    good = subprocess.run([*command, "--text", "<mask>"], capture_output=True, cwd=ROOT, env=environment, timeout=60)
    assert (good.returncode, good.stdout.decode().split("\t")[1]) == (0, "▁dog")
    bad = subprocess.run([*command, "--text", "x"], capture_output=True, cwd=ROOT, env=environment, timeout=60)
    assert bad.returncode == 1
    assert bad.stderr.decode().strip().splitlines() == [bad.stderr.decode().strip()]


@pytest.mark.robustness  # starts programs
def test_what_pipes_and_terminals_do_ends_in_silence_or_one_message(files, tmp_path):
    """A reader that has enough, no input at all, an output that is a folder, a terminal that knows ASCII alone."""

    def run(command: str, **environment: str) -> subprocess.CompletedProcess:
        program = f"{sys.executable} -m xlm_core"
        variables = {**os.environ, **environment}
        shell = f"{command.replace('XLM', program)}"
        return subprocess.run(["bash", "-c", shell], capture_output=True, cwd=ROOT, env=variables, timeout=120)

    model = f"{' '.join(files)} --language en"
    (tmp_path / "text").write_text("the cat\n" * 20000)
    enough = run(f"XLM embed {model} --input {tmp_path / 'text'} --batch-lines 8 | head -1")
    assert len(enough.stdout.splitlines()) == 1 and enough.stderr == b""
    ascii_terminal = run(f"XLM fill-mask {model} --text '<mask>'", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert ascii_terminal.returncode == 0 and "▁dog" in ascii_terminal.stdout.decode()
    wrong = {
        f"XLM embed {model} <&-": "CorpusError: the standard input is closed",
        f"echo a | XLM embed {files[0]} --vocabulary nope.json --language en": "CorpusError: nope.json does not exist",
        f"echo the cat | XLM embed {model} --output {tmp_path / 'text' / 'vectors.npy'}": "NotADirectoryError",
    }
    for command, message in wrong.items():
        ended = run(command)
        (line,) = ended.stderr.decode().splitlines()
        assert ended.returncode == 1 and line.startswith(message), line


def test_a_wrong_path_is_named_in_one_line(files, tmp_path, capsys):
    """Of the model, of its vocabulary, of the text, of the output."""
    model, option, words = files
    command = ["embed", model, option, words, "--language", "en"]
    (tmp_path / "file").write_text("a\n")
    for changed, expected in (
        ({model: "none"}, "CheckpointError: none does not exist; expected a model.safetensors"),
        ({model: str(tmp_path)}, f"CheckpointError: {tmp_path} is a folder, not a file"),
        ({words: "none"}, "CorpusError: none does not exist; expected a vocabulary.json"),
        ({words: str(tmp_path)}, f"CorpusError: {tmp_path} is a folder, not a file"),
    ):
        with pytest.raises(SystemExit) as caught:
            main([changed.get(word, word) for word in command] + ["--input", str(tmp_path / "file")])
        assert str(caught.value).startswith(expected) and "\n" not in str(caught.value)
    for wrong, problem in (("none", "does not exist"), (str(tmp_path), "is a folder, not a file")):
        with pytest.raises(SystemExit, match=f"CorpusError: {wrong} {problem}; expected UTF-8 text"):
            main([*command, "--input", wrong])
    with pytest.raises(SystemExit):
        main([*command, "--output", str(tmp_path)])
    assert f"--output: {tmp_path} is a folder, expected the name of a file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export-huggingface", *files, "--output", str(tmp_path / "file" / "below")])
    assert "below is a file or within one, expected the name of a folder" in capsys.readouterr().err
