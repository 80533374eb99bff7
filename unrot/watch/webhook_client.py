"""Posts messages to webhooks, and to nowhere else.

The address was written by a person who may operate a model, not the machine that it runs on. So a
name is looked up once, every address that it stands for is checked, and the connection goes to the
very address that was checked: a name that answers differently a moment later leads nowhere. What
is private to a machine or a network is refused unless it is allowed; where clouds keep a machine's
secrets (link-local, and some addresses beside) is refused all the same. Redirects are not followed,
no proxy is asked, and of the answer nothing is read but its status.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from unrot.core.errors import Undelivered
from unrot.core.webhooks import Webhook

TIMEOUT_SECONDS = 5.0
"""So long each step may take: to connect, to send, to be answered."""
MOST_SECONDS = 15.0
"""So long all of it may take after the name was looked up, however slowly the answer drips."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
_OF_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""Kept for protocols between machines; Python takes most of it for public."""
_OF_CLOUDS = tuple(
    map(
        ipaddress.ip_network,
        (
            *("168.63.129.16", "100.100.100.200", "192.0.0.192"),  # Azure, Alibaba, Oracle
            *("fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32", "fd00:42::/32"),
            "64:ff9b:1::/48",  # Which IPv4 address this leads to only the network itself knows.
        ),
    )
)
"""Where clouds tell a machine its secrets, beside link-local: of IPv6 Amazon's, Google's, Oracle's
and Scaleway's."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class WebhookClient:
    """Posts over HTTP and HTTPS."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # To read all certificates that are trusted takes longer than the rest of a start.
        return ssl.create_default_context()

    def post(self, to: Webhook, body: bytes, headers: Mapping[str, str]) -> str:
        """Send one message and return nothing when it was taken; else raise Undelivered."""
        addresses = self._checked(to)
        try:
            with self._connected(to, addresses) as connection:
                connection.request("POST", to.path, body, dict(headers))
                status = connection.getresponse().status
        except ssl.SSLCertVerificationError as error:
            raise Undelivered(
                f"The certificate of {to.host} is not to be trusted: {error.verify_message}."
            ) from error
        except ssl.SSLError as error:
            raise Undelivered(f"{to.host} does not speak TLS as expected.") from error
        except TimeoutError as error:
            raise Undelivered(f"{to.host} did not answer within {TIMEOUT_SECONDS:g} s.") from error
        except OSError as error:
            said = error.strerror or "the connection broke off"
            raise Undelivered(f"{to.host} could not be reached: {said.lower()}.") from error
        except (HTTPException, ValueError) as error:
            raise Undelivered(f"{to.host} did not answer as HTTP does.") from error
        _check_status(to, status)
        return ""

    def _checked(self, to: Webhook) -> list[str]:
        """Look the name up and return its addresses; refuse it if any of them is private."""
        try:
            found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Undelivered(f"The name {to.host} was not found.") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self._check(to.host, address)
        return addresses

    def _check(self, host: str, text: str) -> None:
        address = meant(ipaddress.ip_address(text.partition("%")[0]))
        where = host if host == text else f"{host} ({text})"
        is_local = address.is_link_local or address.is_multicast or address.is_unspecified
        if is_local or any(address in network for network in _OF_CLOUDS):
            raise Undelivered(f"{where} is no address that a webhook can have.")
        if not self._allow_private and not is_public(address):
            raise Undelivered(
                f"{where} is a private address: if anything is to be sent there, set "
                "UNROT_WEBHOOK_PRIVATE=yes."
            )

    @contextmanager
    def _connected(self, to: Webhook, addresses: list[str]) -> Iterator[HTTPConnection]:
        """Connect to one of the addresses; after a while the connection is cut whatever happens."""
        connection = self._spoken_with(to)
        timer = threading.Timer(MOST_SECONDS, lambda: cut(connection.sock))
        timer.daemon = True
        try:
            connection.sock = _first_that_answers(addresses, to.port)
            timer.start()
            if to.is_secure:
                connection.sock = self._tls.wrap_socket(
                    connection.sock, server_hostname=to.host, do_handshake_on_connect=False
                )
                connection.sock.do_handshake()
            yield connection
        finally:
            timer.cancel()
            connection.close()

    def _spoken_with(self, to: Webhook) -> HTTPConnection:
        """Return what speaks HTTP with a host; it is not connected yet."""
        if to.is_secure:
            return HTTPSConnection(to.host, to.port, context=self._tls)
        return HTTPConnection(to.host, to.port)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's, for anybody to reach.

    >>> [is_public(ipaddress.ip_address(one)) for one in ("8.8.8.8", "10.0.0.1", "192.0.0.8")]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    if address in _OF_PROTOCOLS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, where it leads to one.

    >>> meant(ipaddress.ip_address("::ffff:127.0.0.1"))
    IPv4Address('127.0.0.1')
    >>> meant(ipaddress.ip_address("64:ff9b::a00:1"))
    IPv4Address('10.0.0.1')
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _first_that_answers(addresses: list[str], port: int) -> socket.socket:
    trouble: OSError = OSError("there is no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), TIMEOUT_SECONDS)
        except OSError as error:
            trouble = error
    raise trouble


def cut(connection: socket.socket | None) -> None:
    """End a connection that others may still wait for."""
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _check_status(to: Webhook, status: int) -> None:
    if 200 <= status < 300:
        return
    more = ""
    if 300 <= status < 400:
        more = "; redirects are not followed: give the address that it leads to"
    raise Undelivered(f"{to.host} answered {status}{more}.")
