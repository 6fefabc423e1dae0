"""Contracts: what each feed's rows mean, and how a file's text becomes typed rows or quarantine.

The only definition of a feed is its ODCS file in `schemas/feeds/`; everything here is derived from it.
"""

from meanscheck.contracts.catalogue import (
    Sender,
    all_feeds,
    all_senders,
    application_contract,
    feed,
    feed_names,
    sender_named,
)
from meanscheck.contracts.model import Column, FeedContract

__all__ = [
    "Column",
    "FeedContract",
    "Sender",
    "all_feeds",
    "all_senders",
    "application_contract",
    "feed",
    "feed_names",
    "sender_named",
]
