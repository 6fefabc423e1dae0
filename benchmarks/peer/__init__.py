"""The pipeline a good programmer would write by hand for one place and one day, to be measured against.

    law/        the law of the comparison as a pack, for us: the subsistence allowance in Jiangmen on 2020-06-30
    facts       DuckDB: one GROUP BY a feed (`feeds`) over the same projected evidence, scattered to the persons
    rules       Polars: that law as code, null for what is unknown; `undecided` looks again at the open households:
                bounds of amounts and counts, tests that they decide, causes (`bits`); `decided` puts both together
    records     the same seven groups of canonical JSON by Polars
    sealing     salted group hashes and their tree, a leaf a household, the tree over the leaves, with hashlib
    pipeline    block by block; the vault's place is taken by plain Parquet files

It is no straw man: it makes our records byte for byte, for every household of the county, unknowns, causes and bounds
included, and with the same salts the same leaves and the same log (`beside.agreement`). So what it spends may be held
against what we spend under that law.

Choices
    * It may know what holds for this county: which states occur, that rows leave no cell open. It looks whether that is
      so and refuses otherwise; nothing of the general case is carried along.
    * A person's unknowns are one word of bits, since that is enough here: known is a mask, and so are causes.
    * Of the library it uses what is no work: lists of codes, the Arrow stream between DuckDB and Polars, and the
      constant provenance text, made once.
"""

from __future__ import annotations

from benchmarks.peer.pipeline import run_peer

__all__ = ["run_peer"]
