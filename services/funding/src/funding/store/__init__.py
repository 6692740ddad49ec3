"""All SQL of this service, and the only translation between rows and domain values."""
