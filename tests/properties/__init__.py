"""Properties of the whole way: unanswered feeds, order, block size, threads."""
