"""The stages of the workflow: each reads files, writes files, and knows no other stage."""
