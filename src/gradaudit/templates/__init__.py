"""The file that `gradaudit new` writes."""
