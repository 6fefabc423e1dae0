"""Theorems about packs."""
