"""Write what lambdas/gate/options/ says in the languages of those who read it.

    python tools/options.py write     write them
    python tools/options.py check     fail if they differ

- `modules/options/given/` takes what the user typed, whatever it is, and refuses what no option is, and what is of
  another kind (a text where a map belongs). Terraform itself would drop the one without a word and speak of the other
  without its place.
- `modules/options/` holds the typed objects: defaults, and a validation for each bound, choice and pattern.
- `variables_hooks.tf` has the module's own variables: one for each hook, whatever its type.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas")]

from gate.options import About  # noqa: E402  # the folder is no package of this interpreter's
from gate.options.hooks import HOOKS  # noqa: E402  # the folder is no package of this interpreter's
from gate.settings import (  # noqa: E402
    OF_MODULE,
    Entry,
    entries,
    expected,
    expected_entries,
    may_be_null,
    number,
    schema_of,
)

from tools.terraform import find_terraform, terraform_environment  # noqa: E402

HEAD = '# Written by "make options" from lambdas/gate/options/. Change it there.\n'
SCALARS = {str: "string", bool: "bool", int: "number", float: "number"}
IN_WORDS = {str: "text", bool: "true or false", int: "a number", float: "a number"}
# What an expression of each kind has to survive. `length([…])` is known even where the value is not.
CONVERTS = {str: "tostring", bool: "tobool", int: "tonumber", float: "tonumber"}
NOT_NULL = {str: "upper(%s)", bool: "!%s", int: "abs(%s)", float: "abs(%s)"}
KEY = 'can(regex("^[A-Za-z_][A-Za-z0-9_-]*$", %s)) ? ".${%s}" : "[${jsonencode(%s)}]"'


# HCL's words.


def quoted(text: str) -> str:
    """A text as HCL writes it."""
    written = json.dumps(text, ensure_ascii=True)
    # Beyond the first plane JSON has two halves, HCL one escape of eight digits.
    written = re.sub(
        r"\\u(d[89ab]\w\w)\\u(d[c-f]\w\w)",
        lambda m: f"\\U{0x10000 + ((int(m[1], 16) - 0xD800) << 10) + int(m[2], 16) - 0xDC00:08x}",
        written,
    )
    return written.replace("${", "$${").replace("%{", "%%{")


def literal(value: Any) -> str:
    """A default or a choice as HCL writes it."""
    if dataclasses.is_dataclass(value) or value == {}:
        return "{}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return quoted(value) if isinstance(value, str) else number(value)


def default_of(entry: Entry) -> Any:
    """What an option is by default; MISSING where it has to be given."""
    return entry.factory() if entry.factory is not dataclasses.MISSING else entry.default


def is_required(entry: Entry) -> bool:
    """Whether an option has to be given."""
    return default_of(entry) is dataclasses.MISSING


def inner_of(kind: Any) -> Any:
    """What a map or a list holds."""
    return get_args(kind)[-1] if get_origin(kind) is dict else get_args(kind)[0]


def is_object(kind: Any) -> bool:
    """Whether a kind is one of the options classes."""
    return dataclasses.is_dataclass(kind)


def type_of(kind: Any, depth: int = 1) -> str:
    """A kind as HCL's type."""
    if is_object(kind):
        indent = "  " * depth
        lines = [f"{indent}  {entry.name} = {_attribute(entry, depth + 1)}" for entry in entries(kind)]
        return "\n".join(["object({", *lines, f"{indent}}})"])
    if kind in SCALARS:
        return SCALARS[kind]
    return f"{'map' if get_origin(kind) is dict else 'list'}({type_of(inner_of(kind), depth)})"


def _attribute(entry: Entry, depth: int) -> str:
    kind, default = type_of(entry.kind, depth), default_of(entry)
    if is_required(entry):
        return kind
    return f"optional({kind})" if default is None else f"optional({kind}, {literal(default)})"


# Places: where an options class stands among a hook's options.


@dataclass(frozen=True)
class Place:
    """An options class, or a single value, among a hook's options.

    `loops`: the maps, lists and objects that may be left out which lead to it, outermost first, and the names that
    `for` gives what is in them; `value`: an expression for it; `at`: its path, as a template of HCL.
    """

    kind: Any
    value: str
    at: str
    loops: tuple[tuple[str, str], ...] = ()

    def into(self, entry: Entry) -> Place:
        """What an attribute of it holds: its entries, or itself."""
        depth = len(self.loops) + 1
        held, at, each = f"{self.value}.{entry.name}", f"{self.at}.{entry.name}", f"v{depth}"
        origin, key = get_origin(entry.kind), f"k{depth}"
        if origin is dict:
            at += f"${{{KEY % (key, key, key)}}}"
            return Place(inner_of(entry.kind), each, at, (*self.loops, (f"{key}, {each}", held)))
        if origin is tuple:
            loop = (f"{key}, {each}", f"coalesce({held}, [])")
            return Place(inner_of(entry.kind), each, f"{at}[${{{key}}}]", (*self.loops, loop))
        if is_object(entry.kind) and default_of(entry) is None:
            return Place(entry.kind, each, at, (*self.loops, (each, f"{held}[*]")))
        if (entry.about.secret or entry.about.address) and not self.loops:
            # Below a refusal Terraform shows the values of all that a condition names.
            held = f'lookup({self.value}, "{entry.name}", null)'
        return Place(entry.kind, held, at, self.loops)

    def every(self, expression: str, where: str = "") -> str:
        """A list of the expression for each; `where` leaves some out."""
        body = f"{expression} if {where}" if where else expression
        for names, held in reversed(self.loops):
            body = f"[for {names} in {held} : {body}]"
        return f"flatten({body})" if len(self.loops) > 1 else body


def places(hook: str) -> Iterator[Place]:
    """The hook's options, and all that stand in them."""
    waiting = [Place(HOOKS[hook], f"var.{hook}", hook)]
    while waiting:
        place = waiting.pop(0)
        yield place
        waiting += [into for entry in entries(place.kind) if is_object((into := place.into(entry)).kind)]


# modules/options: the typed objects.


def validations(hook: str) -> Iterator[str]:
    """A validation for each bound, choice and pattern of a hook's options."""
    for place in places(hook):
        for entry in entries(place.kind):
            about, each = entry.about, place.into(entry)
            if about.entries:
                count = f"length(coalesce({place.value}.{entry.name}, []))"
                count = f"length({place.value}.{entry.name})" if get_origin(entry.kind) is dict else count
                test = f"{count} >= {about.entries[0]} && {count} <= {about.entries[1]}"
                test = _or_null(entry, f"{place.value}.{entry.name}", test)
                found = f"{place.at}.{entry.name} has ${{{count}}} entries"
                yield _validation(place, test, found, expected_entries(entry))
            if about.keys:
                key = each.loops[-1][0].partition(",")[0]
                found = f"{place.at}.{entry.name} has the key ${{jsonencode({key})}}"
                if about.secret:  # "Authorization: Bearer …", with a value in it
                    begins = f'regex("^[A-Za-z0-9_-]*", {key})'
                    found = f"{place.at}.{entry.name} has a key of ${{length({key})}} characters that begins with"
                    found += f" ${{jsonencode({begins})}}"
                yield _validation(each, _matches(about.keys, key), found, f"expected {about.keys_mean}.")
            if each.kind in SCALARS and (test := _test(each.kind, about, each.value)):
                # An entry of a map or a list is never null.
                test = test if get_origin(entry.kind) else _or_null(entry, each.value, test)
                found = f"{each.at} is ${{{_found(about, each)}}}"
                yield _validation(each, test, found, expected(each.kind, about, may_be_null(entry)))


def _test(kind: Any, about: About, value: str) -> str:
    if about.choices:
        return f"contains([{', '.join(map(quoted, about.choices))}], {value})"
    if about.pattern:
        return _matches(about.pattern, value)
    tests = [f"{value} >= {number(about.least)}"] if about.least is not None else []
    tests += [f"{value} <= {number(about.most)}"] if about.most is not None else []
    tests += [f"floor({value}) == {value}"] if kind is int else []
    return " && ".join(tests)


def _matches(pattern: str, value: str) -> str:
    return f"can(regex({quoted(f'^(?:{pattern})$')}, {value}))"


def _or_null(entry: Entry, value: str, test: str) -> str:
    """Null passes where it is the default, and nowhere else."""
    if is_required(entry):
        return f"{value} == null ? false : {test}"
    return test if default_of(entry) is not None else f"{value} == null ? true : {test}"


def _found(about: About, place: Place) -> str:
    value = place.value
    if about.secret:
        shown = f'"a text of ${{length({value})}} characters"'
    elif about.address:
        shown = f'can(regex("[?#@]", {value})) ? "an address of ${{length({value})}} characters" : jsonencode({value})'
    else:
        shown = f"jsonencode({value})"
    # With one sensitive value Terraform would show none of the sentence. What a loop takes out of a sensitive map or
    # list is no longer marked as such: so they are asked, too.
    sensitive = " || ".join(f"issensitive({each})" for each in [*(held for _, held in place.loops), value])
    return f'{sensitive} ? "a sensitive value" : {shown}'


def _validation(place: Place, test: str, found: str, wanted: str) -> str:
    said = f'"{found}; {quoted(wanted)[1:-1]}"'
    if place.loops:
        condition = f"alltrue({place.every(f'nonsensitive({test})')})"
        said = f'nonsensitive(join("\\n", {place.every(said, f"!nonsensitive({test})")}))'
    else:
        condition, said = test, f"nonsensitive({said})"
    return f"  validation {{\n    condition     = {condition}\n    error_message = {said}\n  }}\n"


def described(kind: Any, depth: int = 0) -> Iterator[str]:
    """The lines of a variable's description: an item for each option, those in it below."""
    for entry in entries(kind):
        text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", entry.about.doc).replace("${", "$${").replace("%{", "%%{")
        default = "required" if is_required(entry) else f"default {literal(default_of(entry))}"
        words = f"{'  ' * depth}- `{entry.name}`: {text} ({default})"
        yield from textwrap.wrap(words, 116, subsequent_indent="  " * (depth + 1), break_on_hyphens=False)
        inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
        if is_object(inner):
            yield from described(inner, depth + 1)


def typed_module() -> dict[str, str]:
    """The files of modules/options, by name."""
    variables = []
    for hook, kind in HOOKS.items():
        lines = [*sentences(kind), *described(kind)]
        description = "\n".join(f"    {line}".rstrip() for line in lines)
        variables.append(
            f'variable "{hook}" {{\n  description = <<-EOT\n{description}\n  EOT\n  type        = {type_of(kind)}\n'
            f"  default     = {{}}\n  nullable    = false\n\n{chr(10).join(validations(hook))}}}\n"
        )
    outputs = [
        f'output "{hook}" {{\n  description = "Options of {hook}, its defaults too"\n  value       = var.{hook}\n}}\n'
        for hook in HOOKS
    ]
    rows = "".join(f'    {hook} = "{schema_of(kind)}"\n' for hook, kind in HOOKS.items())
    outputs.append(
        'output "schemas" {\n  description = "A fingerprint of the options that each hook takes"\n'
        f"  value = {{\n{rows}  }}\n}}\n"
    )
    return {"variables.tf": "\n".join([HEAD, *variables]), "outputs.tf": "\n".join([HEAD, *outputs])}


def sentences(kind: Any) -> list[str]:
    """A class's docstring, as lines of a paragraph."""
    text = " ".join(str(kind.__doc__).split())
    return textwrap.wrap(text, 116, break_on_hyphens=False)


# modules/options/given: what was typed, held against the names and kinds that there are.


def given_module() -> dict[str, str]:
    """The file of modules/options/given, by name."""
    parts = [HEAD]
    for hook in HOOKS:
        parts.append(
            f'variable "{hook}" {{\n  description = "Options of {hook}, as they were typed"\n  type        = any\n'
            "  default     = {}\n  nullable    = false\n}\n"
        )
        lists, names, kinds = _given(hook)
        # One by one: what a value that is not known yet leaves open does not hide what is wrong elsewhere.
        wrong = {f"_{hook}_wrong_{number}": each for number, each in enumerate([*names, *kinds])}
        found = "".join(f"  {name} = {each}\n" for name, each in wrong.items())
        parts.append(f"locals {{\n{lists}{found}}}\n")
        conditions = "".join(
            f"\n  precondition {{\n    condition     = length(nonsensitive(local.{name})) == 0\n"
            f'    error_message = join("\\n", nonsensitive(local.{name}))\n  }}\n'
            for name in wrong
        )
        parts.append(
            f'output "{hook}" {{\n  description = "Options of {hook}, all of them known"\n'
            f"  value       = var.{hook}\n{conditions}}}\n"
        )
    return {"main.tf": "\n".join(parts)}


def _given(hook: str) -> tuple[str, list[str], list[str]]:
    """The lists of all objects by place, `{ at, v }` each, and of what is wrong with names and with kinds."""
    lists, names, kinds = [], [], []
    waiting: list[tuple[str, Any, str]] = [(f"_{hook}", HOOKS[hook], f'[{{ at = "{hook}", v = var.{hook} }}]')]
    while waiting:
        name, kind, found = waiting.pop(0)
        lists.append(f"  {name}_found = {found}\n  {name} = [for o in local.{name}_found : o if {_is_map('o.v')}]\n")
        kinds.append(
            f'[for o in local.{name}_found : "${{o.at}} is ${{{_kind_of("o.v")}}}, expected a map of options" '
            f"if !{_is_map('o.v')}]"
        )
        known = [entry.name for entry in entries(kind)]
        names.append(
            f'flatten([for o in local.{name} : [for k in keys(o.v) : "${{o.at}} has no option ${{k}}; it has '
            f'{", ".join(known)}" if !contains({json.dumps(known)}, k)]])'
        )
        for entry in entries(kind):
            if is_required(entry):
                wanted = quoted(expected(entry.kind, entry.about))[1:-1]
                names.append(
                    f'[for o in local.{name} : "${{o.at}}.{entry.name} is missing; {wanted}" '
                    f'if !{_is_given(f"""lookup(o.v, "{entry.name}", null)""")}]'
                )
            inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
            if is_object(inner):
                waiting.append((f"{name}_{entry.name}", inner, _inside(name, entry)))
        kinds += _kinds(name, kind)
    return "".join(lists), names, kinds


def _inside(name: str, entry: Entry) -> str:
    """The objects in an attribute of the objects in a list."""
    at = f"${{o.at}}.{entry.name}"
    if get_origin(entry.kind) is dict:
        each = f'[for k in keys(v) : {{ at = "{at}${{{KEY % ("k", "k", "k")}}}", v = v[k] }}] if {_is_map("v")}'
    elif get_origin(entry.kind) is tuple:
        each = f'[for k, e in [for e in v : e] : {{ at = "{at}[${{k}}]", v = e }}] if {_is_list("v")}'
    else:
        each = f'{{ at = "{at}", v = v }} if {_is_given("v")}'
    return f"flatten([for o in local.{name} : {_attribute_of(entry)} : {each}]])"


def _attribute_of(entry: Entry) -> str:
    return f'[for v in [lookup(o.v, "{entry.name}", null)]'


def _is_map(value: str) -> str:
    return f"can(length([keys({value})]))"


def _is_list(value: str) -> str:
    return f"can(length([for e in {value} : 0])) && !{_is_map(value)}"


def _is_given(value: str) -> str:
    """Not null, of whatever type: `coalesce` takes no null, but no empty text either."""
    return f"(can(length([coalesce({value})])) || can(length([upper({value})])))"


def _kind_of(value: str) -> str:
    return (
        f'{_is_map(value)} ? "a map" : can(length([upper({value})])) ? "a single value" : '
        f'can(length([coalesce({value})])) ? "a list" : "null"'
    )


def _kinds(name: str, kind: Any) -> Iterator[str]:
    """What is wrong with the kind of attributes, and of what maps and lists of single values hold."""
    known = entries(kind)
    wanted = []
    for scalar in (str, bool, float):
        same = [entry.name for entry in known if SCALARS.get(entry.kind) == SCALARS[scalar]]
        wanted.append((IN_WORDS[scalar], same, f"!can(length([{CONVERTS[scalar]}(o.v[k])]))"))
    for words, origin, test in (("a map", dict, _is_map), ("a list", tuple, _is_list)):
        same = [entry.name for entry in known if get_origin(entry.kind) is origin]
        wanted.append((words, same, f"!({test('o.v[k]')}) && {_is_given('o.v[k]')}"))
    for words, same, wrong in wanted:
        if same:
            yield (
                f'flatten([for o in local.{name} : [for k in keys(o.v) : "${{o.at}}.${{k}} is '
                f'${{{_kind_of("o.v[k]")}}}, expected {words}" if contains({json.dumps(same)}, k) && {wrong}]])'
            )
    for entry in entries(kind):
        if get_origin(entry.kind) and (inner := inner_of(entry.kind)) in SCALARS:
            is_map = get_origin(entry.kind) is dict
            at = f"${{o.at}}.{entry.name}" + (f"${{{KEY % ('k', 'k', 'k')}}}" if is_map else "[${k}]")
            held = "v" if is_map else "[for e in v : e]"  # a set's keys are its values
            yield (
                f'flatten([for o in local.{name} : {_attribute_of(entry)} : [for k, e in {held} : "{at} is '
                f'${{{_kind_of("e")}}}, expected {IN_WORDS[inner]}" if !can(length([{NOT_NULL[inner] % "e"}]))] '
                f"if {(_is_map if is_map else _is_list)('v')}]])"
            )


def strange_in(pattern: str) -> list[str]:
    r"""What Python's re and Terraform's RE2 do not read alike: they do characters, classes, groups and counts.

    Strange are classes that are Unicode's in Python (\d), look-around, names, flags but `s`, letters beyond ASCII,
    counts of four digits, ends (which a line feed may follow) and counts of counts.
    """
    outside = re.sub(r"\[\^?[^]]+\]", "", pattern)
    letters = re.findall(r"\\(?!x[0-9a-f]{2}|t)[A-Za-z0-9]|\(\?(?!s:)|[^\x00-\x7f]|[0-9]{4,}(?=[,}])", pattern)
    return letters + re.findall(r"[$^]|[*+?}][*+?]", outside)


def unwritable(kind: Any) -> Iterator[str]:
    """What of an options class cannot be said in HCL, or would mean something else there."""
    for entry in entries(kind):
        named, inner = f"{kind.__name__}.{entry.name}", inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
        if entry.name in OF_MODULE:
            yield f"{named}: the module itself writes {entry.name} into the settings: call it something else"
        if is_object(inner):
            yield from unwritable(inner)
        elif inner not in SCALARS:
            yield f"{named}: a map or list holds texts, numbers or objects: put a class between, as Flow is for steps"
        if (entry.about.least is None) != (entry.about.most is None):
            yield f"{named}: least and most go together"
        for pattern in (entry.about.pattern, entry.about.keys):
            if strange := strange_in(pattern):
                yield f"{named}: {', '.join(strange)} in its pattern is not the same, or not there, in Terraform"


def root_variables() -> str:
    """The module's variables of the hooks."""
    variables = []
    for hook, kind in HOOKS.items():
        words = re.split(r"[.:]", str(kind.__doc__))[0]
        variables.append(
            f'variable "{hook}" {{\n  description = "{words}: [docs/options.md](docs/options.md#{hook})"\n'
            "  type        = any\n  default     = {}\n  nullable    = false\n}\n"
        )
    return "\n".join([HEAD, *variables])


def files() -> dict[str, str]:
    """All that is written, by path."""
    found: dict[str, str] = {"variables_hooks.tf": root_variables()}
    for folder, module in (("modules/options", typed_module()), ("modules/options/given", given_module())):
        found.update({f"{folder}/{name}": text for name, text in module.items()})
    return found


def formatted(texts: Mapping[str, str]) -> dict[str, str]:
    """The same, the HCL as `terraform fmt` has it."""
    environment = {**os.environ, **terraform_environment()}
    found = {}
    for path, text in texts.items():
        found[path] = text
        if path.endswith(".tf"):
            command = [find_terraform()[0], "fmt", "-"]
            result = subprocess.run(command, input=text, text=True, capture_output=True, check=False, env=environment)
            if result.returncode != 0:
                raise SystemExit(f"error: {path}: {result.stderr}")
            found[path] = result.stdout
    return found


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments not in (["write"], ["check"]):
        print(f"usage: python {Path(__file__).name} write|check", file=sys.stderr)
        return 2
    problems = sorted({problem for kind in HOOKS.values() for problem in unwritable(kind)})
    if problems:
        print("\n".join(f"error: lambdas/gate/options/: {problem}" for problem in problems), file=sys.stderr)
        return 1
    wrong = []
    for path, text in formatted(files()).items():
        place = ROOT / path
        if arguments == ["write"]:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        elif not place.is_file() or place.read_text(encoding="utf-8") != text:
            wrong.append(path)
    if wrong:
        print(f'error: {", ".join(wrong)} differ from lambdas/gate/options/. Run "make options".', file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
