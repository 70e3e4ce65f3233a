"""EC2 as dstack launches in it: moto's, which counts launches and can be out of capacity."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .moto import Moto
from .relay import Answer, Relay, Request

_REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/ec2/")
_PUBLIC_ADDRESS = re.compile(rb"<(ipAddress|publicIp)>[^<]*</\1>")
_ON_LOOPBACK = rb"<\1>127.0.0.1</\1>"
"""moto makes public addresses up, and dstack would open connections to them."""


@dataclass(frozen=True)
class Launch:
    """A call to `RunInstances`, as dstack has tagged it."""

    project: str
    region: str
    instance_type: str


class Ec2(Relay):
    """Between dstack and moto."""

    def __init__(self, moto: Moto) -> None:
        super().__init__(moto.url)
        self._moto = moto
        self._lock = threading.Lock()
        self._launches: list[Launch] = []
        self._full: set[str] = set()

    def environment(self) -> dict[str, str]:
        """Leads a dstack server's EC2 here, without the repetitions of boto3, which take long."""
        return {
            **self._moto.environment(),
            "AWS_ENDPOINT_URL_EC2": self.url,
            "AWS_MAX_ATTEMPTS": "1",
        }

    def launches(self, project: str) -> list[Launch]:
        """The calls to `RunInstances` for a project."""
        with self._lock:
            return [launch for launch in self._launches if launch.project == project]

    def run_out_of_capacity(self, region: str) -> None:
        """From now on no zone of the region has room for anything."""
        self._full.add(region)

    def answer(self, request: Request) -> Answer:
        fields = dict(parse_qsl(request.body.decode()))
        region = _REGION.search(request.headers.get("Authorization", ""))
        if region is not None and fields.get("Action") == "RunInstances":
            launch = _launch(fields, region[1])
            with self._lock:
                self._launches.append(launch)
            if launch.region in self._full:
                subnet = fields["NetworkInterface.1.SubnetId"]
                return _no_capacity(launch, self._moto.zone(launch.region, subnet))
        answer = self.passed_on(request)
        return Answer(
            answer.status, answer.headers, _PUBLIC_ADDRESS.sub(_ON_LOOPBACK, answer.body)
        )


def _launch(fields: dict[str, str], region: str) -> Launch:
    tags = {
        value: fields[key.removesuffix("Key") + "Value"]
        for key, value in fields.items()
        if key.startswith("TagSpecification.") and key.endswith(".Key")
    }
    return Launch(tags["dstack_project"], region, fields["InstanceType"])


def _no_capacity(launch: Launch, zone: str) -> Answer:
    message = (
        f"We currently do not have sufficient {launch.instance_type} capacity in the Availability"
        f" Zone you requested ({zone}). Our system will be working on provisioning additional"
        f" capacity. You can currently get {launch.instance_type} capacity by not specifying an"
        " Availability Zone in your request."
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>"
        f"<Message>{message}</Message></Error></Errors>"
        "<RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
    )
    return Answer(500, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode())
