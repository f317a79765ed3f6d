"""What all sections of the configuration share: strict reading, and mistakes explained in one line each."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from xlm_core.errors import ConfigError
from xlm_core.languages import CODE, NAMES, is_pair, sides

Positive = Field(gt=0)
Seed = Annotated[int, Field(ge=0)]


class StrictModel(BaseModel):
    """A part of the configuration: unknown keys and wrong types are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnyModel = TypeVar("AnyModel", bound=StrictModel)


def read(section: type[AnyModel], data: Any, path: str = "config", names: Mapping[str, Any] | None = None) -> AnyModel:
    """Check one section of a configuration.

    Args:
        section: the class of the section.
        data: plain dictionaries and lists.
        path: of the section, in messages.
        names: kind -> the names that the configuration defines, see ``defined_names``; None: names are not checked.

    Raises:
        ConfigError: one line per mistake, each with the key's path, what was found and what is allowed.
    """
    try:
        return section.model_validate(data, context=names)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        lines = [_explain(item, section, path) for item in unknown_first]
        raise ConfigError("\n".join(lines)) from None


def restore_types(config: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Read numbers, booleans and null in values of the command line as YAML does: Snakemake leaves them text.

    Args:
        config: the whole configuration, which is changed: in it stand the values of ``given``.
        given: the values of ``--config``, or a section of them.
    """
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            restore_types(config[key], value)
        elif config.get(key) == value:
            config[key] = _restored(value)


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _restored(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_restored(each) for each in value]
    if not isinstance(value, str):
        return value
    try:
        plain = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return plain if plain is None or isinstance(plain, bool | int | float) else value


def to_dict(section: StrictModel) -> dict[str, Any]:
    """Return a section as dictionaries and lists with every default, the form of a rule's ``params``."""
    return section.model_dump(mode="json")


def check_names(names: Iterable[object], allowed: Any, path: str) -> None:
    """Refuse names that are not defined, and suggest the one that may have been meant."""
    for name in names:
        if name not in allowed:
            raise ValueError(f"{path}: unknown name '{name}'{did_you_mean(str(name), allowed)}")


def _defined(kind: str) -> AfterValidator:
    """Make a validator that refuses a name which the configuration does not define."""

    def check(name: str, info: ValidationInfo) -> str:
        names = info.context and info.context.get(kind)
        if names is not None and name not in names:
            raise ValueError(f"unknown name '{name}'{did_you_mean(name, names)}")
        return name

    return AfterValidator(check)


RunName = Annotated[str, _defined("runs")]
SetupName = Annotated[str, _defined("setups")]
CorpusName = Annotated[str, _defined("corpora")]
VectorsName = Annotated[str, _defined("vectors")]  # a run or a baseline of word embeddings
PublishedKey = Annotated[str, _defined("published")]  # of a row in xlm_core/published/published.yaml


def named_run(row: Any) -> Any:
    """Return the section that the name of a run alone stands for."""
    return {"run": row} if isinstance(row, str) else row


def _check_language(code: Any) -> Any:
    """Refuse what is no code of a language, and say what to write."""
    if code is False:
        raise ValueError("YAML reads no as false; write 'no', in quotes, for Norwegian")
    if isinstance(code, str) and is_pair(code):
        raise ValueError(f"expected one language, found '{code}'{_variant_hint(code)}")
    if isinstance(code, str) and not re.fullmatch(CODE, code):
        codes = [known for known, name in NAMES.items() if name.casefold() == code.casefold()]
        codes += [code.lower()] if re.fullmatch(CODE, code.lower()) else []
        remedy = f"write {codes[0]}" if codes else "write one of two or three small letters, such as en"
        raise ValueError(f"'{code}' is no code of a language; {remedy}")
    return code


def _variant_hint(code: str) -> str:
    """Say how to write a variant of a language with a country or a script (``pt-BR``); empty for any other code."""
    written = code.replace("-", "_")
    is_variant = re.fullmatch("[a-z]{2,3}_([A-Z]{2}|[A-Z][a-z]{3})", written)
    return f"; a variant of a language is written with an underscore: {written}" if is_variant else ""


def _check_key(key: Any) -> Any:
    """Refuse what is neither a code of a language nor a pair of two codes in alphabetical order."""
    if not isinstance(key, str) or not is_pair(key):
        return _check_language(key)
    if hint := _variant_hint(key):
        raise ValueError(f"'{key}' is no pair{hint}")
    codes = [_check_language(code) for code in sides(key)]
    if len(codes) != 2 or codes != sorted(set(codes)):
        expected = "-".join(sorted(set(codes))) if len(set(codes)) == 2 else "two of them, such as en-fr"
        raise ValueError(f"'{key}' is no pair: the codes of two languages, in alphabetical order; write {expected}")
    return key


LanguageCode = Annotated[str, BeforeValidator(_check_language)]
LanguageKey = Annotated[str, BeforeValidator(_check_key)]  # of a language or of a pair


def did_you_mean(word: str, names: Any) -> str:
    """Return what to write instead of a misspelt ``word``: the closest name, or all of them."""
    allowed = [str(name) for name in names]
    close = difflib.get_close_matches(word, allowed, n=1)
    return f" (did you mean '{close[0]}'?)" if close else f"; allowed are {', '.join(allowed)}"


def _explain(item: Any, section: type[StrictModel], root: str) -> str:
    """Return one mistake in one line: the key's path, and what was found instead of what."""
    *parents, last = item["loc"] or ("",)
    path = ".".join(str(part) for part in (root, *item["loc"]) if part != "[key]")
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key{did_you_mean(str(last), _allowed_keys(section, parents))}"
    if item["type"] == "missing":
        return f"{path}: this key is missing"
    if item["type"] == "value_error":
        return f"{path}: {item['ctx']['error']}"
    value = item["input"]
    hint = " (YAML needs a dot in such a number: 1.0e-4)" if isinstance(value, str) and "e" in value else ""
    return f"{path}: {item['msg']}, found {value!r}{hint}"


def _allowed_keys(annotation: Any, parents: list[Any]) -> list[str]:
    """Return the keys of the section that ``parents`` lead to through sections, ``dict``, ``list`` and ``| None``."""
    for key in parents:
        is_section = hasattr(annotation, "model_fields")
        annotation = annotation.model_fields[key].annotation if is_section else get_args(annotation)[-1]
        if type(None) in get_args(annotation):
            annotation = get_args(annotation)[0]
    return list(annotation.model_fields)
