"""One file per method of computing sensitivities; what several of them share lies one folder up."""
