"""What runs a study: configuration, jobs and the time that they take; no numerics."""
