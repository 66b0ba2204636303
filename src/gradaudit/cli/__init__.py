"""The command `gradaudit` and its `audit` of one model: arguments in, text and exit codes out; what
is computed comes from the packages below.
"""
