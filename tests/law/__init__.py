"""Tests of the rule language: its checker, its packs and its two executors."""
