"""The JSON schema of a configuration, for editors, and the page of all keys; both are made of the types and comments.

    python -m xlm_core.config.schema

writes ``configs/schema.json`` and ``docs/configuration.md``. What a key means stands in ``config.yaml`` alone.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from xlm_core.config.configuration import Config
from xlm_core.io import write_text

ROOT = Path(__file__).parents[2]
LIST_ENTRY = re.compile(r" {2,4}(\w+) +(\S.*)")  # key and meaning
ONE_OF = "exactly one of"  # of the keys that follow in such a list
COMMENT = re.compile(r"(?:^|\s)# ?(.*)$")
HEADER = """# Configuration

Every key, its type, its value where it is left out, and what it means. The default configuration, `config.yaml`,
explains them where they stand; this page is made of it and of the types by `python -m xlm_core.config.schema`.
"""
Schema = dict[str, Any]
KeyPath = tuple[str, ...]


def json_schema(text: str) -> Schema:
    """Return the schema of a configuration, or of a part that is laid over another: no key is required.

    Args:
        text: a configuration whose comments describe the keys.
    """
    schema = Config.model_json_schema()
    for part in _parts(schema):
        part.pop("required", None)
        part.pop("title", None)
    for path, comment in comments(text):
        if key := _property(schema, path):
            keys = _section(schema, key.get("additionalProperties") or key.get("items") or {}).get("properties", {})
            summary, of_keys = split_comment(comment, keys)
            key.setdefault("description", summary)
            for name, meaning in of_keys.items():
                keys[name].setdefault("description", meaning)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def comments(text: str) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path of each key in block style that has a comment, and the comment: lines above it, or at its end."""
    lines = text.splitlines()
    for path, number, column in _keys(yaml.compose(text, Loader=yaml.SafeLoader), ()):
        above: list[str] = []
        for line in reversed(lines[:number]):
            if not line.startswith(" " * column + "#"):
                break
            above.insert(0, COMMENT.search(line).group(1))  # type: ignore[union-attr]
        at_end = COMMENT.search(re.sub(r"\"[^\"]*\"|'[^']*'", "", lines[number]))
        if shown := [*above, *([at_end[1]] if at_end else [])]:
            yield path, "\n".join(shown)


def split_comment(comment: str, keys: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Split a comment that lists the keys of a section, one after the other and indented, from what it says of all.

    Args:
        comment: the lines.
        keys: of the section; other words that begin a line belong to the key before them.
    """
    summary: list[str] = []
    of_keys: dict[str, list[str]] = {}
    current = summary
    for line in comment.split("\n"):
        if (entry := LIST_ENTRY.fullmatch(line)) and entry[1] in keys:
            current = of_keys.setdefault(entry[1], [])
            current.append(entry[2])
        elif line.startswith("  ") and of_keys and line.strip() != ONE_OF:
            current.append(line)
        elif line.strip() != ONE_OF:
            summary.append(line)
    return "\n".join(summary), {name: "\n".join(lines) for name, lines in of_keys.items()}


def _keys(node: yaml.Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, int, int]]:
    """Yield path, line and column of each key of the mappings in block style."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line, key.start_mark.column
            yield from _keys(value, (*path, key.value))


def _parts(schema: Any) -> Iterator[Schema]:
    """Yield a schema and all schemas in it, none of which is a mapping of names to schemas."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key in ("properties", "$defs"):
                for part in value.values():
                    yield from _parts(part)
            elif key != "default":
                yield from _parts(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from _parts(part)


def _property(root: Schema, path: KeyPath) -> Schema | None:
    """Return the schema of the key at a path; None of a name that the configuration gives, such as a run's."""
    part = root
    for number, name in enumerate(path):
        section = _section(root, part)
        if name in section.get("properties", {}):
            part = section["properties"][name]
        elif number < len(path) - 1 and isinstance(section.get("additionalProperties"), dict):
            part = section["additionalProperties"]
        else:
            return None
    return part


def _section(root: Schema, schema: Schema) -> Schema:
    """Return what a schema refers to, if anything; of several the first one."""
    if "anyOf" in schema:
        return _section(root, schema["anyOf"][0])
    if "$ref" in schema:
        return _section(root, root["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    return schema


def page(schema: Schema) -> str:
    """Return the page of all keys as Markdown: a table for each section."""
    tables = [HEADER]
    sections = {"The whole": schema, **schema["$defs"]}
    for name, section in sections.items():
        if "properties" not in section:
            continue
        rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
        rows += [_row(key, part) for key, part in section["properties"].items()]
        tables.append(f"## {name}\n\n{section.get('description', '')}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(tables)


def _row(key: str, part: Schema) -> str:
    default = json.dumps(part["default"]) if "default" in part and not isinstance(part["default"], dict) else ""
    meaning = html.escape(" ".join(part.get("description", "").split()), quote=False)
    cells = [f"`{key}`", _type(part), f"`{default}`" if default else "", meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(part: Schema) -> str:
    """Return the type of a key in words."""
    match part:
        case {"$ref": reference}:
            return f"[{reference.rsplit('/', 1)[1]}](#{reference.rsplit('/', 1)[1].lower()})"
        case {"anyOf": kinds}:
            return " or ".join(map(_type, kinds))
        case {"enum": values} | {"const": values}:
            return ", ".join(map(json.dumps, values if isinstance(values, list) else [values]))
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            return f"name: {_type(values)}"
    return str(part.get("type", "any"))


def main() -> None:
    """Write both files."""
    schema = json_schema((ROOT / "config.yaml").read_text(encoding="utf-8"))
    write_text(ROOT / "configs" / "schema.json", json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
    write_text(ROOT / "docs" / "configuration.md", page(schema))


if __name__ == "__main__":
    main()
