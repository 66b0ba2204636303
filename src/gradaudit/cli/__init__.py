"""The command `gradaudit`: arguments in, text and exit codes out; nothing is computed here."""
