"""Where blocks and attributes stand in a file of HCL, so that a copy of it can be changed.

Nothing is evaluated: of an expression only its text is known. What Terraform reads is read here too, strings with
interpolations, heredocs and comments included (HCL native syntax specification).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][A-Za-z0-9_-]*)\n")
_OPEN, _CLOSE = "([{", ")]}"


class HclError(Exception):
    """The text is no HCL; the message says where."""


@dataclass(frozen=True)
class Attribute:
    """`name = expression`."""

    name: str
    start: int
    end: int
    value: str
    """The text of the expression."""
    value_start: int = 0

    @property
    def literal(self) -> str | None:
        """The text of a string without interpolations; None for any other expression."""
        match = re.fullmatch(r'"((?:[^"\\$%]|\\.|[$%](?!\{))*)"', self.value)
        return match[1] if match else None


@dataclass
class Block:
    """`type "label" … { … }`; of a whole file the type is empty."""

    type: str
    labels: tuple[str, ...]
    start: int
    end: int = 0
    inside: int = 0
    """Where its body begins."""
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def of_type(self, *types: str) -> Iterator[Block]:
        """Iterate over its own blocks of these types."""
        return (block for block in self.blocks if block.type in types)


def parse(text: str) -> Block:
    """Read a file; raises HclError."""
    file = Block("", (), 0, len(text))
    end = _body(text, 0, file)
    if end != len(text):
        raise HclError(f"line {_line(text, end)}: a bracket closes that was not opened")
    return file


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with parts of it replaced: start, end, and what comes there. Parts do not overlap."""
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def as_expression(text: str, block: Block) -> str:
    """Return a block's body as the expression of an object; nested blocks are lists of such, dynamic ones too."""
    parts = [f"{each.name} = {each.value}" for each in block.attributes.values()]
    nested: dict[str, list[str]] = {}
    for each in block.blocks:
        kind = each.labels[0] if each.type == "dynamic" else each.type
        nested.setdefault(kind, []).append(_dynamic(text, each) if each.type == "dynamic" else _one(text, each))
    parts += [f"{kind} = concat({', '.join(lists)})" for kind, lists in nested.items()]
    return "{\n" + "\n".join(parts) + "\n}"


def _one(text: str, block: Block) -> str:
    return f"[{as_expression(text, block)}]"


def _dynamic(text: str, block: Block) -> str:
    name = block.attributes["iterator"].value if "iterator" in block.attributes else block.labels[0]
    content = next(block.of_type("content"))
    pairs = f"[for key, value in {block.attributes['for_each'].value} : {{ key = key, value = value }}]"
    return f"[for {name} in {pairs} : {as_expression(text, content)}]"


def _body(text: str, at: int, block: Block) -> int:
    """Read attributes and blocks up to the end of a body; return where it ends."""
    while True:
        at = _blank(text, at)
        if at >= len(text) or text[at] == "}":
            return at
        name = _NAME.match(text, at)
        if name is None:
            raise HclError(f"line {_line(text, at)}: expected a name, found {text[at]!r}")
        after = _blank(text, name.end(), lines=False)
        if text[after : after + 1] == "=":
            first = _blank(text, after + 1, lines=False)
            end = _expression(text, first)
            block.attributes[name[0]] = Attribute(name[0], at, end, text[first:end].rstrip(), first)
            at = end
        else:
            at = _block(text, at, name, block)


def _block(text: str, start: int, name: re.Match[str], parent: Block) -> int:
    labels: list[str] = []
    at = _blank(text, name.end(), lines=False)
    while text[at : at + 1] not in ("{", ""):
        label = _NAME.match(text, at)
        end = label.end() if label else _string(text, at) if text[at] == '"' else at
        if end == at:
            raise HclError(f"line {_line(text, at)}: expected a block or `=`, found {text[at]!r}")
        labels.append(text[at:end].strip('"'))
        at = _blank(text, end, lines=False)
    block = Block(name[0], tuple(labels), start, inside=at + 1)
    end = _body(text, at + 1, block)
    if text[end : end + 1] != "}":
        raise HclError(f"line {_line(text, start)}: the block {name[0]} is not closed")
    block.end = end + 1
    parent.blocks.append(block)
    return block.end


def _expression(text: str, at: int) -> int:
    """Return where an expression ends: with its line, unless a bracket is open, or with the block around it."""
    depth = 0
    while at < len(text):
        character = text[at]
        if not depth and character in "\n}":
            return at
        jump = _token(text, at)
        if jump != at:
            if not depth and text[at] in "#/":
                return at
            at = jump
            continue
        depth += (character in _OPEN) - (character in _CLOSE)
        at += 1
    if depth:
        raise HclError("a bracket is not closed")
    return at


def _token(text: str, at: int) -> int:
    """Return the end of the string, heredoc or comment that begins here; where none does, `at` itself."""
    if text[at] == '"':
        return _string(text, at)
    if text.startswith("<<", at) and (heredoc := _HEREDOC.match(text, at)):
        end = re.compile(rf"^[ \t]*{re.escape(heredoc[2])}[ \t]*$", re.MULTILINE).search(text, heredoc.end())
        if end is None:
            raise HclError(f"line {_line(text, at)}: the heredoc {heredoc[2]} has no end")
        return end.end()
    if text[at] == "#" or text.startswith("//", at):
        end_of_line = text.find("\n", at)
        return len(text) if end_of_line < 0 else end_of_line
    if text.startswith("/*", at):
        end_of_comment = text.find("*/", at + 2)
        return len(text) if end_of_comment < 0 else end_of_comment + 2
    return at


def _string(text: str, at: int) -> int:
    """Return the end of a string, interpolations included."""
    start, at = at, at + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        if text[at] == "\\" or text.startswith(("$${", "%%{"), at):
            at += 2 if text[at] == "\\" else 3
        elif text.startswith(("${", "%{"), at):
            at = _interpolation(text, at + 2)
        else:
            at += 1
    raise HclError(f"line {_line(text, start)}: a string has no end")


def _interpolation(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        jump = _token(text, at)
        if jump != at:
            at = jump
            continue
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
    return at


def _blank(text: str, at: int, *, lines: bool = True) -> int:
    """Skip blanks and comments; without `lines` only to the end of the line."""
    while at < len(text):
        if text[at] in " \t\r" or (lines and text[at] in "\n,"):
            at += 1
        elif text[at] == "#" or text.startswith(("//", "/*"), at):
            at = _token(text, at)
        else:
            break
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
