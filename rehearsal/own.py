"""Which checks of the handlers are the user's own (`Named(…, own=True)`), and which handlers are.

What is shipped is tested and rehearsed without them: no stage of ours has the queue, say, that such a check looks at.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

LAMBDAS = Path(__file__).resolve().parent.parent / "lambdas"
if str(LAMBDAS) not in sys.path:
    sys.path.append(str(LAMBDAS))


def names_of(hook: str) -> tuple[Any, ...]:
    """The names that a handler declares (`gate.names.Named`)."""
    names: tuple[Any, ...] = importlib.import_module(hook).handler.names
    return names


def own_checks(hook: str) -> list[str]:
    """The names of a handler's checks that are the user's own."""
    return [named.name for named in names_of(hook) if named.own]


def own_operations(hook: str) -> set[str]:
    """The operations of AWS that these declare: the user allows them through the module's `policy_documents`.

    Without the service, which IAM and boto3 do not always call the same.
    """
    return {action.partition(":")[2] for named in names_of(hook) if named.own for action in named.calls}


def is_own(hook: str) -> bool:
    """Whether a handler is the user's own: it has checks, and each of them is."""
    return bool(names_of(hook)) and all(named.own for named in names_of(hook))
