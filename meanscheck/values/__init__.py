"""Values: money in whole fen, exact rounding, months and days, identity numbers, states of evidence; and how columns of
them come out of Arrow and Parquet."""
