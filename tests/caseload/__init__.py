"""Audits of whole caseloads: in full, by sampling, and the tables that are taken away."""
