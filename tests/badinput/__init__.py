"""Bad input: a clear error or a quarantined row, never a loss."""
