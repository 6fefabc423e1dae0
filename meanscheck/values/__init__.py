"""Values: money in whole fen, exact rounding, months and days, identity numbers, states of evidence."""
