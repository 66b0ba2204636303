"""Answers to the questions of the project, as pure functions of tables: tables in, tables out."""
