"""What a stack refers to and does not make: a VPC given by its id, a load balancer looked up by its name.

On AWS somebody else has made it. While Terraform applies a stack, whatever is asked for by name and is not there is put
there, as ordinary as can be: subnets that are public, security groups that are open, policies that allow. Each is
noted, for what it is like in earnest nobody can know here.
"""

# The table of needs names methods of the class above it.
# ruff: noqa: SLF001

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from unittest.mock import patch

from moto.acm.models import acm_backends
from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse
from moto.ec2.exceptions import InvalidSubnetConflictError
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.route53.models import route53_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from rehearsal.aws.iam_requests import Call
from rehearsal.certificates import authority

_ID = re.compile(r"\b(vpc|subnet|sg)-[0-9a-z]{4,17}\b")
_CERTIFICATE = re.compile(r"arn:aws[\w-]*:acm:[^\"\s]+:certificate/[\w-]+")
_BALANCER = re.compile(r"arn:aws[\w-]*:elasticloadbalancing:[^\"\s]+:loadbalancer/(?:app|net)/([\w-]+)/\w+")
_POLICY = re.compile(r"arn:aws[\w-]*:iam::\d{12}:policy/(?:[^\"\s]*/)?([\w+=,.@-]+)")
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com/([\w./-]+?)[:@]")
_ALLOWS = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_IN_A_NETWORK = ("ec2", "elbv2", "ecs", "autoscaling", "rds", "elasticache", "efs", "lambda")
_ASSUMED_BY = ("ecs-tasks", "ecs", "codedeploy", "lambda", "ec2")
_NOTHING = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}

Need = Callable[["Referred", Call], None]


class Referred:
    """Puts what is asked for into this process's stand-in: a context manager.

    Args:
        domains: names that the stack has in its files, for certificates and zones that are looked up.
        ports: those of listeners that are looked up.
        looks_up: the types of the stack's data sources. Terraform looks for what it is about to make, too: only what
            a data source asks for is put there by its name.
    """

    def __init__(self, domains: Sequence[str] = (), ports: Sequence[int] = (), looks_up: Collection[str] = ()) -> None:
        self._domains, self._ports, self._looks_up = list(domains), list(ports), frozenset(looks_up)
        self.notes: dict[str, None] = {}
        """What was put there, each in a line."""
        self._original = BaseResponse.call_action

    def __enter__(self) -> Referred:  # noqa: PYI034  (typing.Self is newer than 3.10)
        original, before = self._original, self._before

        def call_action(response: BaseResponse) -> Any:
            before(response)
            return original(response)

        setattr(BaseResponse, "call_action", call_action)  # noqa: B010  (a method replaced is no matter of types)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(BaseResponse, "call_action", self._original)  # noqa: B010

    def _before(self, response: BaseResponse) -> None:
        # What moto's models cannot read, or refuse to make, is left to the request itself.
        with contextlib.suppress(ServiceException, LookupError, ValueError, AttributeError, TypeError):
            if not response.automated_parameter_parsing:
                response.parse_parameters(response.normalized_request)
            parameters = dict(cast("Mapping[str, Any]", response.params))
            operation = response._get_action()
            self.need(
                Call(response.boto3_service_name, operation, parameters, response.region, response.current_account)
            )

    def need(self, call: Call) -> None:
        """See to it that what a call names is there."""
        if call.operation.startswith(("Delete", "Detach")):
            return
        told = json.dumps(dict(call.parameters), default=str)
        network = json.dumps(call.parameters.get("VpcConfig")) if call.service == "lambda" else told
        for match in _ID.finditer(network if call.service in _IN_A_NETWORK else ""):
            kinds: dict[str, Callable[..., Any]] = {"vpc": self._vpc, "subnet": self._subnet, "sg": self._group}
            kinds[match[1]](call, match[0])
        for arn in _CERTIFICATE.findall(told):
            self._certificate(call, arn)
        for match in _BALANCER.finditer(told):
            self._balancer(call, match[1], match[0])
        for match in _POLICY.finditer(told):
            self._policy(call, match[0], match[1])
        for name in _REGISTRY.findall(told.replace("\\", "")):
            self._repository(call, name)
        if call.operation == "CreateLoadBalancer":
            self._own_balancer(call)
        own, types = _NEEDS.get(f"{call.service}:{call.operation}", (None, ()))
        if own is not None and (not types or self._looks_up & set(types)):
            own(self, call)

    def _note(self, what: str) -> None:
        self.notes[what] = None

    # Network.

    def _vpc(self, call: Call, wanted: str, tags: Mapping[str, str] | None = None) -> str:
        ec2 = ec2_backends[call.account][call.region]
        if wanted in ec2.vpcs:
            return wanted
        self._note(f"VPC {wanted or dict(tags or {})}")
        network = f"10.{len(ec2.vpcs) % 200 + 40}.0.0/16"
        with _id(f"{_EC2}.vpcs.random_vpc_id", wanted):
            vpc = ec2.create_vpc(network, tags=[{"Key": k, "Value": v} for k, v in (tags or {}).items()])
        gateway = ec2.create_internet_gateway()
        ec2.attach_internet_gateway(gateway.id, vpc.id)
        table = next(iter(ec2.describe_route_tables(filters={"vpc-id": [vpc.id], "association.main": ["true"]})))
        ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
        return str(vpc.id)

    def _any_vpc(self, call: Call) -> str:
        ec2 = ec2_backends[call.account][call.region]
        own = [vpc.id for vpc in ec2.vpcs.values() if str(vpc.is_default).lower() != "true"]
        return str(own[-1]) if own else self._vpc(call, "", {"Name": "rehearsal"})

    def _subnet(
        self, call: Call, wanted: str, vpc: str = "", zone: str = "", tags: Mapping[str, str] | None = None
    ) -> None:
        ec2 = ec2_backends[call.account][call.region]
        known = [subnet for zones in ec2.subnets.values() for subnet in zones.values()]
        if wanted and any(subnet.id == wanted for subnet in known):
            return
        vpc = vpc or self._any_vpc(call)
        count = sum(subnet.vpc_id == vpc for subnet in known)
        zone = zone or f"{call.region}{'abc'[count % 3]}"
        block = ipaddress.ip_network(ec2.get_vpc(vpc).cidr_block)
        for network in block.subnets(prefixlen_diff=min(6, 28 - block.prefixlen)):
            with contextlib.suppress(InvalidSubnetConflictError), _id(f"{_EC2}.subnets.random_subnet_id", wanted):
                made = ec2.create_subnet(vpc, str(network), availability_zone=zone, tags=dict(tags or {}))  # type: ignore[arg-type]
                made.add_tags(dict(tags or {}))
                self._note(f"subnet {wanted or made.id} in {zone}")
                return

    def _group(self, call: Call, wanted: str, name: str = "", tags: Mapping[str, str] | None = None) -> None:
        ec2 = ec2_backends[call.account][call.region]
        if wanted and any(wanted in groups for groups in ec2.groups.values()):
            return
        self._note(f"security group {wanted or name or dict(tags or {})}, open to everybody")
        with _id(f"{_EC2}.security_groups.random_security_group_id", wanted):
            made = ec2.create_security_group(
                name or wanted or "rehearsal", "Made by somebody else", self._any_vpc(call), force=True
            )
        made.add_tags(dict(tags or {}))
        ec2.authorize_security_group_ingress(made.id, "-1", None, None, [{"CidrIp": "0.0.0.0/0"}])  # type: ignore[arg-type]

    def _vpcs_by_filter(self, call: Call) -> None:
        filters = _filters(call)
        if filters and not ec2_backends[call.account][call.region].describe_vpcs(filters=filters):
            self._vpc(call, "", _tags(filters))

    def _subnets_by_filter(self, call: Call) -> None:
        filters = _filters(call)
        ec2 = ec2_backends[call.account][call.region]
        if not filters or ec2.describe_subnets(filters=filters):
            return
        vpc = (filters.get("vpc-id") or [""])[0]
        for zone in filters.get("availability-zone") or ("", ""):
            self._subnet(call, "", vpc, zone, _tags(filters))

    def _groups_by_filter(self, call: Call) -> None:
        filters = _filters(call)
        if filters and not ec2_backends[call.account][call.region].describe_security_groups(filters=filters):
            name = (filters.get("group-name") or [""])[0]
            if name != "default":
                self._group(call, "", name, _tags(filters))

    def _images(self, call: Call) -> None:
        """Machine images: which there are, AWS changes from week to week."""
        filters, ec2 = _filters(call), ec2_backends[call.account][call.region]
        if filters and not ec2.describe_images(filters=dict(filters)):
            name = (filters.get("name") or ["rehearsal"])[0].replace("*", "2023")
            image = ec2.register_image(name, "rehearsal")
            for key, attribute in (("architecture", "architecture"), ("owner-alias", "owner_alias")):
                if key in filters:
                    setattr(image, attribute, filters[key][0])
            for owner in call.parameters.get("Owners") or []:
                image.owner_id, image.owner_alias = owner, owner
            self._note(f"machine image {name}")

    # Load balancers and certificates.

    def _balancer(self, call: Call, name: str, arn: str = "") -> None:
        backend = elbv2_backends[call.account][call.region]
        if arn in backend.load_balancers or (not arn and any(b.name == name for b in backend.load_balancers.values())):
            return
        self._note(_noted_balancer(name))
        ec2, vpc = ec2_backends[call.account][call.region], self._any_vpc(call)
        while len(subnets := ec2.describe_subnets(filters={"vpc-id": [vpc]})) < 2:
            self._subnet(call, "", vpc)
        self._group(call, "", f"{name}-load-balancer")
        group = next(
            g.id for groups in ec2.groups.values() for g in groups.values() if g.name == f"{name}-load-balancer"
        )
        made = backend.create_load_balancer(
            name, [group], [subnet.id for subnet in subnets], loadbalancer_type="application"
        )
        made.state = "active"
        if arn:
            backend.load_balancers[arn] = backend.load_balancers.pop(made.arn)
            backend.tagging_service.copy_tags(made.arn, arn)
            made.arn = arn
        for port in self._ports:
            secure = "443" in str(port)
            certificate = self._certificate(call, "") if secure else None
            backend.create_listener(
                load_balancer_arn=made.arn,
                protocol="HTTPS" if secure else "HTTP",
                port=str(port),
                ssl_policy="ELBSecurityPolicy-2016-08",
                certificate=certificate,
                actions=[dict(_NOTHING)],
            )

    def _own_balancer(self, call: Call) -> None:
        """Take away what was put there when Terraform looked whether the name of its own was free."""
        backend = elbv2_backends[call.account][call.region]
        note = _noted_balancer(call["Name"])
        for arn in [arn for arn, each in backend.load_balancers.items() if each.name == call["Name"]]:
            if self.notes.pop(note, 0) is None:
                del backend.load_balancers[arn]

    def _certificate(self, call: Call, arn: str) -> str:
        acm = acm_backends[call.account][call.region]
        if arn in acm._certificates:
            return arn
        names = self._domains or ["rehearsal.example.com"]
        signed = authority().sign(names[0], timedelta(days=30), *names[1:])
        made = acm.import_certificate(
            signed.certificate.encode(), signed.private_key.encode(), authority().certificate.encode(), None, []
        )
        if arn:
            bundle = acm._certificates.pop(made)
            bundle.arn = arn
            acm._certificates[arn] = bundle
        self._note(f"certificate {arn or ''} for {', '.join(names)}".replace("  ", " "))
        return arn or str(made)

    def _certificates_by_name(self, call: Call) -> None:
        acm = acm_backends[call.account][call.region]
        known = {bundle.common_name for bundle in acm._certificates.values()}
        for name in self._domains:
            if name not in known:
                signed = authority().sign(name, timedelta(days=30), f"*.{name}")
                acm.import_certificate(
                    signed.certificate.encode(), signed.private_key.encode(), authority().certificate.encode(), None, []
                )
        self._note(f"certificates for {', '.join(self._domains) or 'no name: the stack has none in its files'}")

    def _zones(self, call: Call) -> None:
        backend = route53_backends[call.account]["aws"]
        known = {zone.name.rstrip(".") for zone in backend.zones.values()}
        for name in self._domains:
            if name.lstrip("*.") not in known:
                known.add(name.lstrip("*."))
                backend.create_hosted_zone(f"{name.lstrip('*.')}.", private_zone=False)
                self._note(f"hosted zone {name.lstrip('*.')}")

    # By name.

    def _balancers_by_name(self, call: Call) -> None:
        for name in call.parameters.get("Names") or []:
            self._balancer(call, name)
        if not call.parameters.get("Names") and not call.parameters.get("LoadBalancerArns"):
            backend = elbv2_backends[call.account][call.region]
            if not backend.load_balancers:
                self._balancer(call, "shared")

    def _clusters(self, call: Call) -> None:
        named = call.parameters.get("clusters") or [call.parameters.get("cluster")]
        backend = ecs_backends[call.account][call.region]
        for name in (str(each).rpartition("/")[2] for each in named if each):
            if name not in backend.clusters:
                backend.create_cluster(name)
                self._note(f"ECS cluster {name}")

    def _parameter(self, call: Call) -> None:
        backend = ssm_backends[call.account][call.region]
        for name in call.parameters.get("Names") or [call["Name"]]:
            if not name.startswith("/aws/service/") and backend.get_parameter(name) is None:
                backend.put_parameter(
                    name,
                    "",
                    "rehearsal",
                    "String",
                    "",
                    "",
                    overwrite=False,
                    tags=[],
                    data_type="text",
                    tier=None,
                    policies=None,
                )
                self._note(f"parameter {name}, with the value `rehearsal`")

    def _secret(self, call: Call) -> None:
        backend, given = secretsmanager_backends[call.account][call.region], str(call["SecretId"])
        name = re.sub(r"-\w{6}$", "", given.partition(":secret:")[2]) if given.startswith("arn:") else given
        if name not in backend.secrets and given not in {s.arn for s in backend.secrets.values()}:
            value = json.dumps(dict.fromkeys(("username", "password", "host", "value"), "rehearsal"))
            backend.create_secret(name, value, None, None, [], None, None, [], force_overwrite=False)
            self._note(f"secret {name}, with values that say `rehearsal`")

    def _role(self, call: Call) -> None:
        backend = iam_backends[call.account]["aws"]
        if any(role.name == call["RoleName"] for role in backend.roles.values()):
            return
        principal = {"Service": [f"{service}.amazonaws.com" for service in _ASSUMED_BY]}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        backend.create_role(call["RoleName"], document, "/", None, "", [], "3600")
        backend.put_role_policy(call["RoleName"], "rehearsal", _ALLOWS)
        self._note(f"role {call['RoleName']}, which may do everything")

    def _policy(self, call: Call, arn: str, name: str) -> None:
        backend = iam_backends[call.account]["aws"]
        if call.service == "iam" and arn not in backend.managed_policies:
            _, _, path = arn.partition(":policy")
            made = backend.create_policy("", path.removesuffix(name), _ALLOWS, name, [])
            # Its ARN is made of its account, which may be another one.
            backend.managed_policies.pop(made.arn)
            made.account_id = arn.split(":")[4]
            backend.managed_policies[arn] = made
            self._note(f"policy {name}, which allows everything")

    def _repository(self, call: Call, name: str) -> None:
        backend = ecr_backends[call.account][call.region]
        if name not in backend.repositories:
            backend.create_repository(name, None, {}, {}, "MUTABLE", [])
            self._note(f"ECR repository {name}")

    def _repositories(self, call: Call) -> None:
        for name in call.parameters.get("repositoryNames") or []:
            self._repository(call, name)

    def _bucket(self, call: Call) -> None:
        backend = s3_backends[call.account]["aws"]
        if call["Bucket"] not in backend.buckets:
            backend.create_bucket(call["Bucket"], call.region)
            self._note(f"bucket {call['Bucket']}")

    def _key(self, call: Call) -> None:
        backend, given = kms_backends[call.account][call.region], str(call["KeyId"])
        if (
            given.startswith("alias/")
            and not given.startswith("alias/aws/")
            and not backend.get_key_id_from_alias(given)
        ):
            key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [], multi_region=False)
            backend.create_alias(key.id, given)
            self._note(f"key {given}")


_EC2 = "moto.ec2.models"


def _noted_balancer(name: str) -> str:
    return f"load balancer {name}, facing the internet"


_NEEDS: dict[str, tuple[Need, tuple[str, ...]]] = {
    "ec2:DescribeVpcs": (Referred._vpcs_by_filter, ("aws_vpc", "aws_vpcs")),
    "ec2:DescribeSubnets": (Referred._subnets_by_filter, ("aws_subnet", "aws_subnets")),
    "ec2:DescribeSecurityGroups": (Referred._groups_by_filter, ("aws_security_group", "aws_security_groups")),
    "ec2:DescribeImages": (Referred._images, ("aws_ami", "aws_ami_ids")),
    "elbv2:DescribeLoadBalancers": (Referred._balancers_by_name, ("aws_lb", "aws_alb")),
    "acm:ListCertificates": (Referred._certificates_by_name, ("aws_acm_certificate",)),
    "route53:ListHostedZones": (Referred._zones, ("aws_route53_zone",)),
    "route53:ListHostedZonesByName": (Referred._zones, ("aws_route53_zone",)),
    "ecs:DescribeClusters": (Referred._clusters, ("aws_ecs_cluster",)),
    "ecs:CreateService": (Referred._clusters, ()),
    "ssm:GetParameter": (Referred._parameter, ("aws_ssm_parameter",)),
    "secretsmanager:DescribeSecret": (Referred._secret, ("aws_secretsmanager_secret",)),
    "secretsmanager:GetSecretValue": (Referred._secret, ("aws_secretsmanager_secret_version",)),
    "iam:GetRole": (Referred._role, ("aws_iam_role",)),
    "ecr:DescribeRepositories": (Referred._repositories, ("aws_ecr_repository",)),
    "s3:HeadBucket": (Referred._bucket, ("aws_s3_bucket",)),
    "kms:DescribeKey": (Referred._key, ("aws_kms_key", "aws_kms_alias")),
}
"""By operation: what is put there, and the data sources that ask for it; none: it is no look-up."""


@contextlib.contextmanager
def _id(function: str, wanted: str) -> Iterator[None]:
    """Let moto give the next of its kind this id; any, if none is wanted."""
    if not wanted:
        yield
        return
    with patch(function, lambda *_: wanted):
        yield


def _filters(call: Call) -> dict[str, list[str]]:
    return {each["Name"]: list(each.get("Values") or []) for each in call.parameters.get("Filters") or []}


def _tags(filters: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The tags that filters ask for."""
    named = {name[4:]: values for name, values in filters.items() if name.startswith("tag:") and values}
    return {name: values[0].replace("*", "rehearsal") for name, values in named.items()}
