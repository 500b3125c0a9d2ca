"""EC2: which security group or subnet is missing.

moto names all that were asked for, as a Python set, or any one of them, and takes an id given twice for a missing one.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError, InvalidSubnetIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet

from rehearsal.aws.graft import graft

_original_groups = EC2Backend.describe_security_groups
_original_subnets = EC2Backend.describe_subnets


class Additions(EC2Backend):
    """The first id that is missing is named."""

    def describe_security_groups(
        self, group_ids: list[str] | None = None, groupnames: list[str] | None = None, filters: Any = None
    ) -> list[SecurityGroup]:
        """Return security groups; raises InvalidGroup.NotFound."""
        wanted = list(dict.fromkeys(group_ids or []))
        known = {group for groups in self.groups.values() for group in groups}
        for group_id in wanted:
            if group_id not in known:
                raise InvalidSecurityGroupNotFoundError(group_id)
        found: list[SecurityGroup] = _original_groups(self, wanted, groupnames, filters)
        return found

    def describe_subnets(self, subnet_ids: list[str] | None = None, filters: Any | None = None) -> list[Subnet]:
        """Return subnets; raises InvalidSubnetID.NotFound."""
        wanted = list(dict.fromkeys(subnet_ids or []))
        known = {subnet for subnets in self.subnets.values() for subnet in subnets}
        for subnet_id in wanted:
            if subnet_id not in known:
                raise InvalidSubnetIdError(subnet_id)
        found: list[Subnet] = _original_subnets(self, wanted, filters)
        return found


def install() -> None:
    """Put the additions into moto."""
    graft(Additions)
