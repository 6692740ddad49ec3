"""The four services as real processes, asked as people and other services would ask them."""
