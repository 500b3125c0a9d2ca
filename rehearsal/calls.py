"""What the functions ask of IAM by their calls to AWS, and whether their roles' policies allow it.

The stand-in itself refuses nothing. Each function signs with an access key of its own name, so that its calls can be
told from those of others; each is judged by the policies that its role has in the stand-in.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.iam.models import iam_backends

from rehearsal.aws.awslambda import code_of
from rehearsal.aws.iam import Additions
from rehearsal.aws.iam_policies import ALLOWED, Statement, judge
from rehearsal.aws.iam_requests import Asked, Call, asked_by


class Denied(ServiceException):
    """A call that the caller's policies do not allow."""

    code = "AccessDeniedException"


class FunctionCalls:
    """The calls of the functions in this process's stand-in, from now on to the end of the process.

    Args:
        functions: names of the functions, by hook.
        enforced: refuse what is not allowed, as AWS does.
    """

    def __init__(self, functions: Mapping[str, str], *, enforced: bool = False) -> None:
        self._hooks = {name: hook for hook, name in functions.items()}
        self._policies: dict[str, tuple[list[Statement], list[Statement] | None]] = {}
        self._lock = threading.Lock()
        self._asked: Counter[tuple[str, Asked]] = Counter()
        self._denied: dict[tuple[str, Asked], str] = {}
        original = BaseResponse.call_action

        def call_action(response: BaseResponse) -> Any:
            function = _signer(response.headers)
            if function in self._hooks:
                denied = self._note(function, _call(response))
                if denied and enforced:
                    answer = response.serialized(ActionResult(Denied(denied)))
                    return int(answer[0]), answer[1], answer[2]
            return original(response)

        setattr(BaseResponse, "call_action", call_action)  # noqa: B010  (a method replaced is no matter of types)

    def _note(self, function: str, call: Call) -> str:
        """Judge a call; return what is not allowed of it, in AWS's words, empty if all is."""
        why = ""
        with self._lock:
            if function not in self._policies:
                self._policies[function] = _policies_of(function, call.account)
            for asked in asked_by(call):
                entry = self._hooks[function], asked
                self._asked[entry] += 1
                context = {key.casefold(): [value] for key, value in asked.context}
                policies, boundary = self._policies[function]
                kinds = {"identity-based policy": policies, "permissions boundary": boundary}
                for kind, statements in kinds.items():
                    if (
                        statements is None
                        or judge(statements, asked.action, asked.resource, context).decision == ALLOWED
                    ):
                        continue
                    said = f"{asked.action} on {asked.resource}"
                    self._denied[entry] = f"{entry[0]}: {said}" + (
                        " (by the boundary)" if boundary is statements else ""
                    )
                    why = why or (
                        f"User: {function} is not authorized to perform: {asked.action} on resource: {asked.resource} "
                        f"because no {kind} allows the {asked.action} action"
                    )
        return why

    @property
    def denied(self) -> list[str]:
        """What was asked for and is not allowed."""
        with self._lock:
            return sorted(self._denied.values())

    def as_list(self) -> list[dict[str, Any]]:
        """Return what was asked, by hook, and how often."""
        with self._lock:
            return [
                {
                    "hook": hook,
                    "action": asked.action,
                    "resource": asked.resource,
                    "times": times,
                    **({"denied": True} if (hook, asked) in self._denied else {}),
                }
                for (hook, asked), times in sorted(self._asked.items())
            ]


def _signer(headers: Mapping[str, str]) -> str:
    """Return the access key with which a request is signed."""
    return str(headers.get("Authorization") or "").partition("Credential=")[2].partition("/")[0]


def _call(response: BaseResponse) -> Call:
    """Read a request as botocore's model of its operation has it."""
    operation = response._get_action()  # noqa: SLF001  (moto has no public name for it)
    if not response.automated_parameter_parsing:
        response.parse_parameters(response.normalized_request)
    parameters = dict(cast("Mapping[str, Any]", response.params))
    return Call(response.boto3_service_name, operation, parameters, response.region, response.current_account)


def _policies_of(function: str, account: str) -> tuple[list[Statement], list[Statement] | None]:
    """The statements of the policies of a function's role, and of its boundary if it has one."""
    backend = cast(Additions, iam_backends[account]["aws"])
    role = backend.get_role_by_arn(code_of(function).role)
    return backend.policies_of(role), backend.boundary_of(role)
