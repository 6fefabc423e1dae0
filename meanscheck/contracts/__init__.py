"""Contracts: what each feed's rows mean, and how a file's text becomes typed rows or quarantine.

The only definition of a feed is its ODCS file in `schemas/feeds/`; everything here is derived from it.

    feed(name), all_feeds(), application_contract(name)   what a feed is: columns, kinds, key, how rows are counted
    headers.match_headers(contract, headers)              which column each header of a file is
    readers.read_rows(contract, path, mapping=)           CSV, fixed width, Excel, Parquet, JSON lines, ZIP → rows
    cursor.read_cursor(contract, cursor)                  a department's database → rows, the same as from a file
    mapping.load_mapping(path), mapping_checks.check_mapping(contract, mapping)    one sender's words for a contract's
    sniff.sniff(path)                                     which feed is this file, which column is which, how sure
    cast.cast_rows(contract, rows, as_of=, not_after=)    rows → accepted | quarantined, with REASONS
    readers.cast_file(contract, path, …)                  the two together
    texts.feeds_list(), feed_text(name), feed_template(name)
    generate                                              JSON Schema and SQL in schemas/generated

Choices
-------
* Parquet columns keep their types instead of going through text: a typed file is read as fast as its columns can be
  checked, and a property test holds that both ways give the same rows. Floats are refused, whatever they hold.
* What stands around a table (title, unit, notes, signatures, totals) is understood by narrow rules (`furniture`,
  `stated_units`): a row that may be a person's is quarantined, never passed over. A total that is not the sum of its
  rows refuses the file, as rows may be missing.
* Several sheets or members of an archive with the same columns and units are one file; a difference refuses it. A
  hidden sheet with rows refuses the workbook; hidden rows and columns are read.
* A number of five digits in a day column of a workbook is a day; of four it may be a year, and is quarantined.
* With a mapping nothing is understood by spelling: the mapping is the whole truth about the sender's files. It is TOML,
  as codes like 01 stay codes there, days are days and a name given twice is an error.
* A text that begins like a formula is quarantined and its text kept as it was sent; ``="110…"``, by which systems keep
  a spreadsheet from rounding a number, is that number.
* A row is a physical line. Cells with line breaks are refused, so that a stray quote cannot swallow rows unseen.
* Rows that contradict each other under one natural key are all quarantined: keeping the first would let the order
  of the file decide. A key with an empty part is not checked.
* `key` and `latest_by` may hold the word ``person``, for the person alone.
* An empty `as_of` is filled from the row's own event where the contract names one (a marriage is true from its day),
  else from the manifest, in register and as_of feeds only: a dated event would be another row in the next answer.
* A share such as 1/3 that six decimals do not hold is quarantined, not rounded. A mu (亩) is the one unit that is
  rounded, to the nearest cm².
* A fifteen-digit identity number with an order from 996 (persons over a hundred in the old standard) is refused.
* A day without end (长期) is 9999-12-31.
* A contract is loaded once for each process (0.4 s for all feeds), and not compiled to Python files: no second source.
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
