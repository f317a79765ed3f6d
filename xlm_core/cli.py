"""The command line, ``xlm`` or ``python -m xlm_core``: convert models, and apply them to text."""

import argparse
import io
import json
import logging
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from xlm_core.config import DecodingConfig, read
from xlm_core.errors import ConfigError, CorpusError, XlmError
from xlm_core.interop import convert
from xlm_core.io import atomic, decode_lines, open_binary, read_problem
from xlm_core.tasks.classification.predict import ClassificationPipeline
from xlm_core.tasks.inference import (
    BATCH_TOKENS,
    SentenceEncoder,
    TranslationPipeline,
    embed,
    fill_mask,
    preparation,
)
from xlm_core.text.tokenize import tokenize_line
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.version import PROJECT, VERSION

WORKFLOW = (
    "Models are trained by a Snakemake workflow, which is not part of the installed package: clone the project's "
    "repository and type `snakemake xnli_table` in its folder, beside its file `Snakefile`."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error that the user can mend ends it with one message and exit status 1."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    options = command_line().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # whatever the terminal says of itself
    try:
        options.run(options)
    except BrokenPipeError:  # the reader has enough, and Python is not to say so when it flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (XlmError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def command_line() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="xlm", description="Convert and use trained models.", epilog=WORKFLOW)
    parser.add_argument("--version", action="version", version=f"{PROJECT} {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_conversions(commands)
    _add_inference(commands)
    return parser


def _add_conversions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands that read or write the files of other programs."""
    folder = "output folder for model.safetensors and vocabulary.json"
    command = commands.add_parser("import-published", help="convert a checkpoint that was published with XLM")
    command.add_argument("checkpoint", type=Path, metavar="MODEL.pth")
    command.add_argument("--codes", type=Path, required=True, help="byte-pair codes of fastBPE")
    command.add_argument("--vocab", type=Path, required=True, help="the whole vocabulary file of fastBPE")
    command.add_argument("--output", type=_new_folder, required=True, help=folder)
    command.set_defaults(run=lambda o: convert.import_original(o.checkpoint, o.codes, o.vocab, o.output))

    command = commands.add_parser("import-huggingface", help="convert a folder of transformers")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--output", type=_new_folder, required=True, help=folder)
    command.add_argument("--languages", nargs="+", default=[], help="of a model that does not tell languages apart")
    command.set_defaults(run=lambda o: convert.import_huggingface(o.folder, o.languages, o.output))

    command = commands.add_parser(
        "export-huggingface", parents=[_model_arguments()], help="write a folder that transformers can load"
    )
    command.add_argument(
        "--output", type=_new_folder, required=True, help="output folder for the model and its tokenizer"
    )
    command.add_argument("--language", help="of a model that reads this language alone and need not be told it")
    command.add_argument("--license", default="other", help="its name on the Hugging Face hub (default: %(default)s)")
    command.set_defaults(
        run=lambda o: convert.export_huggingface(o.model, o.vocabulary, o.output, o.language, o.license)
    )


def _add_inference(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands that apply a model to text."""
    fields = "a file with one sentence per line, or two with a tab between (default: standard input)"
    lines = "a file with one sentence per line (default: standard input)"
    model = [_model_arguments(), _text_arguments()]
    encoder = [*model, _running_arguments(fields), _batch_arguments()]
    description = (
        "XLM is not trained to embed sentences: before fine-tuning, the cosine of two vectors says little about "
        "whether sentences mean the same."
    )
    command = commands.add_parser(
        "embed", parents=encoder, help="print one vector per sentence, or per pair", description=description
    )
    pooled = "of all states, with the symbols around a sentence, or the first one (default: %(default)s)"
    command.add_argument("--pooling", choices=("first", "mean", "max"), default="mean", help=pooled)
    command.add_argument("--layer", type=_whole, help="whose states, 0: the embeddings (default: the last)")
    command.add_argument("--format", choices=("tsv", "jsonl"), default="tsv")
    command.add_argument("--output", type=_new_file, help="an .npy file (default: lines on standard output)")
    command.set_defaults(run=_embed)

    command = commands.add_parser("classify", parents=encoder, help="print the class of each sentence or pair")
    command.add_argument("--format", choices=("tsv", "jsonl"), default="tsv", help="tsv: class, its probability")
    command.set_defaults(run=_classify)

    parents = [*model, _running_arguments(lines)]
    command = commands.add_parser("fill-mask", parents=parents, help="print the most likely pieces at each <mask>")
    command.add_argument("--text", help='a sentence such as "the <mask> sleeps" (default: the lines of --input)')
    command.add_argument("--n-best", type=_positive, default=5, help="pieces per mask (default: %(default)s)")
    command.set_defaults(run=_fill_mask)

    parents = [_running_arguments(lines), _batch_arguments()]
    command = commands.add_parser("translate", parents=parents, help="translate text line by line")
    command.add_argument("--model", type=Path, required=True, help="model.safetensors of a translator, or its folder")
    command.add_argument("--vocabulary", type=Path, help="vocabulary.json (default: the one in the model's folder)")
    command.add_argument("--from", dest="source", required=True, metavar="LANGUAGE", help="source language code")
    command.add_argument("--to", dest="target", required=True, metavar="LANGUAGE", help="target language code")
    command.add_argument("--beam", type=_positive, default=1, help="beam size (default: 1, greedy)")
    command.add_argument("--length-penalty", type=float, default=1.0, help="of the beam (default: %(default)s)")
    command.add_argument("--n-best", type=_positive, default=1, help="translations per line, with their scores")
    command.add_argument("--format", choices=("text", "jsonl"), default="text")
    command.set_defaults(run=_translate)


def _model_arguments() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("model", type=Path, metavar="MODEL.safetensors")
    parent.add_argument("--vocabulary", type=Path, required=True, help="vocabulary.json of the model")
    return parent


def _text_arguments() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--language", required=True, help="code of the text's language, one of the model's")
    parent.add_argument("--tokenized", action="store_true", help="the text is prepared like the model's corpora")
    return parent


def _running_arguments(lines: str) -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--input", type=Path, help=lines)
    parent.add_argument("--device", type=_device, help="such as cpu or cuda:1 (default: a GPU, if there is one)")
    parent.add_argument("--batch-lines", type=_positive, default=256, help="read at once (default: %(default)s)")
    parent.add_argument("--line-buffered", action="store_true", help="answer each line before the next one is read")
    return parent


def _batch_arguments() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--batch-tokens", type=_positive, default=BATCH_TOKENS, help="at once (default: %(default)s)")
    return parent


def _embed(options: argparse.Namespace) -> None:
    encoder = SentenceEncoder(options.model, options.vocabulary, options.language, options.device)
    prepare = _preparation(encoder.vocabulary, options)
    batches = []
    for examples in _examples(options, prepare):
        vectors = embed(encoder, examples, options.pooling, options.layer, options.batch_tokens).numpy()
        if options.output is not None:
            batches.append(vectors)
        elif options.format == "tsv":
            np.savetxt(sys.stdout, vectors, fmt="%.7g", delimiter="\t")
        else:
            sys.stdout.writelines(f"{json.dumps([float(f'{x:.7g}') for x in row])}\n" for row in vectors.tolist())
        sys.stdout.flush()
    if options.output is not None:
        array = io.BytesIO()  # NumPy would not notice that the last bytes of a file have no room
        np.save(array, np.concatenate(batches))
        with atomic(options.output) as path:
            path.write_bytes(array.getbuffer())


def _classify(options: argparse.Namespace) -> None:
    pipeline = ClassificationPipeline(options.model, options.vocabulary, options.language, options.device)
    for examples in _examples(options, _preparation(pipeline.vocabulary, options)):
        for label, probabilities in pipeline.classify(examples, options.batch_tokens):
            if options.format == "jsonl":
                record = {"label": label, "probabilities": probabilities} if probabilities else {"score": float(label)}
                sys.stdout.write(f"{json.dumps(record, ensure_ascii=False)}\n")
            else:
                sys.stdout.write(f"{label}\t{probabilities[label]:.4f}\n" if probabilities else f"{label}\n")
        sys.stdout.flush()


def _fill_mask(options: argparse.Namespace) -> None:
    encoder = SentenceEncoder(options.model, options.vocabulary, options.language, options.device)
    prepare = _preparation(encoder.vocabulary, options)
    is_single = options.text is not None
    if is_single and options.input:
        raise ConfigError("give either --text or --input")
    lines = [options.text] if is_single else (line for batch in _batches(options) for line in batch)
    for line_number, line in enumerate(lines, start=1):
        begin = "" if is_single else f"{line_number}\t"
        for number, best in enumerate(fill_mask(encoder, line, options.n_best, prepare), start=1):
            sys.stdout.writelines(f"{begin}{number}\t{piece}\t{probability:.4f}\n" for piece, probability in best)
        sys.stdout.flush()


def _translate(options: argparse.Namespace) -> None:
    """Translate batch after batch, so that a pipe receives its first translations early."""
    model = options.model / convert.MODEL if options.model.is_dir() else options.model
    vocabulary = options.vocabulary or model.with_name(convert.VOCABULARY)
    pipeline = TranslationPipeline(model, vocabulary, options.device)
    pipeline.check_direction(options.source, options.target)
    settings = {"beam_size": options.beam, "n_best": options.n_best, "length_penalty": options.length_penalty}
    decoding, number = read(DecodingConfig, settings, path="translate"), 0
    for lines in _batches(options):
        for best in pipeline.translate(lines, options.source, options.target, decoding, options.batch_tokens):
            number += 1
            if options.format == "jsonl":
                translations = [{"text": each.text, "score": each.score} for each in best]
                record = {"line": number, "translations": translations}
                sys.stdout.write(f"{json.dumps(record, ensure_ascii=False)}\n")
                continue
            for translation in best:
                score = f"{translation.score or 0:.4f}\t" if options.n_best > 1 else ""
                sys.stdout.write(f"{score}{translation.text}\n")
        sys.stdout.flush()


def _examples(options: argparse.Namespace, prepare: Callable[[str], str]) -> Iterator[list[list[str]]]:
    """Yield prepared examples, all of one sentence or all of two, a batch of lines at a time."""
    n_fields, number = None, 0
    for lines in _batches(options):
        examples = []
        for line in lines:
            number += 1
            fields = line.split("\t")
            if len(fields) > 2 or len(fields) != (n_fields or len(fields)):
                expected = f"{n_fields} as before" if n_fields else "one sentence, or two with a tab between them"
                raise CorpusError(f"line {number}: {len(fields)} fields, expected {expected}")
            n_fields = len(fields)
            examples.append([prepare(field) for field in fields])
        yield examples


def _batches(options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the lines of the input, some at a time, with their progress on a terminal."""
    path, size = options.input, 1 if options.line_buffered else options.batch_lines
    if path is None and sys.stdin is None:
        raise CorpusError("the standard input is closed; give --input, a file with one sentence per line")
    try:
        stream = sys.stdin.buffer if path is None else open_binary(path)
    except OSError as error:
        raise CorpusError(f"{path} {read_problem(path, error)}; expected UTF-8 text, one sentence per line") from error
    with stream as file, tqdm(unit=" lines", disable=None, file=sys.stderr) as progress:
        lines, n_lines = decode_lines(file, str(path or "the standard input")), 0
        while batch := list(islice(lines, size)):
            yield batch
            n_lines += len(batch)
            progress.update(len(batch))
        if not n_lines:
            raise CorpusError(f"{path or 'the standard input'}: no sentences; give one per line")


def _preparation(vocabulary: Vocabulary, options: argparse.Namespace) -> Callable[[str], str]:
    """Return the function that prepares a sentence like the model's corpora."""
    if options.tokenized:  # text that is stripped of accents is decomposed, and stays so
        keeps_accents = vocabulary.text is not None and not vocabulary.text.strip_accents
        return partial(unicodedata.normalize, "NFC") if keeps_accents else str
    return partial(tokenize_line, language=options.language, text=preparation(vocabulary, options.vocabulary))


def _device(text: str) -> str:
    try:
        torch.zeros(1, device=text).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used ({str(error).splitlines()[0]})") from error
    return text


def _new_file(text: str) -> Path:
    if (path := Path(text)).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, expected the name of a file")
    return path


def _new_folder(text: str) -> Path:
    if any(path.exists() and not path.is_dir() for path in (Path(text), *Path(text).parents)):
        raise argparse.ArgumentTypeError(f"{text} is a file or within one, expected the name of a folder")
    return Path(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or text == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
