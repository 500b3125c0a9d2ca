"""What moto's backends hold, taken once and put back before each test: to build a stage takes thirty times as long."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from moto.core.base_backend import BackendDict
from moto.ssm.models import ParameterDict

Backends = dict[str, dict[str, dict[str, Any]]]  # service → account → region → backend


def _copied_parameters(parameters: Any, memo: dict[int, Any]) -> Any:
    made = ParameterDict(parameters.account_id, parameters.region_name)
    memo[id(parameters)] = made
    for name, versions in parameters.items():
        dict.__setitem__(made, name, copy.deepcopy(versions, memo))
    vars(made).update(copy.deepcopy(vars(parameters), memo))
    return made


# What `copy` cannot copy by itself.
_COPIERS: dict[type, Callable[[Any, dict[int, Any]], Any]] = {
    type(RLock()): lambda _lock, _memo: RLock(),
    ParameterDict: _copied_parameters,
}


@contextmanager
def _able_to_copy() -> Iterator[None]:
    known: dict[type, Any] = vars(copy)["_deepcopy_dispatch"]
    known.update(_COPIERS)
    try:
        yield
    finally:
        for kind in _COPIERS:
            del known[kind]


def _backend_dicts() -> list[Any]:
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("moto.")]
    return [value for module in modules for value in vars(module).values() if isinstance(value, BackendDict)]


class Snapshot:
    """What all of moto's backends hold now."""

    def __init__(self) -> None:
        self._dicts = {each.service_name: each for each in _backend_dicts() if each}
        held = {
            service: {account: dict(regions) for account, regions in accounts.items()}
            for service, accounts in self._dicts.items()
        }
        self._held: Backends = self._copied(held)

    @staticmethod
    def _copied(held: Backends) -> Backends:
        with _able_to_copy():
            return copy.deepcopy(held)

    def restore(self) -> None:
        """Let the backends hold just this."""
        for service, accounts in self._copied(self._held).items():
            for account, regions in accounts.items():
                kept = self._dicts[service][account]
                kept.clear()
                for region, backend in regions.items():
                    dict.__setitem__(kept, region, backend)
