"""How are records made small before they are sealed, when each must open alone and nothing of one may help another?

Zstandard (RFC 8878) with a *dictionary*: bytes like those to come, which both sides have. It is made from the law and
made-up households (`meanscheck.decisions.made_up`) and holds nothing of anybody, so it may lie in the clear; and it
lies in every file that needs it, in the file's own key and value metadata, so that no file depends on another.

>>> dictionary = b'{"outcomes":[{"award":null,"outcome":"ineligible","programme":"dibao"}]}'
>>> texts = [b'{"outcomes":[{"award":57000,"outcome":"eligible","programme":"dibao"}]}'] * 2
>>> packed = pack(texts, dictionary)
>>> sum(map(len, packed)) < sum(map(len, texts)), unpack([*packed, None], dictionary) == [*texts, None]
(True, True)
>>> dictionary_in({NAME: in_metadata(dictionary)[NAME]}) == dictionary
True

Choices
    Measured on records of 6.7 kB of nine programmes: 0.74 kB, 12 to 24 µs to pack and 5 to 11 to unpack; of that 4 are
    won back in sealing less. Zlib with the same dictionary: 0.86 kB and 126 µs. What goes with it is a ninth of the
    disk and of the time in which it is flushed.
    The dictionary is no secret but it must be the same: under another one the same packed bytes are another record. So
    what is sealed is bound to its digest.
    Lengths tell a little more than they did: how much a record has that the law's own words do not.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zstandard import ZstdCompressionDict

NAME: Final = "meanscheck/dictionary/v1"
_LEVEL = 1


def pack(texts: Sequence[bytes], dictionary: bytes) -> list[bytes]:
    """Each text by itself."""
    from zstandard import ZstdCompressor

    # One for each call: it may not be used by two threads at a time. What costs is the dictionary, which is kept.
    compressor = ZstdCompressor(
        level=_LEVEL, dict_data=_prepared(dictionary), write_checksum=False, write_dict_id=False
    )
    return [compressor.compress(text) for text in texts]


def unpack(packed: Sequence[bytes | None], dictionary: bytes) -> list[bytes | None]:
    """The texts, packed with this dictionary; None where there is none."""
    from zstandard import ZstdDecompressor

    decompressor = ZstdDecompressor(dict_data=_prepared(dictionary))
    return [None if text is None else decompressor.decompress(text) for text in packed]


def in_metadata(dictionary: bytes | None) -> dict[str, str]:
    """A dictionary as a file's metadata hold it; nothing if there is none."""
    return {} if dictionary is None else {NAME: b64encode(dictionary).decode()}


def dictionary_in(metadata: Mapping[str, str]) -> bytes | None:
    """The dictionary in a file's metadata; None where texts were sealed as they are."""
    text = metadata.get(NAME)
    try:
        return None if text is None else b64decode(text)
    except ValueError:
        return b""  # damaged: nothing opens with it


def named(kind: str, dictionary: bytes | None) -> str:
    """The kind of a file as its sealed bytes are bound to it: with the dictionary, which lies beside them unsealed."""
    return kind if dictionary is None else f"{kind} packed {hashlib.sha256(dictionary).hexdigest()}"


@lru_cache(maxsize=8)
def _prepared(dictionary: bytes) -> ZstdCompressionDict:
    from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict

    prepared = ZstdCompressionDict(dictionary, dict_type=DICT_TYPE_RAWCONTENT)
    prepared.precompute_compress(level=_LEVEL)
    return prepared
