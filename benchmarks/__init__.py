"""How fast is each stage, how much memory does it take, and how does it stand beside a pipeline written by hand?

    python -m benchmarks --quick                       2 000 households, some minutes
    python -m benchmarks --households 100000 --work DIR
    python -m benchmarks --households 10000 100000 1000000 --work DIR --write      the committed benchmarks/TABLES.md

    machine   the facts that figures depend on            clock    seconds by label inside a process
    measure   one measurement = one process of its own     caseload the county and the store that stages share
    ingest, project, assess, seal, verify, replay          one stage each (`seal` several, `plain` its plain vault)
    parts     where the time goes from evidence to sealed decisions
    intake    a large file and many small ones, a command of its own
    template, kindergeld, zen                              beside OpenFisca, GETTSIM and ZEN, commands of their own
    aside     what an earlier run made
    frames    made-up arrays as the frames of evidence     roll     a nation, province by province, into one log
    steady    counties of several sizes, by processes that stay
    scaling   a picture of time and memory by size
    peer      the hand-written pipeline                    table    figures as Markdown, ratios included

Choices
    * Every measurement runs in a process of its own, so peak memory (its high-water mark) belongs to it alone.
    * `evidence to sealed decisions` is one unchanged `Ledger.append(assess(store, law))` from the projection to the
      published checkpoint. Parts are clocked in a run of their own (`parts`), which does one thing after the other, by
      labels on the library's own functions, exclusive of each other.
    * Making the county, ingest and projection take most of the time at a million households; `--reuse` keeps those of
      an earlier run in the same folder and shows their measurement of then, marked. Evidence to sealed decisions and
      the peer are always measured anew, one after the other, in one run.
    * The peer (see `peer`) holds a short law of one day as code and makes the same records, leaves and log as we do
      under that law (`whole-small`), byte for byte; only this is set against it, as a whole with its plain files in the
      vault's place (`plain`). The full pack is measured beside.
"""
