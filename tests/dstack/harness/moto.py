"""EC2 and STS by moto's server, with the networks and the image that dstack wants to see."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from .account import ACCESS_KEY_ID, REGIONS, SECRET_ACCESS_KEY
from .processes import Process, clean_environment, free_port

IMAGE = {
    "ami_id": "ami-0123456789abcdef0",
    "name": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20261101",
    "description": "What dstack boots on machines with GPUs",
    "owner_id": "898082745236",
    "creation_date": "2026-11-01T00:00:00.000Z",
    "public": True,
    "virtualization_type": "hvm",
    "architecture": "x86_64",
    "state": "available",
}


class Moto:
    """One server for all regions; dstack reaches it by the endpoint variables of boto3."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        program = str(Path(sys.executable).with_name("moto_server"))
        self.url = f"http://127.0.0.1:{port}"
        images = folder / "images.json"
        images.write_text(json.dumps([IMAGE]))
        self._process = Process(
            "moto",
            [program, "-H", "127.0.0.1", "-p", str(port)],
            folder / "moto.log",
            {**clean_environment(), "MOTO_AMIS_PATH": str(images)},
        )
        self._process.wait_for_http(self.url + "/moto-api/")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._open_to_the_internet, REGIONS))

    def zone(self, region: str, subnet: str) -> str:
        """The availability zone that a subnet is in."""
        found: str = self._ec2(region).describe_subnets(SubnetIds=[subnet])["Subnets"][0][
            "AvailabilityZone"
        ]
        return found

    def _ec2(self, region: str) -> Any:
        session = boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=region)
        return session.client("ec2", endpoint_url=self.url)

    def _open_to_the_internet(self, region: str) -> None:
        # dstack refuses an AWS backend whose default networks have no way out.
        ec2 = self._ec2(region)
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def environment(self) -> dict[str, str]:
        """What leads dstack's EC2 and STS here."""
        return {"AWS_ENDPOINT_URL_EC2": self.url, "AWS_ENDPOINT_URL_STS": self.url}

    def stop(self) -> None:
        self._process.stop()
