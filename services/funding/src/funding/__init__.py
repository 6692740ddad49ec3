"""What each household is entitled to, kept by events, and the programme's money."""
