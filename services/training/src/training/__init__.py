"""Training: who was trained, on what, by whom.

The service owns classes and conferences: it plans them, records that they were held and how
many people came, and tells the world once when a class is completed.
"""
