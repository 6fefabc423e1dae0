"""The pipeline a good programmer would write by hand for one place and one day, to be measured against.

    facts    DuckDB: one GROUP BY a feed over the same projected evidence, joined to the persons
    rules    Polars: Jiangmen's law of 2020-06-30 as code: dibao with its award, tekun (dibao gives way to it), who may
             get medical relief
    sealing  JSON records by Polars, one salted SHA-256 leaf a record, the Merkle tree by levels, one Parquet file a
             block

It is no straw man: outcomes and awards of dibao equal ours wherever a household's evidence is complete (`agreement`).
What it leaves out is what such pipelines leave out: an unknown is one flag a household and not a cause, only income has
a margin, there are no citations and no trace of every variable, and one leaf stands for seven groups that open apart.
"""

from __future__ import annotations




