"""References for stiff problems: implicit collocation of high order in extended precision, which
shares nothing with the Taylor method but the translated vector field.
"""
