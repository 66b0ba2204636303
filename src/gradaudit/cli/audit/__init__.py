"""`gradaudit audit`: one model in the terminal, as jobs that run side by side.

The errors themselves come from `evaluation`.
"""
