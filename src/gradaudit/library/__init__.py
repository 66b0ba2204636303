"""The models that come with the package, one file each, written as a user writes one; whatever
several of them need belongs to `model`.
"""
