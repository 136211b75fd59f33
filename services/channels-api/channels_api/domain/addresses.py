"""Which addresses on the internet a caller may make us call. Pure: resolving is elsewhere.

A caller who names a URL must not reach what only we can reach: ourselves, neighbours in the
cluster, the cloud's metadata service.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

LONGEST_BASE_URL = 140
"""Meta takes 200 characters for a callback, and the webhook's path follows."""
PORTS = frozenset({443, 8443})

Address = IPv4Address | IPv6Address

_REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # between a provider and its customers; also a cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata on an address that counts as public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # unspecified, loopback, and IPv4 in the long abandoned form
        "64:ff9b:1::/48",  # a network's own NAT64
        "100::/64",
        "2001::/32",  # Teredo: an IPv4 address inside, and nobody serves a webhook so
        "2001:db8::/32",
        "2002::/16",  # 6to4: likewise
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
"""How hosts on networks without IPv4 reach it: as good as the IPv4 address inside."""


def allowed(address: Address) -> bool:
    """Whether anybody on the internet could call it as well as we can."""
    if isinstance(address, IPv6Address):
        inside = _ipv4_inside(address)
        if inside is not None:
            return allowed(inside)
        return address.is_global and not any(address in network for network in _REFUSED_V6)
    return address.is_global and not any(address in network for network in _REFUSED_V4)


def allowed_text(text: str) -> bool:
    """Whether ``text``, as a resolver gives it, is an address that is allowed."""
    try:
        return allowed(ip_address(text))
    except ValueError:
        return False


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a caller may name."""

    private: bool = False
    """Plain http, any port and private networks as well: for development alone."""


def base_url(pasted: str, policy: Policy) -> str:
    """Scheme and host, port and path if any, without a slash at the end.

    Raises ValueError with one sentence that says what to do.
    """
    text = pasted.strip()
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("it holds characters that no address has; write it like https://your-host")
    if len(text) > LONGEST_BASE_URL:
        raise ValueError(f"it is longer than {LONGEST_BASE_URL} characters, more than Meta takes")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it is no address; write it like https://your-host") from None
    if parts.scheme != "https" and not (policy.private and parts.scheme == "http"):
        raise ValueError("it must begin with https://, because Meta calls nothing else")
    if not host:
        raise ValueError("there is no host in it; write it like https://your-host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave out user and password")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("leave out everything from ? or # on")
    if not policy.private and (port or 443) not in PORTS:
        raise ValueError("use port 443 or 8443")
    if _is_disguised(host):
        raise ValueError("write the host's name, not its number")
    return text.rstrip("/")


def _is_disguised(host: str) -> bool:
    """An IPv4 address in another spelling than four plain decimals, which many resolvers accept."""
    last = host.rstrip(".").rpartition(".")[2]
    if not (last.isdigit() or last.startswith("0x")):
        return False
    try:
        IPv4Address(host)
    except ValueError:
        return True
    return False
