"""Which theorems hold of a pack, for every household and not only for those that were tried?

    terms        a value of the language over symbols
    household    the symbolic household: members, supporters, rows by class
    encode       checked trees → terms; programmes → outcomes
    witness      a model → a case in TOML, run by both executors
    theorems     what is claimed of a programme, and its answer
    amendments   what a changed rule or figure changes, and for whom
    cliffs       what one fen more can cost

The solver (z3) is an extra and is imported in this room only.
"""
