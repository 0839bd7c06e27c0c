"""What a sweep consists of: each chore stands alone, stops in time, and is done again a minute later."""
