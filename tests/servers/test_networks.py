"""The networks that environments get, and the ranges that are taken."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import Conflict
from apps.servers.models import Server
from apps.servers.networks import allocate, parse_routes

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t0000600A\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0
br-1\t1000600A\t00000000\t0001\t0\t0\t0\tF0FFFFFF\t0\t0\t0
"""


def server(network_range: str = "10.96.0.0/16") -> Server:
    return Server(network_range=network_range)


def test_the_lowest_free_one() -> None:
    assert allocate(server(), []) == "10.96.0.0/28"
    assert allocate(server(), ["10.96.0.0/28", "10.96.0.32/28"]) == "10.96.0.16/28"


def test_networks_of_other_sizes_and_outside_the_range() -> None:
    assert allocate(server(), ["10.96.0.0/24", "172.17.0.0/16"]) == "10.96.1.0/28"
    assert allocate(server(), ["10.0.0.0/24", "10.96.0.1/32"]) == "10.96.0.16/28"


def test_a_full_range_is_told() -> None:
    taken: list[str] = []
    for _ in range(16):
        taken.append(allocate(server("192.168.7.0/24"), taken))
    assert len(set(taken)) == 16
    with pytest.raises(Conflict) as caught:
        allocate(server("192.168.7.0/24"), taken)
    assert caught.value.code == "servers.network_range_full"


@given(st.sets(st.integers(0, 255), max_size=200))
def test_what_is_given_out_is_free_and_inside(numbers: set[int]) -> None:
    subnets = list(ipaddress.ip_network("10.96.0.0/20").subnets(new_prefix=28))
    taken = [str(subnets[number]) for number in numbers]
    found = ipaddress.ip_network(allocate(server("10.96.0.0/20"), taken))
    assert found.subnet_of(ipaddress.ip_network("10.96.0.0/20"))
    assert found.prefixlen == 28
    assert str(found) not in taken


def test_the_kernel_s_table_of_routes() -> None:
    assert [(interface, str(network)) for interface, network in parse_routes(ROUTES)] == [
        ("eth0", "192.168.1.0/24"),
        ("docker0", "172.17.0.0/16"),
        ("br-1", "10.96.0.16/28"),
    ], "neither the default route nor one that is down"
    assert parse_routes("") == []


@pytest.mark.parametrize("line", ["eth0 x 0 0001 0 0 0 00FFFFFF", "eth0 FFFFFFFFFF 0 0001 0 0 0 00FFFFFF", "a b", "\0"])
def test_a_line_that_is_no_route_is_left_out(line: str) -> None:
    assert parse_routes(ROUTES + line + "\n") == parse_routes(ROUTES)
