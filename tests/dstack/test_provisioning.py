"""Launching: dstack does not try what the plugin has marked as without quota."""

from __future__ import annotations

from harness.dstack_server import AWS_BACKEND, PROJECT
from harness.ec2 import Ec2, Launch
from harness.moto import Moto
from harness.oracle import Oracle
from harness.stage import StartDstack

EIGHT_H100 = {
    "resources": {"gpu": "H100:8", "cpu": "1..", "memory": "1GB..", "disk": "100GB.."},
    "spot_policy": "on-demand",
}
"""p5.48xlarge with 192 vCPU of the quota of P instances."""

ROOM, SHORT = "eu-north-1", "us-east-1"
"""The simulated account has 192 vCPU in the one, none of them in use, and 96 left in the other."""


def test_a_fleet_is_launched_where_there_is_room_and_not_tried_where_there_is_none(
    oracle: Oracle, start_dstack: StartDstack, moto: Moto, ec2: Ec2
) -> None:
    dstack = start_dstack(
        # moto knows no quotas: each refusal is the plugin's.
        moto.url,
        "quota_oracle",
        launches=True,
        **ec2.environment(),
        **oracle.for_the_plugin,
    )
    dstack.add_project(PROJECT, AWS_BACKEND)
    dstack.ask_for_fleet(PROJECT, "short", regions=[SHORT], **EIGHT_H100)
    dstack.ask_for_fleet(PROJECT, "room", regions=[ROOM], **EIGHT_H100)

    short = dstack.wait_until_tried(PROJECT, "short")
    room = dstack.wait_until_tried(PROJECT, "room")

    assert short["termination_reason_message"] == "No offers found"
    assert room["status"] == "provisioning"
    assert ec2.launches(PROJECT) == [Launch(PROJECT, ROOM, "p5.48xlarge")]
