"""Import of models in SBML, the Systems Biology Markup Language: `load_sbml`."""

from gradaudit.model.sbml.importer import DEFAULT_T_END, load_sbml

__all__ = ["DEFAULT_T_END", "load_sbml"]
