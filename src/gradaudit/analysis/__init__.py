"""Tables of all models together, from laws to the calibration of error estimates: tables in, tables
out; what concerns one gradient belongs to `evaluation`.
"""
