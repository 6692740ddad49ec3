"""What an operator sees and does: how relays and projectors stand, dead letters, rebuilds.

The same acts by HTTP (`api`), on a page (`page`) and on the command line (`command`).
"""
