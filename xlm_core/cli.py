"""The command line, ``python -m xlm_core``: convert models, and apply them to text."""

import argparse
import io
import logging
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xlm_core.config import DecodingConfig, Text, read
from xlm_core.errors import CorpusError, XlmError
from xlm_core.interop import convert
from xlm_core.io import atomic, decode_lines, open_binary
from xlm_core.tasks.inference import SentenceEncoder, TranslationPipeline, embed, fill_mask
from xlm_core.text.tokenize import tokenize_line

TOKENS_PER_BATCH = 4096  # of translations that are decoded at once


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error that the user can mend ends it with one message and exit status 1."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    parser = argparse.ArgumentParser(prog="python -m xlm_core", description="Convert and use trained models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_conversions(commands)
    _add_inference(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except XlmError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _add_conversions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands that read or write the files of other programs."""
    folder = "output folder for model.safetensors and vocabulary.json"
    command = commands.add_parser("import-published", help="convert a checkpoint that was published with XLM")
    command.add_argument("checkpoint", type=Path, metavar="MODEL.pth")
    command.add_argument("--codes", type=Path, required=True, help="byte-pair codes of fastBPE")
    command.add_argument("--vocab", type=Path, required=True, help="the whole vocabulary file of fastBPE")
    command.add_argument("--output", type=Path, required=True, help=folder)
    command.set_defaults(run=lambda o: convert.import_original(o.checkpoint, o.codes, o.vocab, o.output))

    command = commands.add_parser("import-huggingface", help="convert a folder of transformers")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--output", type=Path, required=True, help=folder)
    command.set_defaults(run=lambda o: convert.import_huggingface(o.folder, o.output))

    command = commands.add_parser(
        "export-huggingface", parents=[_model_arguments()], help="write a folder that transformers can load"
    )
    command.add_argument("--labels", nargs="+", help="class names, if the model is a fine-tuned classifier")
    command.add_argument("--output", type=Path, required=True, help="output folder for the model and its tokenizer")
    command.set_defaults(run=lambda o: convert.export_huggingface(o.model, o.vocabulary, o.output, o.labels))


def _add_inference(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands that apply a model to text."""
    sentences = "a file with one sentence per line (default: standard input)"
    encoder = [_model_arguments(), _text_arguments()]
    description = (
        "XLM is not trained to embed sentences: before fine-tuning, the cosine of two vectors says little about "
        "whether sentences mean the same."
    )
    command = commands.add_parser(
        "embed", parents=encoder, help="print one vector per sentence", description=description
    )
    command.add_argument("--input", type=Path, help=sentences)
    command.add_argument("--pooling", choices=("first", "mean", "max"), default="mean")
    command.add_argument("--output", type=Path, help="an .npy file (default: TSV on standard output)")
    command.set_defaults(run=_embed)

    command = commands.add_parser("translate", help="translate text line by line")
    command.add_argument("--model", type=Path, required=True, help="model.safetensors of a translator, or its folder")
    command.add_argument("--vocabulary", type=Path, help="vocabulary.json (default: the one in the model's folder)")
    command.add_argument("--from", dest="source", required=True, metavar="LANGUAGE", help="source language code")
    command.add_argument("--to", dest="target", required=True, metavar="LANGUAGE", help="target language code")
    command.add_argument("--input", type=Path, help=sentences)
    command.add_argument("--beam", type=_positive, default=1, help="beam size (default: 1, greedy)")
    command.add_argument("--length-penalty", type=float, default=1.0, help="of the beam (default: %(default)s)")
    command.add_argument("--n-best", type=_positive, default=1, help="translations per line, with their scores")
    command.add_argument("--batch-lines", type=_positive, default=256, help="lines per batch (default: %(default)s)")
    command.set_defaults(run=_translate)

    command = commands.add_parser("fill-mask", parents=encoder, help="print the most likely pieces at each <mask>")
    command.add_argument("text", help='a sentence such as "the <mask> sleeps"')
    command.add_argument("--n-best", type=_positive, default=5, help="pieces per mask (default: %(default)s)")
    command.set_defaults(run=_fill_mask)


def _model_arguments() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("model", type=Path, metavar="MODEL.safetensors")
    parent.add_argument("--vocabulary", type=Path, required=True, help="vocabulary.json of the model")
    return parent


def _text_arguments() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--language", required=True, help="code of the text's language, one of the model's")
    parent.add_argument("--tokenized", action="store_true", help="the text is tokenized like the model's corpora")
    parent.add_argument("--keep-case", action="store_true", help="the model's text was not lower-cased")
    parent.add_argument("--keep-accents", action="store_true", help="the model's text was not stripped of accents")
    return parent


def _embed(options: argparse.Namespace) -> None:
    encoder, tokenize = _encoder_and_tokenizer(options)
    sentences = [tokenize(line) for lines in _batches(options.input, 1024) for line in lines]
    vectors = embed(encoder, sentences, options.pooling).numpy()
    if options.output is None:
        np.savetxt(sys.stdout, vectors, fmt="%.7g", delimiter="\t")
        return
    array = io.BytesIO()  # NumPy would not notice that the last bytes of a file have no room
    np.save(array, vectors)
    with atomic(options.output) as path:
        path.write_bytes(array.getbuffer())


def _fill_mask(options: argparse.Namespace) -> None:
    encoder, tokenize = _encoder_and_tokenizer(options)
    for number, best in enumerate(fill_mask(encoder, options.text, options.n_best, tokenize), start=1):
        sys.stdout.writelines(f"{number}\t{piece}\t{probability:.4f}\n" for piece, probability in best)


def _translate(options: argparse.Namespace) -> None:
    """Translate batch after batch, so that a pipe receives its first translations early."""
    model = options.model / convert.MODEL if options.model.is_dir() else options.model
    pipeline = TranslationPipeline(model, options.vocabulary or model.with_name(convert.VOCABULARY))
    pipeline.check_direction(options.source, options.target)
    settings = {"beam_size": options.beam, "n_best": options.n_best, "length_penalty": options.length_penalty}
    decoding = read(DecodingConfig, settings, path="translate")
    with tqdm(unit=" lines", disable=None, file=sys.stderr) as progress:
        for lines in _batches(options.input, options.batch_lines):
            for best in pipeline.translate(lines, options.source, options.target, decoding, TOKENS_PER_BATCH):
                for translation in best:
                    score = f"{translation.score or 0:.4f}\t" if options.n_best > 1 else ""
                    sys.stdout.write(f"{score}{translation.text}\n")
            sys.stdout.flush()
            progress.update(len(lines))


def _batches(path: Path | None, size: int) -> Iterator[list[str]]:
    """Yield the sentences of a file or of the standard input, at most ``size`` at a time."""
    try:
        stream = sys.stdin.buffer if path is None else open_binary(path)
    except OSError as error:
        raise CorpusError(f"{path}: {error}; expected UTF-8 text, one sentence per line") from error
    with stream as file:
        lines = decode_lines(file, str(path or "the standard input"))
        while batch := list(islice(lines, size)):
            yield batch


def _encoder_and_tokenizer(options: argparse.Namespace) -> tuple[SentenceEncoder, Callable[[str], str]]:
    """Open the encoder, and return the function that makes tokens of a line for it."""
    encoder = SentenceEncoder(options.model, options.vocabulary, options.language)
    if options.tokenized:  # text that is stripped of accents is decomposed, and stays so
        return encoder, partial(unicodedata.normalize, "NFC") if options.keep_accents else str
    text = Text(lowercase=not options.keep_case, strip_accents=not options.keep_accents)
    return encoder, partial(tokenize_line, language=options.language, text=text)


def _positive(text: str) -> int:
    if not text.isdecimal() or text == "0":
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
