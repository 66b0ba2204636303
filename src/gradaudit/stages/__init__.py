"""One module per stage of the workflow, which reads files and writes files; the computation behind
it lies below, except for the two experiments.
"""
