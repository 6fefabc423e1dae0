"""Replay: every decision again from its evidence, and what an edit shows."""
