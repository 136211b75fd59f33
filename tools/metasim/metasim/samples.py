"""Small valid files for media that a command does not bring along.

They are made by code rather than kept as files: the same arguments give the same bytes.
"""

import math
import struct
import zlib
from functools import cache

SIDE = 64
"""Pixels along each edge of a picture."""
STICKER_SIDE = 512
"""Pixels along each edge of a sticker, as WhatsApp wants them."""

OPUS_PER_S = 48_000
"""Opus counts time in samples of 48 kHz whatever the input was."""
OPUS_PACKET = 960
"""Samples of one packet: 20 ms."""
OPUS_PRE_SKIP = 312
"""Samples that a decoder throws away first: what libopus needs to settle."""
OPUS_SILENCE = b"\xf8\xff\xfe"
"""One packet of 20 ms of silence, mono."""
PACKETS_A_PAGE = 50


def sample(mime_type: str, duration_s: float = 2.0) -> bytes:
    """A file of this type; plain text for types without a maker. Only audio has a duration."""
    essence = mime_type.partition(";")[0].strip().lower()
    if essence == "audio/ogg":
        return silence(duration_s)
    maker = _MAKERS.get(essence)
    return maker() if maker else b"A file from the simulated phone.\n"


def resized(data: bytes, size: int) -> bytes:
    """``data`` cut or filled with zeros to ``size``; most readers overlook what follows the end."""
    return data[:size].ljust(size, b"\0")


def silence(duration_s: float) -> bytes:
    """Ogg with Opus, mono, as voice notes are."""
    samples = OPUS_PRE_SKIP + round(duration_s * OPUS_PER_S)
    packets = math.ceil(samples / OPUS_PACKET)
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, OPUS_PRE_SKIP, OPUS_PER_S, 0, 0)
    vendor = b"metasim"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    pages = [_ogg_page([head], 0, 0, first=True), _ogg_page([tags], 0, 1)]
    for start in range(0, packets, PACKETS_A_PAGE):
        count = min(PACKETS_A_PAGE, packets - start)
        done = (start + count) * OPUS_PACKET
        # The last page's position trims the last packet to the exact length.
        pages.append(
            _ogg_page(
                [OPUS_SILENCE] * count,
                min(done, samples),
                len(pages),
                last=start + count == packets,
            )
        )
    return b"".join(pages)


def _ogg_page(
    packets: list[bytes], position: int, number: int, *, first: bool = False, last: bool = False
) -> bytes:
    """One page of short packets (under 255 bytes each)."""
    flags = 2 * first + 4 * last
    lengths = bytes(len(packet) for packet in packets)
    serial = 1
    fixed = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, serial, number, 0, len(lengths))
    page = fixed + lengths + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_checksum(page)) + page[26:]


@cache
def _ogg_table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        return value & 0xFFFFFFFF

    return tuple(entry(byte << 24) for byte in range(256))


def _ogg_checksum(data: bytes) -> int:
    """Ogg's own CRC-32: the usual polynomial, not reflected, from zero. zlib's does not fit."""
    table, value = _ogg_table(), 0
    for byte in data:
        value = ((value << 8) & 0xFFFFFFFF) ^ table[(value >> 24) ^ byte]
    return value


def _jpeg() -> bytes:
    """Grey squares: each block is two Huffman codes of one bit, "no change" and "end of block"."""
    one_code = bytes([1] + [0] * 15) + b"\0"

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    blocks = (SIDE // 8) ** 2
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, 0, 1, 1, 0, 0)),
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC0, struct.pack(">BHHBBBB", 8, SIDE, SIDE, 1, 1, 0x11, 0)),
            segment(0xC4, b"\x00" + one_code),
            segment(0xC4, b"\x10" + one_code),
            segment(0xDA, bytes([1, 1, 0x00, 0, 63, 0])),
            bytes(blocks * 2 // 8),
            b"\xff\xd9",
        )
    )


def _png() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * SIDE) * SIDE
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def _webp() -> bytes:
    """One colour, lossless: five prefix codes of a single symbol each, so pixels take no bits."""
    bits: list[int] = []

    def put(value: int, width: int) -> None:
        bits.extend(value >> place & 1 for place in range(width))

    put(STICKER_SIDE - 1, 14)
    put(STICKER_SIDE - 1, 14)
    put(0, 1)  # no alpha
    put(0, 3)  # version
    put(0, 3)  # no transform, no colour cache, one group of codes
    for symbol in (0xC8, 0x20, 0x60, 0xFF):  # green, red, blue, alpha
        put(0b101, 3)  # simple, one symbol, of eight bits
        put(symbol, 8)
    put(0b0001, 4)  # distance: simple, one symbol, of one bit, zero
    packed = bytes(
        sum(bit << place for place, bit in enumerate(bits[start : start + 8]))
        for start in range(0, len(bits), 8)
    )
    stream = b"\x2f" + packed
    chunk = b"VP8L" + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _mp4() -> bytes:
    """A container without a track: enough for everything but watching it."""

    def box(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + name + body

    unity = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    header = struct.pack(">5IiH10x", 0, 0, 0, 1000, 2000, 0x10000, 0x100) + unity + bytes(24)
    return b"".join(
        (
            box(b"ftyp", b"isom" + struct.pack(">I", 0x200) + b"isommp42"),
            box(b"moov", box(b"mvhd", header + struct.pack(">I", 1))),
            box(b"mdat", b""),
        )
    )


def _pdf() -> bytes:
    """One page with one line on it."""
    text = b"BT /F1 18 Tf 72 720 Td (A document from the simulated phone) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    written = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (count, rows, count, len(written))
    )


_MAKERS = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
    "video/mp4": _mp4,
    "application/pdf": _pdf,
}
