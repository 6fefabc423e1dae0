"""Explanations: a decision told from its outcome down to the rows of files, in Chinese and English.

    evidence_of(store, decision)      → Tracer        the evidence that a decision rests on, as it was then
    explained(decision, evidence)     → Explanation   the tree; without evidence it ends with the tests
    changes(evidence)                 → nodes         the smallest changes that would turn outcomes, for `explained`
    text(tree, law, language)         → str           plain text, to any depth
    page(tree, law, language)         → str           an HTML fragment: semantic, escaped, no script, no style needed
    data(tree, law)                   → dict          plain JSON values, as schemas/explanation.schema.json says

The same tree comes of a decision made just now, of one from the vault and of one from a receipt: they are records.
"""

from __future__ import annotations

from meanscheck.decisions.explaining.changes import changes
from meanscheck.decisions.explaining.data import data
from meanscheck.decisions.explaining.page import page
from meanscheck.decisions.explaining.rulings import evidence_of, explained, ruling_tree
from meanscheck.decisions.explaining.text import text
from meanscheck.decisions.explaining.tree import Citation, Explanation, Place

__all__ = [
    "Citation",
    "Explanation",
    "Place",
    "changes",
    "data",
    "evidence_of",
    "explained",
    "page",
    "ruling_tree",
    "text",
]
