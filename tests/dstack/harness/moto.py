"""EC2 and STS by moto's server, with the networks that dstack wants to see."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

from .account import ACCESS_KEY_ID, REGIONS, SECRET_ACCESS_KEY
from .processes import Process, clean_environment, free_port


class Moto:
    """One server for all regions; dstack reaches it by the endpoint variables of boto3."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        program = str(Path(sys.executable).with_name("moto_server"))
        self.url = f"http://127.0.0.1:{port}"
        self._process = Process(
            "moto",
            [program, "-H", "127.0.0.1", "-p", str(port)],
            folder / "moto.log",
            clean_environment(),
        )
        self._process.wait_for_http(self.url + "/moto-api/")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._open_to_the_internet, REGIONS))

    def _open_to_the_internet(self, region: str) -> None:
        # dstack refuses an AWS backend whose default networks have no way out.
        ec2 = boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=region).client(
            "ec2", endpoint_url=self.url
        )
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
