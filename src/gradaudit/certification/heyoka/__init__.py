"""Vector fields as heyoka's expressions in any precision.

The ladder that integrates them lies one folder up.
"""
