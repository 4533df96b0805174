"""Every spelling of an address that must not be asked, and those that must be."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.addresses import Network, forbidden, is_own, resolve
from providers.errors import Unreachable


def networks(*texts: str) -> list[Network]:
    return [ipaddress.ip_network(text) for text in texts]


EVERYTHING = networks("0.0.0.0/0", "::/0")

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "104.16.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
]
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "255.255.255.255",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:192.168.0.1",
    "::ffff:100.64.0.1",
]
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:127.0.0.1",
]
NEVER = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "::",
    "::ffff:0.0.0.0",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "::ffff:100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.255",
    "ff02::1",
    "ff0e::1",
]
CARRIERS = [
    "64:ff9b::8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
    "2002:808:808::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
]
NO_ADDRESSES = ["", "localhost", "0177.0.0.1", "2130706433", "0x7f.1", "127.1", "1.2.3.4.5", "::g"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_fine(address: str) -> None:
    assert forbidden(address) is None


@pytest.mark.parametrize("address", [*PRIVATE, *LOOPBACK, *NEVER, *CARRIERS, *NO_ADDRESSES])
def test_everything_else_is_refused(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_when_listed(address: str) -> None:
    assert forbidden(address, EVERYTHING) is None


@pytest.mark.parametrize("address", NEVER)
def test_link_local_metadata_and_multicast_are_refused_even_when_listed(address: str) -> None:
    bare = ipaddress.ip_address(address.partition("%")[0])
    assert forbidden(address, [*EVERYTHING, ipaddress.ip_network(bare)])


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_allowed_only_by_a_network_that_is_loopback_itself(address: str) -> None:
    assert forbidden(address, EVERYTHING) == "a loopback address"
    assert forbidden(address, networks("126.0.0.0/7", "::/127"))
    assert forbidden(address, networks("127.0.0.0/8", "::1/128")) is None


def test_one_loopback_address_can_be_listed_alone() -> None:
    assert forbidden("127.0.0.1", networks("127.0.0.1/32")) is None
    assert forbidden("127.0.0.2", networks("127.0.0.1/32"))
    assert forbidden("::1", networks("127.0.0.0/8"))


def test_a_listed_network_allows_no_other() -> None:
    assert forbidden("10.1.0.1", networks("10.0.0.0/16"))
    assert forbidden("192.168.0.1", networks("10.0.0.0/8"))
    assert forbidden("10.0.0.1", networks("fd00::/8"))


@pytest.mark.parametrize(
    ("address", "allowed", "fine"),
    [
        ("64:ff9b::8.8.8.8", ["64:ff9b::/96"], True),
        ("64:ff9b::10.0.0.1", ["64:ff9b::/96"], False),
        ("64:ff9b::10.0.0.1", ["64:ff9b::/96", "10.0.0.0/8"], True),
        ("64:ff9b::169.254.169.254", ["64:ff9b::/96", "169.254.0.0/16"], False),
        ("64:ff9b::127.0.0.1", ["64:ff9b::/96", "0.0.0.0/0"], False),
        ("2002:a9fe:a9fe::", ["2002::/16"], False),
        ("2002:808:808::", ["2002::/16"], True),
        ("::169.254.169.254", ["::/96"], False),
        ("64:ff9b:1::a9fe:a9fe", ["64:ff9b:1::/48"], False),
    ],
)
def test_an_address_that_carries_another_is_judged_by_both(
    address: str, allowed: Sequence[str], fine: bool
) -> None:
    assert (forbidden(address, networks(*allowed)) is None) is fine


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_makes_it_no_better(address: ipaddress.IPv4Address) -> None:
    plain = forbidden(str(address))
    assert forbidden(f"::ffff:{address}") == plain
    for wrapped in (f"64:ff9b::{address}", f"::{address}"):
        assert forbidden(wrapped)
        if plain:
            assert forbidden(wrapped, networks("64:ff9b::/96", "::/96"))


@given(st.ip_addresses())
def test_there_is_always_a_verdict(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    for allowed in ([], EVERYTHING):
        reason = forbidden(str(address), allowed)
        assert reason is None or reason.startswith(("a ", "an "))


class TestResolving:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "127.1",
            "::1",
            "0",
            "017700000001",
        ],
    )
    def test_no_spelling_gets_around_the_guard(self, host: str) -> None:
        with pytest.raises(Unreachable, match="is a"):
            resolve(host, 80, [], patience=1)

    def test_a_public_number_needs_no_name_server(self) -> None:
        assert resolve("8.8.8.8", 443, [], patience=0) == [(socket.AF_INET, ("8.8.8.8", 443))]

    def test_names_are_looked_up(self) -> None:
        allowed = networks("127.0.0.0/8", "::1/128")
        found = resolve("localhost", 80, allowed, patience=5)
        assert {address[0] for _, address in found} <= {"127.0.0.1", "::1"}
        assert found

    def test_a_name_that_is_none_is_unreachable(self) -> None:
        for host in ("a..b", "x" * 64, "", "-", "\N{SNOWMAN}" * 70):
            with pytest.raises(Unreachable):
                resolve(host, 80, [], patience=5)


# -- One's own ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434/v1",
        "http://[::1]:8000/v1",
        "http://10.1.2.3/v1",
        "http://192.168.0.9:8000",
        "http://[fd00::7]/v1",
        "http://localhost:11434/v1",
        "http://ollama:11434/v1",
        "https://llm.internal/v1",
        "http://box.local./v1",
        "http://gpu.home.arpa",
    ],
)
def test_what_nobody_outside_can_be_is_ones_own(url: str) -> None:
    assert is_own(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.groq.com/openai/v1",
        "https://localhost.example.org",
        "https://10.1.2.3.example.org",
        "https://127.0.0.1@api.example.org/v1",
        "http://8.8.8.8",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.1",
        "http://[64:ff9b::a00:1]",
        "http://[2606:4700::1111]",
        "http:///v1",
        "",
    ],
)
def test_every_other_address_is_a_strangers(url: str) -> None:
    assert not is_own(url)
