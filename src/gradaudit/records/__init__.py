"""What is stored and how: results, tables, arrays, provenance; nothing is computed here."""
