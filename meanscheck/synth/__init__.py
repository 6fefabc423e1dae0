"""A made-up county of any size and seed: the departments' files as they are really sent, with the truth beside them.

    county(folder, households=2000, seed=1)   writes inbox/ and truth/ and returns a `County`
    complete_findings(report, folder=folder)  writes the office's whole review once the rows are ingested

Nobody in it is real: names, numbers, firms and amounts are drawn from the seed. Nothing here knows a rule pack or the
rule engine, so the truth can tell whether they are right. How it is made: people → status → work, estate, kin →
survey → facts (`part`); what is true of them in law: means, truth; how it is sent: wording, files, mess, delivery.

Choices
-------
* The truth is known for days from 2020-03-30 to 2020-12-31 only, where Jiangmen's figures are sourced; other days are
  refused rather than reckoned with figures nobody has seen.
* Parts of 50 000 households are drawn one after the other: identity numbers are given out through the whole county.
* Balances are dated ten days before the day, everything else on the day itself, so that no rule of the law reaches
  beyond what was answered.
* Mess makes evidence unknown or adds rows; it never takes away a true row without a sign that something is missing.
"""

from meanscheck.synth.county import County, county
from meanscheck.synth.findings import complete_findings

__all__ = ["County", "complete_findings", "county"]
