"""The command line: ``python -m xlm_core``. Models in and out, and what a model says about a text."""

import argparse
import io
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import torch
from tqdm import tqdm

from xlm_core.config import DecodingConfig, Text, read
from xlm_core.errors import CorpusError, XlmError
from xlm_core.interop import convert
from xlm_core.interop.convert import MODEL, VOCABULARY
from xlm_core.io import atomic, decode_lines, open_binary
from xlm_core.tasks.inference import embed, fill_mask
from xlm_core.tasks.inference.encoder import SentenceEncoder
from xlm_core.tasks.inference.translate import Translation, TranslationPipeline
from xlm_core.text.normalize import compose
from xlm_core.text.tokenize import tokenize_line

TOKENS_PER_BATCH = 4096  # of translations that are searched for at once


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; end with one message, and exit status 1, at an error that the user can mend."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except XlmError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m xlm_core", description="Models in and out, and in use.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_exchange(commands)
    _add_use(commands)
    return parser


def _add_exchange(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Commands that read or write the files of other programs."""
    command = commands.add_parser("import-published", help="a checkpoint as XLM published them becomes a folder")
    command.add_argument("checkpoint", type=Path, metavar="MODEL.pth")
    command.add_argument("--codes", type=Path, required=True, help="byte-pair codes of fastBPE")
    command.add_argument("--vocab", type=Path, required=True, help="the vocabulary of fastBPE, not cut")
    command.add_argument("--output", type=Path, required=True, help="folder for model.safetensors, vocabulary.json")
    command.set_defaults(run=lambda o: convert.import_original(o.checkpoint, o.codes, o.vocab, o.output))

    command = commands.add_parser("import-huggingface", help="a folder of transformers becomes one of this program")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--output", type=Path, required=True, help="folder for model.safetensors, vocabulary.json")
    command.set_defaults(run=lambda o: convert.import_huggingface(o.folder, o.output))

    command = commands.add_parser("export-huggingface", help="write a folder that transformers can load")
    _add_model(command)
    command.add_argument("--labels", nargs="+", help="the model is a fine-tuned classifier with these classes")
    command.add_argument("--output", type=Path, required=True, help="folder for the model and its tokenizer")
    command.set_defaults(run=lambda o: convert.export_huggingface(o.model, o.vocabulary, o.output, o.labels))


def _add_use(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Commands that show a model sentences."""
    command = commands.add_parser("embed", help="one vector per sentence", description=embed.__doc__)
    _add_model(command)
    _add_text(command)
    command.add_argument("--input", type=Path, help="sentences, one per line; without it, the standard input")
    command.add_argument("--pooling", choices=("first", "mean", "max"), default="mean")
    command.add_argument("--output", type=Path, help="an .npy file; without it, TSV goes to the standard output")
    command.set_defaults(run=_embed)

    command = commands.add_parser("translate", help="text in another language, line by line")
    command.add_argument("--model", type=Path, required=True, help="model.safetensors of a translator, or its folder")
    command.add_argument("--vocabulary", type=Path, help="vocabulary.json of the model, if it is not in its folder")
    command.add_argument("--from", dest="source", required=True, metavar="LANGUAGE", help="code of the text's language")
    command.add_argument("--to", dest="target", required=True, metavar="LANGUAGE", help="code of the translation's")
    command.add_argument("--input", type=Path, help="sentences, one per line; without it, the standard input")
    command.add_argument("--beam", type=_positive, default=1, help="width of the beam (default: 1, greedy)")
    command.add_argument("--length-penalty", type=float, default=1.0, help="of the beam (default: %(default)s)")
    command.add_argument("--n-best", type=_positive, default=1, help="translations per line, with their scores")
    command.add_argument("--batch-lines", type=_positive, default=256, help="read at once (default: %(default)s)")
    command.set_defaults(run=_translate)

    command = commands.add_parser("fill-mask", help="the likeliest pieces at each <mask>")
    _add_model(command)
    _add_text(command)
    command.add_argument("text", help='a sentence such as "the <mask> sleeps"')
    command.add_argument("--n-best", type=_positive, default=5, help="pieces per mask (default: %(default)s)")
    command.set_defaults(run=_fill_mask)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, metavar="MODEL.safetensors")
    command.add_argument("--vocabulary", type=Path, required=True, help="vocabulary.json of the model")


def _add_text(command: argparse.ArgumentParser) -> None:
    command.add_argument("--language", required=True, help="code of the text's language, one of the model's")
    command.add_argument("--tokenized", action="store_true", help="the text is as the model's corpora: leave it alone")
    command.add_argument("--keep-case", action="store_true", help="the model's text was not lower-cased")
    command.add_argument("--keep-accents", action="store_true", help="the model's text was not stripped of accents")


def _embed(options: argparse.Namespace) -> None:
    reader, clean = _reader(options), _cleaning(options)
    vectors = embed.embed(reader, [clean(line) for line in _lines(options.input)], options.pooling).numpy()
    if options.output is None:
        np.savetxt(sys.stdout, vectors, fmt="%.7g", delimiter="\t")
        return
    array = io.BytesIO()  # into a file NumPy would write by itself, and not notice where the last bytes have no room
    np.save(array, vectors)
    with atomic(options.output) as path:
        path.write_bytes(array.getbuffer())


def _fill_mask(options: argparse.Namespace) -> None:
    filled = fill_mask.fill(_reader(options), options.text, options.n_best, _cleaning(options))
    for number, best in enumerate(filled, start=1):
        sys.stdout.writelines(f"{number}\t{piece}\t{probability:.4f}\n" for piece, probability in best)


def _translate(options: argparse.Namespace) -> None:
    """Lines in, lines out, some at a time, so that a pipe sees its first translations early."""
    model = options.model / MODEL if options.model.is_dir() else options.model
    interpreter = TranslationPipeline.open(model, options.vocabulary or model.with_name(VOCABULARY), _device())
    interpreter.check(options.source, options.target)
    decoding = read(
        DecodingConfig,
        {"beam_size": options.beam, "n_best": options.n_best, "length_penalty": options.length_penalty},
        path="translate",
    )
    with tqdm(unit=" lines", disable=None, file=sys.stderr) as progress:
        for lines in _portions(options.input, options.batch_lines):
            found = interpreter.translate(lines, options.source, options.target, decoding, TOKENS_PER_BATCH)
            for best in found:
                sys.stdout.writelines(_shown(one, with_score=options.n_best > 1) for one in best)
            sys.stdout.flush()
            progress.update(len(lines))


def _shown(translation: Translation, with_score: bool) -> str:
    """A line of the output: a translation, before it its score where there are several."""
    return f"{translation.score or 0:.4f}\t{translation.text}\n" if with_score else f"{translation.text}\n"


def _portions(path: Path | None, size: int) -> Iterator[list[str]]:
    """The sentences of a file or of the standard input as they come, at most ``size`` at a time."""
    place = str(path or "the standard input")
    with sys.stdin.buffer if path is None else _opened(path) as file:
        lines = decode_lines(file, place)
        while some := list(islice(lines, size)):
            yield some


def _opened(path: Path) -> IO[bytes]:
    try:
        return open_binary(path)
    except OSError as error:
        raise CorpusError(f"{path}: {error}; expected UTF-8 text, one sentence per line") from error


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _reader(options: argparse.Namespace) -> SentenceEncoder:
    return SentenceEncoder.open(options.model, options.vocabulary, options.language, _device())


def _cleaning(options: argparse.Namespace) -> Callable[[str], str]:
    """What makes tokens of a line."""
    if options.tokenized:  # without its accents the text of a model's corpora is decomposed
        return compose if options.keep_accents else str
    text = Text(lowercase=not options.keep_case, strip_accents=not options.keep_accents)
    return partial(tokenize_line, language=options.language, text=text)


def _lines(path: Path | None) -> list[str]:
    """The sentences, of a file or of the standard input."""
    try:
        with sys.stdin.buffer if path is None else open_binary(path) as file:
            text = file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        place = path or "the standard input"
        raise CorpusError(f"{place}: {error}; expected UTF-8 text, one sentence per line") from error
    return text.removesuffix("\n").split("\n") if text else []  # str.splitlines would split at U+2028 as well


def _positive(text: str) -> int:
    if not text.isdecimal() or text == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


if __name__ == "__main__":
    main()
