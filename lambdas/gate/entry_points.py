"""What RunTask has to be told so that a command runs as it is written. Pure.

ECS appends the command to the entry point of the container's definition: to a program, a wrapper script or a shell. It
does not show the image's own entry point, which counts where the definition names none.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from gate.verdict import ProbeError

_SHELLS = ("ash", "bash", "dash", "ksh", "sh", "zsh")
_POWERSHELLS = ("powershell", "pwsh")
_INTERPRETERS = re.compile(r"python[0-9.]*|node|nodejs|perl|ruby|php")
_TAKES_A_SCRIPT = re.compile(r"-[A-Za-z]*c|--command|(?i:-command)")  # of a shell, of su, of PowerShell
_ARGUMENTS = re.compile(r"\$\{?[@*]")  # in a script: all of its arguments
_PROGRAM_TOO = re.compile(r"\$\{?0\b")  # in a script: its $0
# Words that may stand before a command in a script, and commands that do not run their arguments.
_BEFORE = ("if", "then", "else", "elif", "do", "while", "{", "(", "!")
_RUN_NOTHING = ("echo", "printf", "logger", ":", "true", "set", "export", "test", "[", "[[", "for", "case")
# What may follow a command whose exit code is to be the script's.
_KEEPS_EXIT_CODE = re.compile(
    r"\|\|\s*exit\b(?!\s*0).*|[;\s]*(?:(?:fi|done|esac|\}|\))[;\s]*)*(?:exit\s+\$\?\s*;?\s*)?", re.DOTALL
)


def command_after(entry_point: Sequence[str], command: Sequence[str]) -> list[str]:
    """The words to append to `entry_point`, so that `command` runs.

    A command that repeats the entry point means it once. A shell's `-c` takes one word: of `sh -c python manage.py
    migrate` it runs a bare `python`, which exits 0. So the command becomes one word there; a command of one word is a
    script already. Any entry point that is no shell is taken for a wrapper that runs its arguments.

    Raises ProbeError where the entry point has a script of its own that does not run its arguments.
    """
    entry_point, command = list(entry_point), list(command)
    if entry_point and len(command) > len(entry_point) and command[: len(entry_point)] == entry_point:
        return command[len(entry_point) :]
    entry_point = _split_by_env(entry_point)
    programs = [_program(word) for word in entry_point]
    script = command if len(command) == 1 else [_script_of(command, programs)]
    if entry_point and _TAKES_A_SCRIPT.fullmatch(entry_point[-1]):
        return script
    shell = next((at for at, program in enumerate(programs) if program in _SHELLS), None)
    if shell is None:
        if _has_inline_script(entry_point):
            raise _own_script(entry_point)
        return command
    has_c, rest = _after_options(entry_point[shell + 1 :])
    if rest and has_c:
        if not _runs_arguments(rest[0], entry_point[shell + 1 :]):
            raise _own_script(entry_point)
        # The first word after a script is its $0.
        return command if rest[1:] or _PROGRAM_TOO.search(rest[0]) else [command[0], *command]
    # A shell alone takes the first word for the name of a script, unless it is told otherwise.
    if rest or (not has_c and (command[0].startswith("-") or command[0].endswith(".sh"))):
        return command
    return script if has_c else ["-c", *script]


def _script_of(command: Sequence[str], programs: Sequence[str]) -> str:
    if not any(program in _POWERSHELLS for program in programs):
        return shlex.join(command)
    return " ".join(["&", *("'" + word.replace("'", "''") + "'" for word in command)])


def _own_script(entry_point: Sequence[str]) -> ProbeError:
    return ProbeError(
        f"the container's entryPoint {shlex.join(entry_point)} has a script of its own, which does not run the command "
        'that is added to it, or hides how it ended: let the script end with exec "$@", or set container to another one'
    )


def _split_by_env(entry_point: Sequence[str]) -> list[str]:
    """The words as they are after `env -S "sh -c"`, which makes several of one."""
    for at, word in enumerate(entry_point):
        option = re.match(r"-[a-z]*S|--split-string=?", word)
        if option and "env" in map(_program, entry_point[:at]):
            text, *rest = [each for each in (word[option.end() :], *entry_point[at + 1 :]) if each] or [""]
            return [*entry_point[:at], *text.split(), *rest]
    return list(entry_point)


def _program(word: str) -> str:
    """A program's name without its folder, on Windows too."""
    return re.split(r"[/\\]", word)[-1].lower().removesuffix(".exe")


def _has_inline_script(entry_point: Sequence[str]) -> bool:
    """Whether an interpreter gets its script as a word, as in `python -c …`, and the script ignores its arguments."""
    at = next((at for at, word in enumerate(entry_point) if _INTERPRETERS.fullmatch(_program(word))), None)
    words = entry_point[at + 1 :] if at is not None else []
    script = next((at for at, word in enumerate(words) if not word.startswith("-")), 0)
    return script > 0 and words[script - 1] in ("-c", "-e", "-r", "--eval") and "argv" not in words[script].lower()


def _after_options(words: Sequence[str]) -> tuple[bool, list[str]]:
    """Of the words after a shell: whether its options hold -c, and what follows the options."""
    rest, has_c = list(words), False
    while rest and rest[0][:1] in ("-", "+"):
        option = rest.pop(0)
        if option in ("-", "--"):
            break
        if option.startswith("--"):
            values = int(option in ("--rcfile", "--init-file"))
        else:
            has_c = has_c or (option[0] == "-" and "c" in option)
            values = option.lower().count("o")  # -o pipefail
        del rest[:values]
    return has_c, rest


def _runs_arguments(script: str, words_of_shell: Sequence[str]) -> bool:
    """Whether a shell script runs its arguments, and exits as they do.

    What follows them may not hide that they failed, as `|| true` does, a pipe without pipefail, or a further command
    without errexit.
    """
    text = " ".join([*words_of_shell, script])
    hides = r"&(?!&)|\|\|" if "pipefail" in text else r"&(?!&)|\|"
    if not re.search(r"(^|\s)-[a-z]*e|errexit", text):
        hides += r"|[;\n]"
    parts = re.split(r"(\|\||&&|[;|&\n])", re.sub(r"[<>]&[0-9-]|&>", "> ", script))
    for at in range(0, len(parts), 2):
        words = parts[at].split()
        while words and (words[0] in _BEFORE or re.fullmatch(r"\w+=[^$]*", words[0])):
            del words[0]
        if not _ARGUMENTS.search(parts[at]) or not words or words[0] in _RUN_NOTHING or re.match(r"#|\w+=", words[0]):
            continue
        rest = "".join(parts[at + 1 :])
        replaces_shell = words[0] == "exec" and not re.match(r"[|&](?![|&])", rest)
        if replaces_shell or _KEEPS_EXIT_CODE.fullmatch(rest) or not re.match(hides, rest):
            return True
    return False
