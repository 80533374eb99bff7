"""Who an address counts for: its network, since one visitor may have many addresses."""

from __future__ import annotations

import ipaddress
import re

WITH_PORT = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]+)?")


def network_of(address: str) -> str:
    """Return the /24 or /64 of an address, which some proxies write with a port.

    What is no address is one network for all.

    >>> [network_of(one) for one in ("203.0.113.9", "203.0.113.9:80", "[2001:db8::1]:80", "?")]
    ['203.0.113.0/24', '203.0.113.0/24', '2001:db8::/64', 'unreadable']
    """
    found = WITH_PORT.fullmatch(address)
    try:
        parsed = ipaddress.ip_address(found[1] or found[2] if found else address)
        mapped = getattr(parsed, "ipv4_mapped", None) or parsed
        width = 24 if mapped.version == 4 else 64
        return str(ipaddress.ip_network(f"{mapped}/{width}", strict=False))
    except ValueError:
        return "unreadable"
