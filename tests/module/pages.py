"""The pages that the module's users read: README.md, CHANGELOG.md and docs/, and what stands in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from tools import docs
from tools.offline import ROOT

OTHERS = ("CHANGELOG.md", "tests/README.md")
PAGES = {**docs.pages(), **{path: (ROOT / path).read_text(encoding="utf-8") for path in OTHERS}}
"""Text by path."""


def blocks(language: str, text: str) -> list[str]:
    """Return the fenced blocks of a language, also those inside of lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Return where a page's links lead, as written."""
    return re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(text)))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""

    def made() -> Iterator[str]:
        for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
            yield re.sub(r"[^\w -]", "", words).replace(" ", "-")

    return set(made())
