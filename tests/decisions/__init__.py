"""Decisions: records, agreement with the truth, explanations, the verification report, privacy."""
