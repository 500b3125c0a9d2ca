"""Blocks and attributes are found where they stand, whatever is between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.stacks import hcl

ROOT = Path(__file__).resolve().parents[2]

TEXT = """\
# a comment with { and "
resource "aws_lb" "this" {
  name = "a-${var.x["}"]}-b" // another {
  tags = {
    A = 1, B = "}"
  }
  user_data = <<-EOT
    } not the end "
  EOT
  one { two { three = true } }
  /* { */
  dynamic "setting" {
    for_each = var.settings
    content {
      name  = setting.value.name
      value = setting.key
    }
  }
}
locals { a = 1 }
"""


def test_every_file_of_the_project_is_read() -> None:
    """Attributes and blocks stand where they are said to."""
    files = [path for path in ROOT.glob("**/*.tf") if ".build" not in path.parts]
    assert len(files) > 20
    for path in files:
        text = path.read_text(encoding="utf-8")
        for block in hcl.parse(text).blocks:
            assert text[block.start : block.end].startswith(block.type)
            assert text[block.end - 1] == "}"
            for attribute in block.attributes.values():
                assert text[attribute.start :].startswith(attribute.name)


def test_strings_heredocs_and_comments_are_no_brackets() -> None:
    resource, locals_ = hcl.parse(TEXT).blocks
    assert (resource.type, resource.labels) == ("resource", ("aws_lb", "this"))
    assert list(resource.attributes) == ["name", "tags", "user_data"]
    assert resource.attributes["name"].value == '"a-${var.x["}"]}-b"'
    assert resource.attributes["name"].literal is None
    assert [block.type for block in resource.blocks] == ["one", "dynamic"]
    assert locals_.attributes["a"].value == "1"


def test_a_block_becomes_an_object() -> None:
    """Nested blocks are lists, dynamic ones too."""
    resource = hcl.parse(TEXT).blocks[0]
    said = hcl.as_expression(TEXT, resource.blocks[1].blocks[0])
    assert said == "{\nname = setting.value.name\nvalue = setting.key\n}"
    whole = hcl.as_expression(TEXT, resource)
    assert "one = concat([{\ntwo = concat([{\nthree = true\n}])\n}])" in whole
    pairs = "[for key, value in var.settings : { key = key, value = value }]"
    assert f"setting = concat([for setting in {pairs} : {{" in whole


def test_parts_are_replaced() -> None:
    assert hcl.edited("abcdef", [(0, 1, "x"), (3, 5, "")]) == "xbcf"


@pytest.mark.parametrize("text", ["a {", 'a = "', "a { b = [ }", "a = <<X\n", "}", "= 1"])
def test_what_is_no_hcl_is_refused(text: str) -> None:
    with pytest.raises(hcl.HclError):
        hcl.parse(text)
