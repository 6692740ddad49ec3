"""Reporting: the situation of every area on any day, counted from what the other services tell."""
